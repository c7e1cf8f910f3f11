"""Named sets of settings: how much time to give to a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The layout is learned at the coarse stages: they cost little, and with fewer iterations or fewer
# steps of the critic there the samples fall apart. The fine stages start as copies of trained ones;
# there 200 iterations do nearly what 500 do, and one step of the critic what three do. In a draft
# the early stages are not done yet, so they go on learning in the later ones. Larger learning rates
# (1e-3) end in collapse.
PRESETS: dict[str, Mapping[str, Any]] = {
    "paper": {},
    "fast": {"fine_niter": 180, "fine_d_steps": 1},
    "draft": {"niter": 600, "fine_niter": 30, "fine_d_steps": 1, "lr_scale": 0.5},
}
