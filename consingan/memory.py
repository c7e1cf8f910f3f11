"""Memory: how much a training step needs, and keeping what the process has."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Sequence
from functools import lru_cache

from consingan.architecture import Border, Shape
from consingan.engine import Recipe
from consingan.precision import Arithmetic

Size = tuple[int, int]

KEPT_BLOCK = 1 << 30  # bytes
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # glibc's malloc.h


@lru_cache(maxsize=1)
def keep_freed_memory() -> bool:
    """Let the C library keep freed blocks for the next iteration; says whether it does.

    By default every large tensor is fetched from the system and given back again, and the system
    clears each page anew: a sixth of the time of a training step on a CPU.
    """
    if platform.system() != "Linux" or platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    kept = [library.mallopt(option, KEPT_BLOCK) for option in (_TRIM_THRESHOLD, _MMAP_THRESHOLD)]
    return all(kept)


def estimate_training_memory(
    sizes: Sequence[Size],
    shape: Shape,
    border: Border,
    recipe: Recipe,
    arithmetic: Arithmetic,
    engine: str = "auto",
    checkpointing: bool = False,
) -> int:
    """Peak bytes that a training step at the last of `sizes` (h, w) takes beside the program."""
    del border, recipe, checkpointing
    height, width = sizes[-1]
    bytes_each = 4 if engine == "plain" or arithmetic.name != "bf16" else 2
    maps = 60 if engine == "plain" else 40
    return maps * height * width * shape.channels * bytes_each
