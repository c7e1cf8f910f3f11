"""What the Instant tab shows while pictures are made."""

from __future__ import annotations

from dataclasses import fields
from functools import partial

import pytest
from commands import save, scene

from consingan.api.samples import Wish


def test_before_anything_is_computed_it_is_said_that_it_will_be(desk, tmp_path):
    """A large picture takes half a minute until there is a first look."""
    from consingan.web.instant import Parts, _made

    parts = Parts(**{field.name: field.name for field in fields(Parts)})
    wish = Wish(str(save(tmp_path / "beach.png", scene())), 1)
    told = next(_made(wish, (), partial(pytest.fail, "made room while others are shown"), parts))
    assert "on its way" in told["message"]
    assert told["gallery"] == []


def test_what_is_said_of_the_picture_stays_beside_what_is_made_of_it(desk, tmp_path):
    """As that of a film the first frame is taken."""
    from consingan.web.instant import Parts, _made

    parts = Parts(**{field.name: field.name for field in fields(Parts)})
    wish = Wish(str(save(tmp_path / "beach.png", scene(20, 24))), 1)
    shown = [told["message"] for told in _made(wish, ("One frame is taken.",), lambda: tmp_path,
                                               parts) if "message" in told]  # fmt: skip
    assert ["One frame is taken." in message for message in shown] == [True, True]
