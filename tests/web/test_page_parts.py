"""What of the page can be used before the browser has bound what it does."""

from __future__ import annotations

import gc
import warnings
from pathlib import Path
from typing import Any

import pytest


def components(folder: Path) -> list[dict[str, Any]]:
    """The page's parts as they are sent; Gradio, which takes seconds, is imported here alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # Gradio leaves event loops open
        pytest.importorskip("gradio")
        from consingan.web.page import build

        blocks, _ = build(folder, folder / "logs", folder / "sessions")
        found: list[dict[str, Any]] = blocks.get_config_file()["components"]
        gc.collect()
    return found


def test_what_would_be_lost_is_off_at_first(tmp_path: Path) -> None:
    """A click would do nothing, and a number would be put back."""
    parts = {c["props"].get("elem_id"): c["props"] for c in components(tmp_path)}
    for name in ("train-start", "train-size", "paint-start", "paint-size"):
        assert parts[name]["interactive"] is False
