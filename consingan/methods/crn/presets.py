"""Named sets of settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PRESETS: dict[str, Mapping[str, Any]] = {
    "small": {},
    "paper": {
        "width": 1024, "num_outputs": 9, "adversarial": 0.0, "lr": 1e-4, "beta1": 0.9,
        "decay_from": 1.0, "warps": False, "flips": False,
    },
}  # fmt: skip
