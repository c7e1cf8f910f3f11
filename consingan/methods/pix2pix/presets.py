"""Named sets of settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PUBLISHED = {
    "ngf": 64, "ndf": 64, "norm": "batch", "up": "transposed", "dropout": True,
    "lr": 2e-4, "lr_critic": 2e-4, "warps": False,
}  # fmt: skip
PRESETS: dict[str, Mapping[str, Any]] = {
    "small": {},
    "paper": PUBLISHED,
    "deepsim": {
        "ngf": 32, "norm": "instance", "adversarial": "lsgan", "critics": 2, "l1": 0.0,
        "features": 10.0, "lr": 2e-4, "lr_critic": 2e-4,
    },
}  # fmt: skip
