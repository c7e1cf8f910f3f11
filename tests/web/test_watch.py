"""What the panel beside a training shows of it, and says of how it ended."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from commands import save, scene

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


def test_pictures_of_a_long_training_do_not_pile_up(desk, tmp_path):
    from consingan.web.desk import NEWEST
    from consingan.web.watch import View, _changes

    visitor = SimpleNamespace(session_hash="somebody")
    sheet = save(tmp_path / "3" / "samples.png", scene())
    before = View(sheet=(str(sheet), 0))
    shown = Path(_changes(desk, View(), before, visitor)[1]["value"])
    for time in range(4 * NEWEST):  # the curves change while the sheet does not
        now = View(sheet=before.sheet, curves=(str(sheet), time))
        curves = Path(_changes(desk, before, now, visitor)[2]["value"])
        before = now
    assert shown.read_bytes() == curves.read_bytes() == sheet.read_bytes()
    assert len(list(desk.sessions.rglob("*.png"))) <= NEWEST + 2
