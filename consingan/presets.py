"""Named sets of settings: how much time to give to a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The layout is learned at the coarse stages, which cost little; the fine stages, which take nine
# tenths of the time, start as copies of trained ones and need far fewer iterations.
PRESETS: dict[str, Mapping[str, Any]] = {
    "paper": {},
    "fast": {"fine_niter": 400, "penalty_every": 2},
    "draft": {"niter": 300, "fine_niter": 100, "penalty_every": 3},
}
