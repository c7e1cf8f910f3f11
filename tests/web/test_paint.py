"""What the Paint tab has made stays on the page until something else is."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from commands import save, scene

from consingan.errors import UserError


def test_a_result_stays_when_what_is_asked_next_is_refused(desk, tmp_path):
    from consingan.web.desk import NEWEST
    from consingan.web.easel import Parts
    from consingan.web.paint import Given, _made

    parts: Any = SimpleNamespace(**{field.name: field.name for field in fields(Parts)})
    visitor: Any = SimpleNamespace(session_hash="painter")
    brought = desk.bring_in(str(save(tmp_path / "beach.png", scene(20, 24))), visitor, "painted")
    stroke = np.zeros((20, 24, 4), np.uint8)
    stroke[8:12, 8:12] = 255

    def press(*layers: Any) -> dict[Any, Any]:
        given = Given(brought, {"layers": layers}, None, 50, 50, 30, "inpainting", "patches", 24)
        return _made(desk, parts, given, {"patch": 5}, {}, visitor)

    shown = press(stroke)
    for _ in range(4 * NEWEST):
        with pytest.raises(UserError, match="Paint over"):
            press()
    assert all(Path(path).is_file() for path in shown["before_after"]["value"])
    assert Path(shown["save"]["value"]).is_file()
