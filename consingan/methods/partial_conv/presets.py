"""Named sets of settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PRESETS: dict[str, Mapping[str, Any]] = {
    "small": {},
    "draft": {"niter": 150, "width": 16, "max_size": 96, "features": "none"},
    "best": {"niter": 3000, "width": 32, "batch": 2},
    "paper": {
        "width": 64, "batch": 6, "norm": "batch", "lr": 2e-4, "decay_from": 1.0, "niter": 10000,
        "polish": False, "guided": False,
    },
}  # fmt: skip
