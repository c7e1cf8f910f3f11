"""The recipes of `benchmarks.front`: names and what would be typed, a row each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HE: Mapping[str, Any] = {"init": "he", "d_steps": 1, "penalty_every": 4}
"""First weights of He et al., one step of the critic everywhere, a penalty every fourth."""

COARSE: Mapping[str, Any] = {"train_stages": 3}

RECIPES: dict[str, Mapping[str, Any]] = {
    "paper": {},
    "fast": {"preset": "fast"},
    "draft": {"preset": "draft"},
    "draft before": {"niter": 600, "fine_niter": 30, "fine_d_steps": 1},
    "he 600": {**HE, "niter": 600, "fine_niter": 60},
    "he 600 sw": {**HE, "niter": 600, "fine_niter": 60, "sw_weight": 3.0},
    "he 1000 sw": {**HE, "niter": 1000, "fine_niter": 30, "sw_weight": 3.0},
    # The coarse stages alone: `--max_size 46`, where the layout of walls is won or lost.
    "coarse": COARSE,
    "coarse 1D": {**COARSE, "d_steps": 1, "penalty_every": 4},
    "coarse he 600": {**COARSE, **HE, "niter": 600},
    "coarse he 600 sw": {**COARSE, **HE, "niter": 600, "sw_weight": 3.0},
    "coarse he 600 3D": {**COARSE, **HE, "d_steps": 3, "niter": 600},
    "coarse he 1200": {**COARSE, **HE, "niter": 1200},
    "coarse he 1200 sw": {**COARSE, **HE, "niter": 1200, "sw_weight": 3.0},
    "coarse he 2000": {**COARSE, **HE},
    "coarse he": {**COARSE, "init": "he"},
}
