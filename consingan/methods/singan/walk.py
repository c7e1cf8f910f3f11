"""The walk of animations (paper, section 4): noise near the fixed one, frame after frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor

FIRST_STEP = 0.05  # share of fresh noise in the frame before the first


def walk(fixed: Tensor, noises: Iterator[Tensor], alpha: float, beta: float) -> Iterator[Tensor]:
    """Z of one scale, frame after frame, without end.

    z_a = z*, z_b = 0.95 z* + 0.05 n; then for each frame
    z = alpha z* + (1 - alpha) (z_b + beta (z_b - z_a) + (1 - beta) n), z_a = z_b, z_b = z.

    Args:
        fixed: z*, (1, 3, h + 10, w + 10).
        noises: n ~ N(0, 1) of the same shape, anew each time.
        alpha: pull back to z*, 0 (free) to 1 (still).
        beta: smoothness of the motion, 0 (jumpy) to 1.
    """
    older = fixed
    newer = (1 - FIRST_STEP) * fixed + FIRST_STEP * next(noises)
    for noise in noises:
        step = beta * (newer - older) + (1 - beta) * noise
        older, newer = newer, alpha * fixed + (1 - alpha) * (newer + step)
        yield newer


def frame_noises(
    fixed: Sequence[Tensor],
    noises: Sequence[Iterator[Tensor]],
    alpha: float,
    beta: float,
    start_scale: int,
) -> Iterator[list[Tensor]]:
    """Z of all scales for each frame; scales before `start_scale` keep z*, but draw all the same.

    Args:
        fixed: z* of each scale.
        noises: for each scale what `walk` takes.
        alpha: see `walk`.
        beta: see `walk`.
        start_scale: first scale that moves.
    """
    walks = [walk(z, n, alpha, beta) for z, n in zip(fixed, noises, strict=True)]
    for moved in zip(*walks, strict=True):
        yield [*fixed[:start_scale], *moved[start_scale:]]
