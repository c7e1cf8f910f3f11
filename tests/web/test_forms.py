"""Pictures in a form are the visitor's own until something is made from them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from commands import save, scene

from consingan.errors import UserError
from consingan.methods.registry import METHODS
from consingan.web.visits import GONE


def test_a_picture_is_kept_only_when_that_is_asked_for(desk, clock, tmp_path):
    from consingan.web.forms import filled_in, keep_pictures

    visitor: Any = SimpleNamespace(session_hash="somebody")
    brought = str(save(tmp_path / "a.png", scene()))
    settings = filled_in(desk, METHODS["pix2pix"], [("condition", True)], [brought], visitor)
    assert not list(desk.root.rglob("*.png"))
    kept = keep_pictures(desk, {**settings, "niter": 3, "condition_of": "edges"}, visitor)
    (file,) = desk.root.rglob("a.png")
    assert kept == {"condition": str(file), "niter": 3, "condition_of": "edges"}
    desk.leave(visitor)
    clock.now += GONE
    desk.sweep()
    assert file.is_file()
    assert not list(desk.sessions.rglob("*.png"))


def test_an_estimate_leaves_nothing_behind(desk, clock, tmp_path, monkeypatch):
    from consingan.web import train

    monkeypatch.setattr(train, "cost_of", lambda job: SimpleNamespace(in_words=str, notes=()))
    visitor: Any = SimpleNamespace(session_hash="somebody")
    first, second = (str(save(tmp_path / name, scene())) for name in ("a.png", "b.png"))
    brought = desk.bring_in(first, visitor, "training")
    given = (brought, "pix2pix", "translation", "paper", 40, second)
    parts: Any = SimpleNamespace(cost="cost")
    train._estimate(desk, parts, (("condition", True),), given, visitor)
    assert list(desk.sessions.rglob("b.png"))
    desk.leave(visitor)
    clock.now += GONE
    desk.sweep()
    assert not [path for path in (*desk.root.rglob("*"), *desk.sessions.rglob("*"))
                if path.is_file()]  # fmt: skip


def test_a_form_that_was_laid_out_for_something_else_is_not_taken():
    """Its fields may be called alike, and would count as typed."""
    from consingan.web.forms import refuse_another

    refuse_another(("dcgan", "generation", "small"), ("dcgan", "generation", "small"))
    with pytest.raises(UserError, match="press again in a moment"):
        refuse_another(("dcgan", "generation", "small"), ("dcgan", "generation", "paper"))
