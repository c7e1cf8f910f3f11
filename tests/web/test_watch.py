"""What the panel beside a training says of how it ended."""

from __future__ import annotations

import pytest

from consingan.machine.files import write_json
from consingan.runs.manifest import MANIFEST
from consingan.web.queue import Order


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("finished", "finished; see Runs."),
        ("interrupted", "stopped; it can go on."),
        ("training", "ended, and could not note that down; it can go on."),
        ("diverged", "diverged."),
    ],
)
def test_how_a_training_ended_is_told_by_what_it_noted(desk, tmp_path, status, told):
    from consingan.web.watch import view_of

    write_json(tmp_path / MANIFEST, {"format": 1, "status": status})
    desk.trainings.orders.append(Order("beach", (), run=tmp_path, ended=""))
    assert f"beach: {told}" in view_of(desk).state
