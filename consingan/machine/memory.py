"""Memory: how much a training step needs, and keeping what the process has."""

from __future__ import annotations

import contextlib
import ctypes
import platform
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import torch

from consingan.errors import UserError
from consingan.machine.groups import MEMBERSHIP, ROOT, groups_of
from consingan.machine.progress import in_gigabytes

Size = tuple[int, int]
KEPT_BLOCK = 1 << 30  # bytes
KEPT_NUMBERS = 2**21  # of a matrix that is worth keeping: 16 MiB of float64
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


def worth_keeping(rows: int, columns: int, device: torch.device) -> bool:
    """Whether a matrix is to be kept for the next time: dozens of large ones take gigabytes.

    On a GPU all are, as an iteration that is being recorded can fetch none from the host.
    """
    return device.type == "cuda" or rows * columns <= KEPT_NUMBERS


def free_memory(device: torch.device) -> int | None:
    """Bytes that `device` could still give to this process; None where that cannot be asked."""
    if device.type == "cuda":
        idle = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + idle
    path = Path("/proc/meminfo")
    if device.type != "cpu" or not path.is_file():
        return None
    text = path.read_text(encoding="ascii")
    found = re.search(r"^MemAvailable:\s*(\d+) kB", text, re.M)
    if not found:
        return None
    swap = re.search(r"^SwapFree:\s*(\d+) kB", text, re.M)
    there = 1024 * (int(found.group(1)) + int(swap.group(1) if swap else 0))
    return min([there, *_left_in_groups(ROOT, MEMBERSHIP)])


def _left_in_groups(root: Path, membership: Path) -> Iterator[int]:
    """Bytes that this process may still take by the limits of its control groups (a container's).

    Pages of files that are only cached are counted as free, as the system gives them up.
    """
    for group, new in groups_of("memory", root, membership):
        yield from _left_in_group(group, *(_SECOND_VERSION if new else _FIRST_VERSION))


_SECOND_VERSION = ("memory.max", "memory.current")
_FIRST_VERSION = ("memory.limit_in_bytes", "memory.usage_in_bytes")


def _left_in_group(group: Path, limit_name: str, usage_name: str) -> Iterator[int]:
    with contextlib.suppress(OSError, ValueError):  # no limit is "max"
        limit = int((group / limit_name).read_text(encoding="ascii"))
        usage = int((group / usage_name).read_text(encoding="ascii"))
        found = re.search(
            r"^(?:total_)?inactive_file (\d+)$",
            (group / "memory.stat").read_text(encoding="ascii"),
            re.M,
        )
        yield max(limit - usage + int(found.group(1) if found else 0), 0)


def fits(needed: int, device: torch.device) -> bool:
    """Whether so many bytes are free, as far as that can be asked."""
    free = free_memory(device)
    return free is None or needed <= free


def refuse_beyond_free(needed: int, device: torch.device, what: str, instead: str) -> None:
    """Refuse work that the system would end by killing the process.

    Args:
        needed: bytes that it takes.
        device: where.
        what: is made, in words that begin the sentence.
        instead: what to use instead.

    Raises:
        UserError: less than that is free.
    """
    free = free_memory(device)
    if free is not None and needed > free:
        raise UserError(
            f"{what} take about {in_gigabytes(needed)} of memory and {in_gigabytes(free)} are "
            f"free; use {instead}, or close other programs."
        )
