"""A finish that stays near what it finishes."""

from __future__ import annotations

import pytest
import torch
from commands import save, scene

from consingan.images.io import read_image
from consingan.methods.patches.finishing import SHARES, Limit, afar
from consingan.methods.patches.model import PatchDiffusion
from consingan.methods.registry import METHODS, UNTRAINED
from consingan.outputs.finisher import untrained

LEVEL = 0.7


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> PatchDiffusion:
    image = read_image(save(tmp_path_factory.mktemp("finishing") / "scene.png", scene(32, 40)))
    made: PatchDiffusion = untrained(image, **METHODS[UNTRAINED].finishing)
    return made


@pytest.fixture(scope="module")
def picture(model: PatchDiffusion) -> torch.Tensor:
    return (0.7 * model.real.flip(3) + 0.2).clamp(-1, 1)


def far(made: torch.Tensor, own: torch.Tensor, model: PatchDiffusion) -> float:
    """The least limit that keeps it, to a hundredth."""
    limits = [n / 100 for n in range(1, 200)]
    kept = (w for w in limits if Limit(w, own[0], model.real[0], (False, False)).keeps(made[0]))
    return next(kept)


def test_less_is_made_anew_of_a_picture_that_would_go_too_far(
    model: PatchDiffusion, picture: torch.Tensor
) -> None:
    """To the bit what the lower level makes, the first one that is near enough."""
    ways = [model.finish(picture, share * LEVEL) for share in SHARES]
    assert not torch.equal(ways[0], ways[1])
    assert not torch.equal(ways[1], ways[2])
    assert torch.equal(model.finish(picture, LEVEL, within=1), ways[0])
    assert torch.equal(model.finish(picture, LEVEL, within=1e-6), ways[-1])
    found = [model.finish(picture, LEVEL, within=n / 50) for n in (1, 8, 15, 22, 49)]
    chosen = [next(k for k, w in enumerate(ways) if torch.equal(w, made)) for made in found]
    assert chosen == sorted(chosen, reverse=True)
    assert set(chosen) >= {0, 2}


def test_a_distance_is_of_what_is_seen_from_afar(model: PatchDiffusion) -> None:
    real = model.real
    grain = 0.5 * torch.ones(32, 40)
    grain[::2] *= -1
    assert far(real + grain, real, model) < far(real + 0.1, real, model)
    assert far(real + 0.3, real, model) > 2 * far(real + 0.1, real, model)


def test_a_distance_is_in_spreads_of_the_image() -> None:
    own, made = torch.zeros(3, 32, 32), torch.full((3, 32, 32), 0.1)
    halves = torch.cat([torch.ones(3, 32, 16), -torch.ones(3, 32, 16)], 2)
    for spread in (1.0, 0.5):  # of halves at plus and minus one it is one
        assert Limit(0.12 / spread, own, spread * halves, (False, False)).keeps(made)
        assert not Limit(0.08 / spread, own, spread * halves, (False, False)).keeps(made)


def test_an_image_of_one_color_has_a_spread_of_a_gray_level() -> None:
    flat = torch.zeros(1, 32, 32)
    limit = Limit(1.0, flat, flat, (False, False))
    assert limit.keeps(flat + 1.9 / 255)
    assert not limit.keeps(flat + 2.1 / 255)


def test_sizes_from_afar() -> None:
    assert afar((85, 128)) == (8, 12)
    assert afar((20, 200)) == (8, 80)
    assert afar((7, 9)) == (7, 9)


def test_a_picture_of_one_scale_is_finished_there(picture: torch.Tensor) -> None:
    small = untrained(picture[..., :12, :14], **METHODS[UNTRAINED].finishing)
    made = small.finish(picture[..., :12, :14], LEVEL, within=0.1)
    assert made.shape == (1, 3, 12, 14)


def test_another_shape_than_the_images_has_a_limit_too(model: PatchDiffusion) -> None:
    wide = model.real.repeat(1, 1, 1, 2)
    free, held = (model.finish(wide, 0.9, within=within) for within in (0.0, 0.05))
    assert held.shape == wide.shape
    assert far(held, wide, model) < far(free, wide, model)
