"""Pictures in a form are the visitor's own until something is made from them."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import pytest
from commands import save, scene

from consingan.methods.registry import METHODS
from consingan.web.queue import Trainings


@pytest.fixture
def desk(tmp_path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # Gradio leaves event loops open
        pytest.importorskip("gradio")
        from consingan.web.desk import Desk
    return Desk(tmp_path / "runs", tmp_path / "sessions", Trainings(tmp_path / "runs", tmp_path))


def test_a_picture_is_kept_only_when_that_is_asked_for(desk, tmp_path):
    from consingan.web.forms import filled_in, keep_pictures

    visitor: Any = SimpleNamespace(session_hash="somebody")
    brought = str(save(tmp_path / "a.png", scene()))
    settings = filled_in(desk, METHODS["pix2pix"], [("condition", True)], [brought], visitor)
    assert not list(desk.root.rglob("*.png"))
    kept = keep_pictures(desk, {**settings, "niter": 3, "condition_of": "edges"}, visitor)
    (file,) = desk.root.rglob("a.png")
    assert kept == {"condition": str(file), "niter": 3, "condition_of": "edges"}
    desk.forget(visitor)
    assert file.is_file()
    assert not list(desk.sessions.rglob("*.png"))


def test_an_estimate_leaves_nothing_behind(desk, tmp_path, monkeypatch):
    from consingan.web import train

    monkeypatch.setattr(train, "cost_of", lambda job: SimpleNamespace(in_words=str, notes=()))
    visitor: Any = SimpleNamespace(session_hash="somebody")
    first, second = (str(save(tmp_path / name, scene())) for name in ("a.png", "b.png"))
    brought = desk.bring_in(first, visitor, "training")
    given = (brought, "pix2pix", "translation", "paper", 40, second)
    parts: Any = SimpleNamespace(cost="cost")
    train._estimate(desk, parts, (("condition", True),), given, visitor)
    assert list(desk.sessions.rglob("b.png"))
    desk.forget(visitor)
    assert not [path for path in (*desk.root.rglob("*"), *desk.sessions.rglob("*"))
                if path.is_file()]  # fmt: skip
