"""Named sets of settings: how much time to give to a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The layout is learned at the coarse stages: they cost little, and with fewer iterations or fewer
# steps of the critic there the samples fall apart. The fine stages start as copies of trained ones;
# there 200 iterations do nearly what 500 do, and one step of the critic what three do. What gave
# stages larger steps (lr_scale 0.3 and 0.5 in a draft, learning rates of 1e-3) ended in collapse or
# in noise now and then.
PRESETS: dict[str, Mapping[str, Any]] = {
    "paper": {},
    "fast": {"fine_niter": 180, "fine_d_steps": 1},
    "draft": {"niter": 600, "fine_niter": 30, "fine_d_steps": 1},
}
