"""Control groups of Linux, which bound what a container may take of its machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

ROOT, MEMBERSHIP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def groups_of(kind: str, root: Path, membership: Path) -> Iterator[tuple[Path, bool]]:
    """Folders of the groups of this process that bound `kind` ("memory", "cpu"), the inmost first.

    With each: whether it is of the second version, whose files have other names. None on other
    systems.
    """
    with contextlib.suppress(OSError, ValueError):
        for line in membership.read_text(encoding="utf-8").splitlines():
            number, kinds, path = line.split(":", 2)
            new = number == "0" and not kinds
            if not new and kind not in kinds.split(","):
                continue
            top = root if new else root / kind
            inside = top / path.lstrip("/")
            for group in (inside, *inside.parents):
                yield group, new
                if group == top:
                    break


def processors(root: Path = ROOT, membership: Path = MEMBERSHIP) -> float | None:
    """How many processors' time this process may take by the limits of its groups; None: all.

    `docker run --cpus 2` and limits of Kubernetes leave all processors in sight.
    """
    shares = []
    for group, new in groups_of("cpu", root, membership):
        with contextlib.suppress(OSError, ValueError, ZeroDivisionError):  # no limit is "max" or -1
            if new:
                quota, period = (group / "cpu.max").read_text(encoding="ascii").split()
            else:
                names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
                quota, period = ((group / name).read_text(encoding="ascii") for name in names)
            if (share := int(quota) / int(period)) > 0:
                shares.append(share)
    return min(shares, default=None)
