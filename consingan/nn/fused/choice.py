"""Whether these kernels can be used: they need a GPU of NVIDIA's, bfloat16, Triton and a compiler.

Triton comes with torch on Linux, and compiles with the C compiler of the machine. Switched off by
the environment variable CONSINGAN_TRITON=0.
"""

from __future__ import annotations

import os
import warnings
from functools import lru_cache
from typing import TypeVar

import torch
from torch import nn

from consingan.machine.precision import Arithmetic
from consingan.nn.architecture import Architecture
from consingan.nn.blocks import BareConv2d, Block
from consingan.nn.discriminator import Discriminator
from consingan.nn.fused.critic import FusedCritic
from consingan.nn.fused.generator import FusedOperations
from consingan.nn.fused.maps import KERNEL, WIDE

SWITCH = "CONSINGAN_TRITON"
NOT_COMPILED = "Triton could not compile this program's kernels"
Network = TypeVar("Network", bound=nn.Module)
WIDEST = 128  # channels: a program holds all of them
EXTENTS = (2, 100)  # px, of which each way of launching has its own, see `maps.LAUNCHES`
OLDEST = (3, 3)  # Triton; it came with PyTorch 2.7
DEEPEST = 7  # colors: all taps of them are one product
MOST = 2**29  # values of a picture's map: three in a row, with margins, are counted in 32 bits


def usable(device: torch.device, dtype: torch.dtype, shape: Architecture, pixels: int) -> bool:
    """Whether networks of this `shape` with features in `dtype` can be trained so on `device`.

    The largest picture has so many `pixels`.
    The first call for a shape compiles all kernels (seconds, kept in Triton's cache on the disk).
    Where that fails a warning says so once, and torch's own kernels do the same for longer.
    """
    nvidia = device.type == "cuda" and torch.version.hip is None  # AMD's are called cuda, too
    fit = nvidia and dtype == torch.bfloat16 and fits(shape) and pixels * shape.channels <= MOST
    return fit and os.environ.get(SWITCH, "1") != "0" and has_triton() and _compiles(device, shape)


def fits(shape: Architecture) -> bool:
    """Whether the kernels are written for networks of this shape."""
    plain = shape.activation == "lrelu" and not shape.norm and shape.kernel == KERNEL
    power = not shape.channels & (shape.channels - 1)
    return plain and power and WIDE <= shape.channels <= WIDEST and shape.image_channels <= DEEPEST


@lru_cache(maxsize=1)
def triton_version() -> str | None:
    """Of the one that is installed."""
    try:
        import triton

        return str(triton.__version__)
    except Exception:  # a broken one, or a folder left of one, is none
        return None


def has_triton() -> bool:
    """Whether it is installed, in a version that compiles these kernels for any card.

    Those of PyTorch up to 2.6 crash on some kernels, and the whole program with them.
    """
    parts = (triton_version() or "0.0").split(".")
    return (int(parts[0]), int(parts[1])) >= OLDEST


@lru_cache(maxsize=8)
def _compiles(device: torch.device, shape: Architecture) -> bool:
    try:
        with warnings.catch_warnings():
            # Triton 3.9 tells of a default that is to change: products and sums may be one step.
            warnings.filterwarnings("ignore", "TRITON_DEFAULT_FP_FUSION")
            for extent in EXTENTS:  # a card may lack memory of its own for large ones alone
                run_all(device, torch.bfloat16, shape, extent)
        torch.cuda.synchronize(device)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        warnings.warn(
            f"{NOT_COMPILED}, going on with torch's own ({reason}). {SWITCH}=0 does not try.",
            stacklevel=2,
        )
        return False
    return True


def run_all(device: torch.device, dtype: torch.dtype, shape: Architecture, extent: int) -> None:
    """Compute something with every kernel, scores of `extent` px; no random numbers are used up."""
    size = 2 * shape.margin * (shape.layers + 2) + extent
    picture = torch.zeros(1, shape.image_channels, size, size, device=device)
    arithmetic = Arithmetic("bf16" if dtype == torch.bfloat16 else "float32")
    critic = FusedCritic(_zeros(Discriminator(shape), device), picture, arithmetic)
    for weight in (0.1, 0.0):
        critic.descend(picture, picture.new_zeros(()), weight)
    critic.judge(picture)
    operations = FusedOperations(dtype)
    head, block = (_zeros(Block(c, shape), device) for c in (shape.image_channels, shape.channels))
    tail = BareConv2d(shape.channels, shape.image_channels, KERNEL, padding=shape.padding)
    x = operations.stage([head], picture)
    noise = operations.upsample(x, (size, size)).detach()
    x = operations.stage([block], operations.upsample_onto(noise, x, 0.1))
    operations.render(_zeros(tail, device), x).sum().backward()


def _zeros(network: Network, device: torch.device) -> Network:
    for parameter in network.to(device).parameters():
        torch.nn.init.zeros_(parameter)
    return network
