"""Make pictures with a trained model: random ones of any size, from a picture, animations."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.images.resize import resize_to
from consingan.methods.consingan import draws, rows, strips, tiles
from consingan.methods.consingan.memory import (
    estimate_sampling_memory,
    estimate_strips_memory,
)
from consingan.methods.contract import Size, Walk
from consingan.nn import noise
from consingan.nn.kernels import applied
from consingan.nn.noise_field import NoiseField, whole

if TYPE_CHECKING:
    from consingan.methods.consingan.model import ConSinGAN

MIN_SIDE = 8  # px; below it a picture has no content
ENLARGED = 3  # pictures in memory while one is enlarged
WALK_NOISES = 5  # fixed, drawn, and of three frames
MIN_COARSEST = 3  # px that must be left at the coarsest stage


def output_sizes(model: ConSinGAN, size: Size | None = None) -> list[Size]:
    """Size (h, w) of every stage for a picture of `size` (h, w), by default the training size.

    All stages are scaled by the same factors; the last one is exactly `size`.
    """
    height, width = model.sizes[-1]
    if size is None or size == (height, width):
        return model.sizes
    scale_h, scale_w = size[0] / height, size[1] / width
    earlier = [
        (max(round(h * scale_h), 1), max(round(w * scale_w), 1)) for h, w in model.sizes[:-1]
    ]
    return [*earlier, size]


def random_noises(model: ConSinGAN, size: Size | None, seed: int, index: int) -> list[Tensor]:
    """Fresh z_0..z_d for sample `index`; the same (seed, index) always gives the same ones.

    They are drawn where the model is: a CPU takes longer for that than a GPU for the picture.
    """
    rng = noise.stream(seed, "sample", index, device=model.device)
    return [noise.gaussian(s, rng) for s in _shapes(model, size)]


def _shapes(model: ConSinGAN, size: Size | None) -> list[tuple[int, int, int, int]]:
    shape, frame = model.config.architecture, model.generator.frame
    return draws.noise_shapes(
        output_sizes(model, size), shape.channels, shape.image_channels, frame
    )


def least_size(sizes: Sequence[Size]) -> Size:
    """The smallest output (h, w) px for stages of `sizes`: enough px at the coarsest one."""
    least = (
        max(MIN_SIDE, math.ceil(MIN_COARSEST * finest / coarsest))
        for finest, coarsest in zip(sizes[-1], sizes[0], strict=True)
    )
    return next(least), next(least)


@torch.no_grad()
def sample(model: ConSinGAN, indices: Sequence[int], size: Size | None, seed: int) -> Tensor:
    """Random pictures made together, (n, 3, h, w) in [-1, 1] on the CPU.

    Sample i is drawn from (seed, i) alone, but a GPU draws other ones than a CPU. How many are
    made together changes it by rounding (up to 1e-5 in float32, some hundredths in bf16): kernels
    are chosen by the shape of a batch. The same call gives the same bits.

    Args:
        model: finished or with its last stages missing.
        indices: of the pictures.
        size: (h, w) in px, by default the training size.
        seed: chooses the pictures.
    """
    if by_strips(model, size or model.sizes[-1]):
        return torch.cat([_in_strips(model, size, seed, index) for index in indices])
    drawn = [random_noises(model, size, seed, index) for index in indices]
    noises = [torch.cat(stage) for stage in zip(*drawn, strict=True)]
    del drawn
    return _made(model, noises[0], noises[1:]).cpu()


def enlarged(
    model: ConSinGAN, part: ConSinGAN, indices: Sequence[int], size: Size | None, seed: int
) -> Tensor:
    """What `sample` makes with the stages of `part` alone, enlarged to `size` (h, w)."""
    sizes = output_sizes(model, size)
    made = sample(part, indices, sizes[len(part.anchors) - 1], seed)
    return tiles.resized_around(made, sizes[-1], model.config.wraps)


def enlarged_memory(model: ConSinGAN, part: ConSinGAN, size: Size | None, pictures: int) -> int:
    """Bytes that `enlarged` takes for so many pictures of `size` (h, w)."""
    sizes, channels = output_sizes(model, size), model.config.nc_im
    small = picture_memory(part, sizes[len(part.anchors) - 1], pictures)
    return small + 4 * ENLARGED * channels * pictures * math.prod(sizes[-1])


def picture_memory(model: ConSinGAN, size: Size | None, pictures: int) -> int:
    """Bytes that making so many pictures of `size` (h, w) at a time takes."""
    sizes, border = output_sizes(model, size), model.config.border
    shape, parted = model.config.architecture, by_strips(model, sizes[-1])
    return estimate_sampling_memory(sizes, shape, border, pictures, parted)


def strip_memory(model: ConSinGAN, size: Size | None) -> int:
    """Bytes that a picture of `size` (h, w) takes that is written as it is made.

    A GPU draws the noises at once, see `rows.draw`.
    """
    sizes, frame = output_sizes(model, size), model.generator.frame
    needed = estimate_strips_memory(sizes, model.config.architecture, frame)
    if model.device.type == "cpu" or any(model.config.wraps):
        return needed
    return needed + 4 * sum(math.prod(shape) for shape in _shapes(model, size))


def frame_memory(model: ConSinGAN, size: Size | None) -> int:
    """Bytes that a film of `size` (h, w) takes, whose walk keeps noises of several frames."""
    numbers = sum(math.prod(shape) for shape in _shapes(model, size))
    return picture_memory(model, size, 1) + 4 * WALK_NOISES * numbers


def by_strips(model: ConSinGAN, size: Size) -> bool:
    """Whether a picture of `size` (h, w) is so large that it is made in strips."""
    shape = model.config.architecture
    if any(model.config.wraps) and shape.norm:  # each strip is computed apart from the others
        return False
    return strips.is_large(size, shape.channels, model.device)


def unroll(model: ConSinGAN, size: Size | None, seed: int, index: int) -> Iterator[Tensor]:
    """The picture that `random_noises` of the same arguments give, strip by strip on the CPU."""
    made = _strips(model, size, seed, index).unrolled()
    while True:
        with applied(model.arithmetic, model.generator):
            strip = next(made, None)
        if strip is None:
            return
        yield strip.float().cpu()


def _in_strips(model: ConSinGAN, size: Size | None, seed: int, index: int) -> Tensor:
    """The same at once."""
    with applied(model.arithmetic, model.generator):
        return _strips(model, size, seed, index).picture().cpu()


def _strips(
    model: ConSinGAN, size: Size | None, seed: int, index: int
) -> strips.Strips | tiles.Around:
    shapes = _shapes(model, size)

    def rng() -> torch.Generator:
        return noise.stream(seed, "sample", index, device=model.device)

    def later() -> list[rows.Rows]:
        return rows.draw(shapes, rng())[1]

    first = noise.gaussian(shapes[0], rng())
    if any(model.config.wraps):
        fields = [
            NoiseField.shaped(noise.derive_seed(seed, "tile", index, k), shape, model.device)
            for k, shape in enumerate(shapes[1:])
        ]
        sizes = output_sizes(model, size)
        return tiles.Around(model.generator, first, fields, model.amplitudes, sizes)
    return strips.Strips(model.generator, first, later, model.amplitudes)


@torch.no_grad()
def _made(
    model: ConSinGAN, first: Tensor, later: Sequence[Tensor | NoiseField], start: int = 0
) -> Tensor:
    """Pictures (N, 3, h, w) in float32 of noises, see `Generator.features`."""
    frame = model.generator.frame
    height, width = (
        (side - 2 * frame for side in later[-1].shape[-2:]) if later else first.shape[-2:]
    )
    with applied(model.arithmetic, model.generator):
        if len(first) == 1 and by_strips(model, (height, width)):
            again, amplitudes = rows.rows_of(later), model.amplitudes
            if any(model.config.wraps):
                sizes = output_sizes(model, (height, width))
                return tiles.Around(model.generator, first, later, amplitudes, sizes).picture()
            return strips.Strips(model.generator, first, again, amplitudes, start).picture()
        noises = [first, *map(whole, later)]
        made: Tensor = model.generator(noises, model.amplitudes, start)
        return made.float()


def check_start_stage(model: ConSinGAN, stage: int) -> None:
    """Refuse a start stage that the model does not have.

    Raises:
        UserError: the sentence says which there are.
    """
    last = len(model.anchors) - 1
    if not 0 <= stage <= last:
        raise UserError(f"--start_stage {stage} is beyond the model; use 0 to {last}.")


def fit_to_stage(model: ConSinGAN, image: Tensor, stage: int) -> Tensor:
    """`image` (1, 3, H, W) resized to the size of `stage`, clipped to [-1, 1]."""
    return resize_to(image, model.sizes[stage]).clamp(-1, 1)


@torch.no_grad()
def from_image(
    model: ConSinGAN,
    image: Tensor,
    rng: torch.Generator,
    start_stage: int = 0,
) -> Tensor:
    """Harmonize or edit: the fixed noise with z_0 replaced by the user's picture.

    Args:
        model: trained for harmonization or editing.
        image: (1, 3, H, W) in [-1, 1], of the training image's shape but of any size.
        rng: for the noise that editing adds.
        start_stage: stage where the picture comes in; later ones change it less.

    Returns:
        (1, 3, h, w) in [-1, 1] at the training size.
    """
    check_start_stage(model, start_stage)
    entered = model.task.entry(fit_to_stage(model, image.to(model.device), start_stage), rng)
    return _made(model, entered, model.fixed_noises[max(start_stage, 1) :], start_stage)


def animation_walk(
    fixed: Sequence[Tensor],
    draw: Callable[[], Sequence[Tensor]],
    alpha: float = 0.1,
    beta: float = 0.9,
    start_stage: int = 0,
) -> Iterator[list[Tensor]]:
    """Noise of one frame after another, an endless walk near the fixed noise f.

    z_{-2} = f, z_{-1} = 0.99 f + 0.01 n, then with d = beta (z_{t-1} - z_{t-2}) + (1-beta) n:
    z_t = alpha f + (1-alpha) (z_{t-1} + d), n ~ N(0, 1) anew each time (SinGAN, section 5).

    Args:
        fixed: f, the fixed z of every stage.
        draw: gives a new n for every stage; its first is the one before the first frame.
        alpha: pull back to f, 0 (free) to 1 (still).
        beta: smoothness of the motion, 0 (jumpy) to 1.
        start_stage: stages below it keep f, so that the coarse layout stands still.
    """
    older = list(fixed)
    newer = [0.99 * f + 0.01 * n for f, n in zip(fixed, draw(), strict=True)]
    while True:
        frame = []
        for f, z2, z1, n in zip(fixed, older, newer, draw(), strict=True):
            step = beta * (z1 - z2) + (1 - beta) * n
            frame.append(alpha * f + (1 - alpha) * (z1 + step))
        older, newer = newer, frame
        yield [*fixed[:start_stage], *frame[start_stage:]]


def animation_frames(model: ConSinGAN, count: int, walk: Walk) -> Iterator[Tensor]:
    """Frames of an animation, (1, 3, h, w) in [-1, 1] each, on the CPU; see `animation_walk`.

    At another size than the training's the walk goes around fresh noise, because the fixed noise
    belongs to the training size.

    Raises:
        UserError: the model does not have the walk's start stage.
    """
    check_start_stage(model, walk.start_stage)
    at_training_size = walk.size in (None, model.sizes[-1])
    fixed = (
        [whole(z) for z in model.fixed_noises]
        if at_training_size
        else random_noises(model, walk.size, walk.seed, -1)
    )
    rng = noise.stream(walk.seed, "walk", device=model.device)

    def draw() -> list[Tensor]:
        return [noise.gaussian(f.shape, rng) for f in fixed]

    steps = animation_walk(fixed, draw, walk.alpha, walk.beta, walk.start_stage)
    taken = itertools.islice(steps, count)
    frames = noise.led_back(taken, fixed, count) if walk.loop else taken
    return (_made(model, noises[0], noises[1:]).cpu() for noises in frames)
