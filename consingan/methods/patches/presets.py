"""Named sets of settings; how long it takes is the engine's affair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PRESETS: dict[str, Mapping[str, Any]] = {
    "paper": {},
    "published": {"balance": 0, "sw_steps": 0, "rows": 0.0},
}
