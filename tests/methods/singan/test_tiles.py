"""SinGAN's tiles: whatever the noise, a picture goes on at its other end as if there were none."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.machine import memory
from consingan.machine.execution import Execution
from consingan.methods.contract import Walk
from consingan.methods.singan import sampling
from consingan.methods.singan.chain import Scale, Tiled, run_plainly
from consingan.methods.singan.config import SinGANConfig
from consingan.methods.singan.draws import Edge, framed
from consingan.methods.singan.model import SinGAN
from consingan.methods.singan.networks import Generator, frame, initialize
from consingan.methods.singan.resize import resize_around
from consingan.methods.singan.setup import restore
from consingan.nn.noise import stream
from consingan.outputs import samples
from consingan.outputs.requests import SamplesRequest
from consingan.settings.tiles import TILES, Wraps

SIZES = [(12, 10), (24, 20), (48, 40)]
FACTORS = (4, 2, 1)
SIDES = [((True, True), (4, 8)), ((True, False), (4, 0)), ((False, True), (0, 8))]


def scales(wraps: Wraps, sizes: Any = SIZES) -> list[Scale]:
    made = []
    for n, size in enumerate(sizes):
        generator = Generator(SinGANConfig(nfc=6, min_nfc=6).architecture)
        initialize(generator, stream("tiles", n))
        with torch.no_grad():
            for parameter in generator.parameters():
                if parameter.ndim > 1:
                    parameter.mul_(8)
        real, rng = torch.zeros(1, 3, *size), stream("fixed", n)
        fixed = framed(size, n, 1, Edge(5, wraps=wraps), rng)
        made.append(Scale(generator.eval(), real, fixed, 0.5 if n else 1.0, wraps))
    return made


def noises(steps: tuple[int, int], wraps: Wraps, noisy: bool = False) -> list[Tensor]:
    """Noise moved around by `steps` px of the finest scale, in its frame."""
    found = []
    for n, (size, factor) in enumerate(zip(SIZES, FACTORS, strict=True)):
        drawn = framed(size, n, 1, Edge(5, noisy, wraps), stream("z", n))
        inner = drawn[..., 5:-5, 5:-5].roll((steps[0] // factor, steps[1] // factor), (2, 3))
        found.append(frame(inner, 5, wraps))
    return found


@torch.no_grad()
@pytest.mark.parametrize(("wraps", "steps"), SIDES)
def test_a_picture_has_no_end_where_it_wraps(wraps, steps):
    chain = scales(wraps)
    made = sampling.sample(chain, noises((0, 0), wraps), 2.0)
    moved = sampling.sample(chain, noises(steps, wraps), 2.0)
    assert made.std() > 0.1
    apart = (moved - made.roll(steps, (2, 3))).abs()
    assert float(apart.mean()) < 1e-3  # pictures pass through bytes, of which some tip over
    assert float(apart.max()) < 0.1


@torch.no_grad()
def test_across_the_other_side_it_ends():
    chain = scales((False, True))
    made = sampling.sample(chain, noises((0, 0), (False, True)), 2.0)
    moved = sampling.sample(chain, noises((4, 0), (False, True)), 2.0)
    assert float((moved - made.roll(4, 2)).abs().mean()) > 0.01


@pytest.mark.parametrize("noisy", [False, True])
@pytest.mark.parametrize(("wraps", "_"), SIDES)
def test_around_noise_lies_its_other_end(wraps, _, noisy):
    drawn = framed((12, 10), 1, 1, Edge(5, noisy, wraps), stream("z"))
    assert drawn.shape == (1, 3, 22, 20)
    for axis, wrapped in zip((2, 3), wraps, strict=True):
        size = drawn.shape[axis] - 10
        if wrapped:
            assert torch.equal(drawn.narrow(axis, 0, 5), drawn.narrow(axis, size, 5))
        else:
            assert bool(drawn.narrow(axis, 0, 5).any()) == noisy


@pytest.mark.parametrize("wraps", [(True, True), (False, True)])
def test_what_grows_on_a_ring_is_the_same_from_wherever_it_begins(wraps):
    image = torch.rand(1, 3, 9, 12, generator=stream("image")) * 2 - 1
    grown = resize_around(image, (18, 24), (2.0, 2.0), wraps)
    moved = resize_around(image.roll(3, 3), (18, 24), (2.0, 2.0), wraps)
    assert torch.allclose(moved, grown.roll(6, 3), atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("size", [(48, 40), (37, 53)])
def test_samples_of_any_size_and_start_wrap(size, start):
    chain = scales((True, True))
    config = SinGANConfig(nfc=6, min_nfc=6, tile="both")
    model = SinGAN(config, [scale.real for scale in chain], chain, start=start)
    sample = model.sample([0], size)
    assert sample.shape[-2:] == size
    doubled = torch.cat([sample, sample], 3)
    inside = (sample[..., 1:] - sample[..., :-1]).abs().mean()
    across = (doubled[..., size[1]] - doubled[..., size[1] - 1]).abs().mean()
    assert float(across) < 1.5 * float(inside)


@torch.no_grad()
def test_frames_of_a_loop_wrap_and_come_back():
    chain = scales((True, True))
    config = SinGANConfig(nfc=6, min_nfc=6, tile="both", train_mode="animation")
    model = SinGAN(config, [scale.real for scale in chain], chain)
    frames = list(model.frames(12, Walk(loop=True)))
    steps = [
        float((b - a).abs().mean()) for a, b in zip(frames, [*frames[1:], frames[0]], strict=True)
    ]
    assert steps[-1] < 2 * max(steps[:-1])
    inside = (frames[5][..., 1:] - frames[5][..., :-1]).abs().mean()
    across = (frames[5][..., 0] - frames[5][..., -1]).abs().mean()
    assert float(across) < 1.5 * float(inside)


@pytest.mark.parametrize("task", ["harmonization", "editing", "paint2image", "super_resolution"])
def test_tasks_whose_pictures_end_refuse_tiles(task):
    with pytest.raises(UserError, match="use one of generation, animation"):
        SinGANConfig(tile="both", train_mode=task).check()


@pytest.mark.parametrize("tile", [name for name in TILES if name != "none"])
def test_settings_say_where_ends_meet(tile):
    assert SinGANConfig(tile=tile).wraps == TILES[tile]


def test_a_tile_that_is_loaded_makes_the_same_pictures():
    config, chain = SinGANConfig(nfc=6, min_nfc=6, tile="horizontal"), scales((False, True))
    model = SinGAN(config, [scale.real for scale in chain], chain)
    tensors = model.weights()
    for n, scale in enumerate(chain):
        tensors[f"real.{n}"] = scale.real
        tensors[f"anchor.{n}.amplitude"] = torch.tensor(scale.amplitude)
    again = restore(config, tensors, Execution(torch.device("cpu")))
    assert torch.equal(again.sample([3]), model.sample([3]))


@torch.no_grad()
@pytest.mark.parametrize("wraps", [(False, False), (True, True)])
def test_what_passes_in_tiles_equals_the_whole(wraps):
    chain, drawn = scales(wraps), noises((0, 0), wraps)
    whole = sampling.sample(chain, drawn, 2.0)
    made = sampling.sample(chain, drawn, 2.0, run=Tiled(run_plainly, 13))
    assert float((made - whole).abs().mean()) < 1e-3


def test_what_does_not_fit_into_memory_is_refused(monkeypatch):
    chain = scales((False, False))
    model = SinGAN(SinGANConfig(nfc=6, min_nfc=6), [scale.real for scale in chain], chain)
    monkeypatch.setattr(memory, "free_memory", lambda _: model.picture_memory((2000, 2000), 1) - 1)
    with pytest.raises(UserError, match=r"Pictures of 2000x2000 .* a smaller --size"):
        samples.begin(model, SamplesRequest(num_samples=1, sizes=[(2000, 2000)]))
    monkeypatch.undo()
    assert model.frame_memory(None) > model.picture_memory(None, 1)
