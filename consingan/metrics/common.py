"""What every metric shares: the check of its pictures, their gray value, random sources."""

from __future__ import annotations

import torch
from torch import Tensor

from consingan.errors import UserError

PATCH = 7
"""Side of the patches of every patch metric, in pixels."""

GRAY_LEVEL = 1 / 255
"""One step of an 8-bit picture, in units of the range [0, 1]."""

_ROUNDING = 1e-3


def checked(real: Tensor, samples: Tensor) -> tuple[Tensor, Tensor]:
    """Return one real picture and N samples in the same precision and on the same device.

    Args:
        real: (1, C, H, W) in [0, 1]; 3 channels, or as many as the picture has.
        samples: (N, C, H', W') in [0, 1], of any size.

    Returns:
        Both as given, the samples in the precision and on the device of the real picture; half
        precisions become float32.

    Raises:
        UserError: another shape or range, values that are not finite, or a side under 7 pixels.
    """
    _check(real, "the real picture")
    _check(samples, "the samples")
    if real.shape[1] != samples.shape[1]:
        raise UserError(
            f"The real picture has {real.shape[1]} channels and the samples have "
            f"{samples.shape[1]}; compare like with like."
        )
    if len(real) != 1:
        raise UserError(f"Metrics compare with one real picture, but {len(real)} were given.")
    if real.dtype not in (torch.float32, torch.float64):
        real = real.float()
    if real.device.type == "mps":  # it has no float64
        real = real.cpu()
    return real, samples.to(real)


def tensor(pictures: object, name: str) -> Tensor:
    """The same, if it is a tensor.

    Raises:
        UserError: it is something else; the sentence says what is wanted.
    """
    if isinstance(pictures, Tensor):
        return pictures
    raise UserError(
        f"Expected {name} as a tensor (N, 3, height, width) of floats in [0, 1], got a "
        f"{type(pictures).__name__}."
    )


def _check(pictures: Tensor, name: str) -> None:
    shape = tuple(tensor(pictures, name).shape)
    if pictures.ndim != 4 or shape[0] < 1 or shape[1] < 1:
        raise UserError(f"Expected {name} as a tensor (N, 3, height, width), got {shape}.")
    if min(shape[2:]) < PATCH:
        raise UserError(
            f"Expected {name} to be at least {PATCH} x {PATCH} pixels, "
            f"got {shape[3]} x {shape[2]} (width x height)."
        )
    if not pictures.is_floating_point():
        raise UserError(f"Expected {name} as floats in [0, 1], got {pictures.dtype}.")
    low, high = (float(bound) for bound in pictures.aminmax())
    if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):  # also catches nan
        raise UserError(f"Expected {name} in [0, 1], got values from {low:.3g} to {high:.3g}.")


def gray(pictures: Tensor) -> Tensor:
    """Mean over the channels: (N, 3, H, W) to (N, 1, H, W)."""
    return pictures.mean(1, keepdim=True)


def seeded(seed: int) -> torch.Generator:
    """Return a random source on the CPU, so that the figures do not depend on the device."""
    return torch.Generator().manual_seed(seed)
