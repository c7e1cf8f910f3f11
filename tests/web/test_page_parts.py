"""What of the page can be used before the browser has bound what it does."""

from __future__ import annotations

from pathlib import Path

import pytest


def test_what_would_be_lost_is_off_at_first(tmp_path: Path) -> None:
    """A click would do nothing, and a number would be put back."""
    pytest.importorskip("gradio")  # here: every process that collects tests would take seconds
    from consingan.web.page import build

    (tmp_path / "sessions").mkdir()
    blocks, _ = build(tmp_path, tmp_path / "sessions")
    parts = {c["props"].get("elem_id"): c["props"] for c in blocks.get_config_file()["components"]}
    for name in ("train-start", "train-size", "paint-start", "paint-size"):
        assert parts[name]["interactive"] is False
