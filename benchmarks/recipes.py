"""The recipes of `benchmarks.front`: names and what would be typed, a row each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HE: Mapping[str, Any] = {"init": "he", "d_steps": 1, "penalty_every": 4}
"""First weights of He et al., one step of the critic everywhere, a penalty every fourth."""

RECIPES: dict[str, Mapping[str, Any]] = {
    "paper": {},
    "fast": {"preset": "fast"},
    "draft": {"preset": "draft"},
    "he 600": {**HE, "niter": 600, "fine_niter": 60},
    "he 600 sw": {**HE, "niter": 600, "fine_niter": 60, "sw_weight": 3.0},
}
