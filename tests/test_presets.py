"""Presets: laid over a mode's settings, they shorten a training and never lengthen it."""

from __future__ import annotations

from typing import Any

import pytest

from consingan.config import Config
from consingan.presets import PRESETS
from consingan.runs import choose_settings

FAST = PRESETS["fast"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({}, {"niter": 2000, "fine_niter": FAST["fine_niter"]}),
        ({"train_mode": "editing"}, {"niter": 1000, "fine_niter": FAST["fine_niter"]}),
        ({"niter": 5000}, {"niter": 5000, "fine_niter": FAST["fine_niter"]}),
        ({"niter": 50}, {"niter": 50, "fine_niter": 50}),
        ({"niter": 50, "fine_niter": 80}, {"niter": 50, "fine_niter": 80}),
    ],
)
def test_iterations(typed: dict[str, Any], expected: dict[str, int]) -> None:
    chosen = choose_settings({"preset": "fast", **typed})
    settings = chosen.config.to_json()
    assert {name: settings[name] for name in expected} == expected
    assert chosen.origin["d_steps"] == "preset"


def test_paper_is_the_published_method() -> None:
    assert choose_settings({"preset": "paper"}).config == Config()


def test_each_is_shorter_than_the_one_before() -> None:
    chosen = [choose_settings({"preset": name}).config for name in ("paper", "fast", "draft")]
    for width in (100, 101, 250):
        counts = [config.iterations_at(width, 250) * config.d_steps for config in chosen]
        assert counts == sorted(set(counts), reverse=True)


def test_fine_stages_are_wider_than_two_fifths() -> None:
    config = Config(niter=7, fine_niter=3)
    assert [config.iterations_at(width, 250) for width in (40, 100, 101, 250)] == [7, 7, 3, 3]
    assert config.replace(fine_niter=0).iterations_at(250, 250) == 7
