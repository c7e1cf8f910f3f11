"""Pictures that enter, and films."""

from __future__ import annotations

import torch

from consingan.methods.contract import Walk
from consingan.methods.patches.config import PatchesConfig
from consingan.methods.patches.entry import with_own_shapes
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


def test_smoother_films_turn_less_often() -> None:
    assert [turns(beta) for beta in (0.95, 0.9, 0.8, 0.0)] == [1, 1, 2, 10]
