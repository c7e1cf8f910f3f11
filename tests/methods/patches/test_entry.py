"""Pictures that enter, and films."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
import torch

from consingan.methods.contract import Walk
from consingan.methods.patches.config import PatchesConfig
from consingan.methods.patches.entry import Door, with_own_shapes
from consingan.methods.patches.model import PatchDiffusion
from consingan.methods.patches.walk import smoothed, turns


def model(engine: str = "fast", **settings: object) -> PatchDiffusion:
    rng = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, 40, 48, generator=rng) * 2 - 1
    return PatchDiffusion(PatchesConfig(patch=7, **settings), image, engine)  # type: ignore[arg-type]


def test_the_picture_itself_enters_unchanged_at_a_low_level() -> None:
    for engine in ("fast", "exact"):
        made = model(engine, train_mode="editing", level=0.1)
        torch.testing.assert_close(made.enter(made.real), made.real, rtol=0, atol=1e-3)


def test_all_of_the_own_shapes_is_the_own_picture_but_for_detail() -> None:
    own, other = torch.rand(3, 20, 20), torch.rand(3, 20, 20)
    assert torch.equal(with_own_shapes(other, own, 0.0), other)
    flat = torch.full((3, 20, 20), 0.2)
    torch.testing.assert_close(with_own_shapes(flat, flat + 0.5, 1.0), flat + 0.5)


def test_a_film_is_closed_and_as_long_as_asked() -> None:
    made = list(model(train_mode="animation").frames(6, Walk()))
    assert len(made) == 6
    assert made[0].shape == (1, 3, 40, 48)


def test_smoothing_is_the_same_for_every_frame_of_a_closed_film() -> None:
    frames = [torch.full((1, 3, 2, 2), float(n == 3)) for n in range(9)]
    made = list(smoothed(frames, 9))
    assert len(made) == 9
    assert sorted(round(float(f.mean()) * 16) for f in made) == [0, 0, 0, 0, 1, 1, 4, 4, 6]


@pytest.mark.parametrize(("count", "beta"), [(10, 0.0), (20, 0.0), (5, 0.5), (6, 0.8), (4, 0.0)])
def test_a_film_moves_however_short_and_rough_it_is(count: int, beta: float) -> None:
    noise = [math.cos(2 * math.pi * turns(beta, count) * n / count) for n in range(count)]
    frames = list(smoothed([torch.full((1, 1, 1, 1), x) for x in noise], count))
    steps = [float((a - b).abs()) for a, b in pairwise([*frames, frames[0]])]
    assert max(steps) > 0.1


def test_frames_take_their_rounds_from_the_length_of_the_film() -> None:
    small = torch.rand(1, 3, 24, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    film = PatchDiffusion(PatchesConfig(patch=7, train_mode="animation"), small, "exact")
    frames = list(film.frames(5, Walk(beta=0.0)))
    assert float((frames[1] - frames[0]).abs().mean()) > 0.01


def test_no_film_begins_beyond_pure_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    doors: list[Door] = []

    def entered(canvas: object, engine: object, noise: object, own: object, door: Door) -> Any:
        doors.append(door)
        return torch.zeros(3, 40, 48)

    monkeypatch.setattr("consingan.methods.patches.model.enter", entered)
    for level, alpha in ((1.0, 0.0), (0.8, 0.1)):
        list(model(train_mode="animation", level=level).frames(1, Walk(alpha=alpha)))
    assert [door.level for door in doors] == [1.0, 0.8]


def test_smoother_films_turn_less_often() -> None:
    assert [turns(beta, 100) for beta in (0.95, 0.9, 0.8, 0.0)] == [1, 1, 2, 10]
