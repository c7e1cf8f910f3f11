"""Named sets of settings: how much time to give to a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PRESETS: dict[str, Mapping[str, Any]] = {
    "paper": {},
    "draft": {"niter": 400},
}
