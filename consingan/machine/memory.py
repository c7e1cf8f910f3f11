"""Memory: how much a training step needs, and keeping what the process has."""

from __future__ import annotations

import ctypes
import platform
import re
from functools import lru_cache
from pathlib import Path

import torch

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


def free_memory(device: torch.device) -> int | None:
    """Bytes that `device` could still give; None where that cannot be asked."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    path = Path("/proc/meminfo")
    if device.type != "cpu" or not path.is_file():
        return None
    found = re.search(r"^MemAvailable:\s*(\d+) kB", path.read_text(encoding="ascii"), re.M)
    return int(found.group(1)) * 1024 if found else None
