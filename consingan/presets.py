"""Named sets of settings: how much time to give to a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The layout is learned at the coarse stages: they cost little, and with fewer iterations there the
# samples fall apart. The fine stages start as copies of trained ones and need far fewer. One step
# of the critic instead of three makes samples more varied and less coherent. Larger learning rates
# (1e-3) end in collapse.
PRESETS: dict[str, Mapping[str, Any]] = {
    "paper": {},
    "fast": {"fine_niter": 400, "d_steps": 1},
    "draft": {"niter": 400, "fine_niter": 100, "d_steps": 1},
}
