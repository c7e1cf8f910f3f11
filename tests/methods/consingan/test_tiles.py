"""Tiles: whatever the noise, a picture goes on at its other end as if there were none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import contract_cases
import numpy as np
import pytest
import torch
from commands import save, scene
from contract_cases import Case
from small_models import generator, model
from torch import Tensor

from consingan.errors import UserError
from consingan.machine.precision import Arithmetic
from consingan.methods.consingan import rows, strips, tiles
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.networks import Generator
from consingan.methods.consingan.tiles import Around
from consingan.methods.registry import METHODS
from consingan.nn.kernels import applied
from consingan.nn.noise import gaussian, stream
from consingan.settings.tiles import TILES

SIZES = [(12, 10), (24, 20), (48, 40)]
AMPLITUDES = [1.0, 0.5, 0.5]
CHANNELS = 6
SIDES = [("wrap", (4, 4)), ("wrap_vertical", (4, 0)), ("wrap_horizontal", (0, 4))]


def noises(sizes: Any = SIZES) -> list[Tensor]:
    shapes = [(1, 3, *sizes[0]), *((1, CHANNELS, *size) for size in sizes[1:])]
    return [gaussian(shape, stream("z", k)) for k, shape in enumerate(shapes)]


def rolled(drawn: list[Tensor], steps: tuple[int, int]) -> list[Tensor]:
    """The same noise moved around by `steps` px of the finest stage."""
    factors = [4, 2, 1]
    return [
        z.roll((steps[0] // f, steps[1] // f), (2, 3)) for z, f in zip(drawn, factors, strict=True)
    ]


@torch.no_grad()
@pytest.mark.parametrize("numbers", [{}, {"norm": True}, {"layers": 2}], ids=str)
@pytest.mark.parametrize(("border", "steps"), SIDES)
def test_a_picture_has_no_end_where_it_wraps(border, steps, numbers):
    network, drawn = generator(border, CHANNELS, **numbers), noises()
    made = network(drawn, AMPLITUDES)
    assert made.std() > 0.1
    moved = network(rolled(drawn, steps), AMPLITUDES)
    assert torch.allclose(moved, made.roll(steps, (2, 3)), atol=1e-4)


@torch.no_grad()
def test_across_the_other_side_it_ends():
    network, drawn = generator("wrap_horizontal", CHANNELS), noises()
    moved = network(rolled(drawn, (4, 0)), AMPLITUDES)
    assert not torch.allclose(moved, network(drawn, AMPLITUDES).roll(4, 2), atol=0.01)


@torch.no_grad()
@pytest.mark.parametrize("border", ["wrap", "wrap_horizontal", "wrap_vertical"])
def test_both_engines_make_the_same_tile_of_any_size(border):
    network, drawn = generator(border, CHANNELS), noises([(7, 9), (11, 14), (17, 23)])
    plain = network(drawn, AMPLITUDES)
    with applied(Arithmetic(), network):
        fast = network(drawn, AMPLITUDES)
    assert plain.shape[-2:] == (17, 23)
    assert torch.allclose(plain, fast, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("border", ["wrap", "wrap_horizontal", "wrap_vertical"])
def test_strips_of_a_tile_are_the_whole(border, monkeypatch):
    monkeypatch.setattr(tiles, "LEAST_ROWS", 7)
    monkeypatch.setattr(rows, "STRIP", 1)
    sizes = [(7, 9), (11, 14), (37, 23)]
    network, drawn = generator(border, CHANNELS), noises(sizes)
    whole = network(drawn, AMPLITUDES)
    parts = list(Around(network, drawn[0], drawn[1:], AMPLITUDES, sizes).unrolled())
    assert len(parts) > 2
    torch.testing.assert_close(torch.cat(parts, 2), whole, atol=1e-5, rtol=0)


@torch.no_grad()
def test_large_samples_of_tiles_are_made_in_strips_unless_they_are_normalized(monkeypatch):
    monkeypatch.setattr(strips, "WHOLE", 1)
    tiled, normalized = model(tile="both"), model(tile="both", batch_norm=True)
    assert tiled.unrolls((90, 37))
    assert not normalized.unrolls((90, 37))
    made = torch.cat(list(tiled.unroll(3, (77, 41), 5)), 2)
    assert torch.equal(made, tiled.sample([3], (77, 41), 5))
    across = (made[..., 0, :] - made[..., -1, :]).abs().mean()
    assert float(across) < 2 * float((made[..., 1:, :] - made[..., :-1, :]).abs().mean())


@pytest.mark.parametrize("tile", [name for name in TILES if name != "none"])
def test_of_every_tile_the_network_goes_around_what_the_settings_say(tile):
    config = ConSinGANConfig(tile=tile)
    network = Generator(config.architecture, config.border)
    assert network.wraps == config.wraps == TILES[tile]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"train_mode": "harmonization"}, "use one of generation, retarget, animation"),
        ({"padd_size": 1}, "--padd_size 1 puts zeros"),
    ],
)
def test_what_does_not_go_with_tiles_is_refused(settings, said):
    with pytest.raises(UserError, match=said):
        ConSinGANConfig(tile="both", **settings).check()


@pytest.fixture
def tiled_sprite(tmp_path: Path) -> Case:
    alpha = np.zeros(scene().shape[:2], np.uint8)
    alpha[8:30, 10:40] = 255
    sprite = save(tmp_path / "sprite.png", np.dstack([scene(), alpha]))
    more = {"tile": "horizontal", "input_name": str(sprite)}
    return Case(METHODS["consingan"], "generation", tmp_path, more)


def test_a_tiled_sprite_stopped_at_any_record_goes_on_to_the_same_end(tiled_sprite):
    contract_cases.check_resuming(tiled_sprite)


def test_a_tiled_sprite_that_is_loaded_makes_the_same_pictures(tiled_sprite):
    contract_cases.check_loading(tiled_sprite)
