"""Bicubic interpolation around a ring: the last pixel's neighbor is the first one.

Pixels are areas, as in the image pyramid: output i lies at (i + 1/2) n_in / n_out - 1/2. Parts of a
line have numbers that may go beyond its ends, from where it goes on at the other one.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from consingan.machine.memory import worth_keeping

Range = tuple[int, int]  # [a, b)


def ring(n_in: int, n_out: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The matrix (n_out, n_in) of weights."""
    make = _ring if worth_keeping(n_out, n_in, device) else _ring.__wrapped__
    return make(n_in, n_out, dtype, device)


@lru_cache(maxsize=64)
def _ring(n_in: int, n_out: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    inputs, shares = _taps(n_in, n_out, (0, n_out))
    weights = torch.zeros(n_out, n_in, dtype=torch.float64)
    for tap in range(inputs.shape[1]):
        weights.scatter_add_(1, inputs[:, tap, None] % n_in, shares[:, tap, None])
    return weights.to(dtype).to(device)


def ring_part(n_in: int, n_out: int, rows: Range, columns: Range) -> Tensor:
    """Weights, float64, that make the outputs `rows` of the inputs `columns`, at least those that
    `ring_sources` asks for.
    """  # noqa: D205 - one sentence
    inputs, shares = _taps(n_in, n_out, rows)
    part = torch.zeros(rows[1] - rows[0], columns[1] - columns[0], dtype=torch.float64)
    return part.scatter_(1, inputs - columns[0], shares)


def ring_sources(n_in: int, n_out: int, first: int, last: int) -> Range:
    """Range [a, b) of the inputs that the outputs [first, last) are made of."""
    inputs, _ = _taps(n_in, n_out, (first, last))
    return int(inputs.min()), int(inputs.max()) + 1


def _taps(n_in: int, n_out: int, outputs: Range) -> tuple[Tensor, Tensor]:
    """Four inputs (outputs, 4) of each output, numbered through all rounds, and their weights."""
    numbers = torch.arange(*outputs)
    round_, place = numbers.div(n_out, rounding_mode="floor"), numbers % n_out
    center = (place.double() + 0.5) * n_in / n_out - 0.5
    first = center.floor()
    taps = torch.arange(-1, 3)
    shares = _cubic(center[:, None] - first[:, None] - taps)
    return first.long()[:, None] + taps + (n_in * round_)[:, None], shares


def _cubic(x: Tensor) -> Tensor:
    """The cubic kernel of torch's interpolation, a = -0.75 (Keys 1981, eq. 15)."""
    x, a = x.abs(), -0.75
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return torch.where(x <= 1, near, torch.where(x < 2, far, torch.zeros_like(x)))
