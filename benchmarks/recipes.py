"""The recipes of `benchmarks.front`: names and what would be typed, a row each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from consingan.methods.consingan.presets import CLOSE

HE: Mapping[str, Any] = {"init": "he", "d_steps": 1, "penalty_every": 4}
"""First weights of He et al., one step of the critic everywhere, a penalty every fourth."""

STEADY: Mapping[str, Any] = {**HE, "beta2": 0.99, "sw_weight": 3.0}
"""With a shorter memory of gradients, without which some trainings collapse, and truer colors."""

COARSE: Mapping[str, Any] = {"train_stages": 3}

RECIPES: dict[str, Mapping[str, Any]] = {
    "paper": {},
    "fast": {"preset": "fast"},
    "best": {"preset": "best"},
    "draft": {"preset": "draft"},
    "fast 1.3": {"fine_niter": 180, "fine_d_steps": 1},
    "draft 1.3": {"niter": 600, "fine_niter": 30, "fine_d_steps": 1},
    "he 600": {**HE, "niter": 600, "fine_niter": 60},
    "he 600 sw": {**HE, "niter": 600, "fine_niter": 60, "sw_weight": 3.0},
    "he 1000 sw": {**HE, "niter": 1000, "fine_niter": 30, "sw_weight": 3.0},
    "steady 300": {**STEADY, "niter": 300, "fine_niter": 30},
    "steady 1000": {**STEADY, "niter": 1000, "fine_niter": 180},
    "draft 1.6": {**CLOSE, "niter": 450, "fine_niter": 45, "finish": 0.5, "layout": 34},
    "draft 300": {**CLOSE, "niter": 300, "fine_niter": 45, "finish": 0.5, "layout": 34},
    # What fast and best train with `--layout 0`, and draft 1.6: the third, fourth and second.
    "close 300": {**CLOSE, "niter": 300, "fine_niter": 30},
    "close 450": {**CLOSE, "niter": 450, "fine_niter": 45},
    "close 1000": {**CLOSE, "niter": 1000, "fine_niter": 180},
    "close 2000 short": {**CLOSE, "niter": 2000, "fine_niter": 180},
    "close 2000": {**CLOSE, "fine_niter": 1000},
    "steady 2000": {**STEADY, "fine_niter": 1000},
    # For `benchmarks.compositing`: without what is set for samples of another layout.
    "compose 300": {**STEADY, "niter": 300, "fine_niter": 45},
    "compose 600": {**STEADY, "niter": 600, "fine_niter": 90},
    "compose close 300": {**CLOSE, "niter": 300, "fine_niter": 45},
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
