"""How much memory ConSinGAN needs: a training step, a picture."""

from __future__ import annotations

from collections.abc import Sequence

from consingan.machine.execution import Execution
from consingan.machine.memory import Size
from consingan.methods.consingan.engine import Recipe
from consingan.methods.consingan.rows import LEAST_ROWS, STRIP
from consingan.nn.architecture import Architecture, Border
from consingan.nn.kernels import SMALL_PICTURE

OVERHEAD = 12 << 20  # bytes: weights, moments, what libraries keep for each new size
NOISE_BYTES = 12  # for each number: fixed, drawn, and a copy of one (or halves of both) in use
# Fitted to the growth of a process at 250 px. The tensors themselves are a sixth (plain) to a third
# (fast, whose freed blocks stay with the process) less: what lies between them cannot be reused.
BF16_BYTES = 3.4  # for each number of a map: gradients of weights and of the picture need float32
PLAIN_MAPS = (14.5, 4.6)
FAST_MAPS = (17.0, 0.8)
CHECKPOINTED_MAPS = (15.0, 0.4)
# Of small pictures, which go through both networks in one batch on a CPU (fitted at 96 to 150 px).
SMALL_MAPS = {False: (30.0, 4.5), True: (15.0, 3.4)}  # in bf16?
SMALL_GENERATOR = 2.2  # for each layer, beside a critic that takes them one by one
# More where torch differentiates the critic (nn/critic.py): a process grew by 23 to 28 maps around
# a hole, by 33 to 38 with elu and prelu. The plain engine always does: by 7 to 11 with these.
AROUND_A_HOLE, CURVED, CURVED_PLAIN = 26.0, 36.0, 9.0
# For each layer of a normalized generator, by 1.7 to 2.3 maps; plain 1.1 to 1.3, checkpointed 0.7.
NORMALIZED, NORMALIZED_PLAIN, NORMALIZED_CHECKPOINTED = 2.1, 1.2, 0.7


def estimate_training_memory(
    sizes: Sequence[Size],
    shape: Architecture,
    border: Border,
    recipe: Recipe,
    execution: Execution,
    hole: bool = False,
) -> int:
    """Peak bytes that a training step at the last of `sizes` (h, w) takes beside the program.

    A feature map has `channels` numbers a pixel. Those that are alive at the peak lie in three
    groups: of the discriminator at the finest size, of the stages that are trained at theirs, and
    the noises of all stages, which are always kept. `hole`: the training leaves one out.
    """
    engine = execution.engine
    short = engine != "plain" and execution.arithmetic.name == "bf16"
    bytes_each = BF16_BYTES if short else 4.0
    frame = shape.layers * shape.margin
    framed = [(h + 2 * frame) * (w + 2 * frame) for h, w in sizes]
    finest = sizes[-1][0] * sizes[-1][1]
    trained = sum(framed[max(len(sizes) - recipe.train_depth, 0) :])
    drawn = framed if border == "noise" else [h * w for h, w in sizes]
    noises = sum(drawn[1:])
    critic, per_layer = _maps(engine, execution.checkpointing, shape, hole)
    if engine != "plain" and execution.device.type == "cpu" and finest <= SMALL_PICTURE:
        critic, per_layer = _small_maps(critic, shape, hole, short)
    maps = critic * finest + per_layer * shape.layers * trained
    return OVERHEAD + round(shape.channels * (bytes_each * maps + NOISE_BYTES * noises))


PYRAMID_BYTES = 4 * 3 * 2  # a pixel of the stages' pictures: float32, once more while it is made
FINEST_BYTES = 4 * 3 * 4  # of the finest besides: the user's own, what is made of it, its file


def estimate_windows_memory(sizes: Sequence[Size], shape: Architecture) -> int:
    """Bytes that training on windows takes beside its steps: pictures, and strips of whole maps."""
    pixels = [h * w for h, w in sizes]
    pictures = PYRAMID_BYTES * sum(pixels) + FINEST_BYTES * pixels[-1]
    return pictures + estimate_strips_memory(sizes, shape)


def _maps(engine: str, checkpointing: bool, shape: Architecture, hole: bool) -> tuple[float, float]:
    """Live maps: at the finest size, most of the discriminator; for each layer in training."""
    curved = shape.activation != "lrelu"
    if engine == "plain":
        critic, per_layer = PLAIN_MAPS
        return critic + CURVED_PLAIN * curved, per_layer + NORMALIZED_PLAIN * shape.norm
    critic, per_layer = CHECKPOINTED_MAPS if checkpointing else FAST_MAPS
    normalized = NORMALIZED_CHECKPOINTED if checkpointing else NORMALIZED
    if curved:
        critic += CURVED
    elif hole:
        critic += AROUND_A_HOLE
    return critic, per_layer + normalized * shape.norm


def _small_maps(critic: float, shape: Architecture, hole: bool, short: bool) -> tuple[float, float]:
    """Of a picture so small that those of an iteration go in one batch, else like `_maps`."""
    if hole or shape.activation != "lrelu":
        return critic, SMALL_GENERATOR
    critic, per_layer = SMALL_MAPS[short]
    return critic, per_layer + NORMALIZED * (1 if short else 2) * shape.norm


MAPS_WHOLE = 5.0  # of the finest size, beside all noises (a process grew by 12 to 25 % less)
PICTURE_BYTES = 48  # for each pixel: float32 numbers of a picture, and copies until it is a file


def estimate_sampling_memory(
    sizes: Sequence[Size],
    shape: Architecture,
    border: Border,
    pictures: int = 1,
    by_strips: bool = False,
) -> int:
    """Bytes that making `pictures` of the last of `sizes` (h, w) at a time takes."""
    frame = shape.layers * shape.margin if border == "noise" else 0
    framed = [(h + 2 * frame) * (w + 2 * frame) for h, w in sizes]
    finest = sizes[-1][0] * sizes[-1][1]
    if by_strips:
        return estimate_strips_memory(sizes, shape, frame) + PICTURE_BYTES * finest
    maps = MAPS_WHOLE * framed[-1] + 2 * sum(framed[1:])
    return pictures * round(4 * shape.channels * maps + PICTURE_BYTES * finest)


def estimate_strips_memory(sizes: Sequence[Size], shape: Architecture, frame: int = 0) -> int:
    """Bytes that a pass in strips through stages of `sizes` (h, w) takes beside the picture."""
    framed = [(h + 2 * frame, w + 2 * frame) for h, w in sizes]
    strips = [max(STRIP, LEAST_ROWS * shape.channels * w) for _, w in framed]
    values = sum(
        min(2 * strip, shape.channels * h * w) for strip, (h, w) in zip(strips, framed, strict=True)
    )
    return 4 * (2 * values + 8 * max(strips))
