"""Named sets of settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PRESETS: dict[str, Mapping[str, Any]] = {
    "small": {},
    "paper": {"ngf": 64, "ndf": 64, "batch": 128},
}
