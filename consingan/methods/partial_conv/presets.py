"""Named sets of settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# One picture is soon known by heart, and what is hidden for good is then filled worse, the more so
# where features are compared as well (docs/inpainting.md has the figures). More channels and
# pictures at a time help a little, more iterations do not.
PRESETS: dict[str, Mapping[str, Any]] = {
    "small": {},
    "draft": {"width": 16, "max_size": 96},
    "best": {"niter": 300, "width": 32, "batch": 2},
    "paper": {
        "width": 64, "batch": 6, "norm": "batch", "lr": 2e-4, "decay_from": 1.0, "niter": 10000,
        "polish": False, "guided": False, "features": "patches",
    },
}  # fmt: skip
