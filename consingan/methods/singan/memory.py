"""How much memory and, relative to others, time a training step of SinGAN needs."""

from __future__ import annotations

from collections.abc import Sequence

from consingan.machine.execution import Execution
from consingan.machine.memory import Size
from consingan.methods.singan.architecture import Architecture
from consingan.methods.singan.chain import TILE
from consingan.methods.singan.convolutions import WIDE

OVERHEAD = 12 << 20  # bytes: weights, moments, what libraries keep for each new size
PLAIN_MAPS = 68.0  # that are alive at the peak, each as large as the picture
FAST_MAPS = 36.0
TILED_MAPS = 60.0  # with Winograd's tiles
FIXED_PIXELS = 2500.0  # that calls cost as much as, whatever the size


def relative_cost(architecture: Architecture, sizes: Sequence[Size], scale: int) -> float:
    """Time of one iteration of `scale` beside others', by multiplications."""
    own = _work(architecture, sizes, scale)
    coarser = sum(_work(architecture, sizes, k) for k in range(scale))
    return float(round(60 * own + 3 * coarser))


def _work(architecture: Architecture, sizes: Sequence[Size], scale: int) -> float:
    height, width = sizes[scale]
    channels = architecture.at_scale(scale).channels
    return (height * width + FIXED_PIXELS) * channels * (channels + 16) / 1000


def estimate_training_memory(
    architecture: Architecture, sizes: Sequence[Size], execution: Execution
) -> int:
    """Peak bytes that a training step at the finest of `sizes` (h, w) takes beside the program."""
    last = len(sizes) - 1
    channels = architecture.at_scale(last).channels
    height, width = (side + 2 * architecture.frame for side in sizes[-1])
    maps = FAST_MAPS
    if execution.engine == "plain":
        maps = PLAIN_MAPS
    elif channels >= WIDE and execution.arithmetic.name == "float32":
        maps = TILED_MAPS
    each = 2 if execution.engine != "plain" and execution.arithmetic.name == "bf16" else 4
    return OVERHEAD + round(maps * channels * height * width * each)


PICTURE_BYTES = 200  # for each pixel: noises of all scales, a resize in float64, a file's copies
WALK_BYTES = 120  # noises of four frames more
TILE_MAPS = 6.0  # that are alive in a pass


def estimate_sampling_memory(architecture: Architecture, size: Size, pictures: int) -> int:
    """Bytes that making so many pictures of `size` (h, w) at a time takes.

    A process grew by 0.37 and 0.93 GB at 1 and 4 megapixels with 32 channels at the finest scale.
    """
    height, width = size
    frame = 2 * architecture.frame
    tile = (min(height, TILE) + frame) * (min(width, TILE) + frame)
    each = PICTURE_BYTES * height * width + TILE_MAPS * 4 * architecture.channels * tile
    return round(pictures * each)


def estimate_walk_memory(size: Size) -> int:
    """Bytes that a film's walk takes beside its pictures of `size` (h, w)."""
    return WALK_BYTES * size[0] * size[1]
