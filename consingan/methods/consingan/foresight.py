"""What a training would take at this size or another: sizes of its stages, memory."""

from __future__ import annotations

from collections.abc import Sequence

from consingan.images.resize import scaled_size
from consingan.machine.execution import Execution
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.crops import crops_of
from consingan.methods.consingan.engine import recipe_of
from consingan.methods.consingan.memory import estimate_training_memory, estimate_windows_memory
from consingan.methods.consingan.pyramid import continued_scales, stages_above
from consingan.methods.consingan.tasks import TASKS
from consingan.nn.noise_field import Box

Size = tuple[int, int]


def worked_on(config: ConSinGANConfig, sizes: Sequence[Size]) -> list[Size]:
    """(h, w) of what an iteration of the last of `sizes` computes of each stage up to it."""
    crops = crops_of(config, sizes)
    if crops is None:
        return list(sizes)
    parts = crops.parts(_middle(sizes[-1], crops.size))
    seen = [(b - a, d - c) for (a, b), (c, d) in (part.out for part in parts)]
    return [sizes[0], *seen[1:-1], crops.size]


def _middle(size: Size, window: Size) -> Box:
    """A window in the middle of a picture of `size` (h, w), where it needs most around it."""
    top, left = ((n - side) // 2 for n, side in zip(size, window, strict=True))
    return (top, top + window[0]), (left, left + window[1])


def peak_memory(config: ConSinGANConfig, sizes: Sequence[Size], execution: Execution) -> int:
    """Bytes that the largest step of a training on stages of `sizes` (h, w) takes."""
    stages = range(1, len(sizes) + 1)
    whole = [count for count in stages if crops_of(config, sizes[:count]) is None]
    step = max(
        estimate_training_memory(
            worked_on(config, sizes[:count]),
            config.architecture,
            config.border,
            recipe_of(config),
            execution,
            bool(config.mask),
        )
        for count in {*whole, len(sizes)}
    )
    if len(whole) == len(sizes):
        return step
    return step + estimate_windows_memory(sizes, config.architecture)


def stage_sizes(config: ConSinGANConfig, finest: Size) -> list[Size]:
    """(h, w) of every stage for a finest one of `finest`."""
    above = stages_above(finest, config.min_size) if config.crop else 0
    spacing = TASKS[config.train_mode].spacing
    scales = continued_scales(finest, config.train_stages, config.min_size, spacing, above)
    return [scaled_size(finest, scale) for scale in scales]
