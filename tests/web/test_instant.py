"""What the Instant tab shows while pictures are made."""

from __future__ import annotations

from dataclasses import fields

from commands import save, scene

from consingan.api.samples import Wish


def test_before_anything_is_computed_it_is_said_that_it_will_be(desk, tmp_path):
    """A large picture takes half a minute until there is a first look."""
    from consingan.web.instant import Parts, _made

    parts = Parts(**{field.name: field.name for field in fields(Parts)})
    wish = Wish(str(save(tmp_path / "beach.png", scene())), 1)
    assert "on its way" in next(_made(wish, tmp_path / "made", parts))["message"]
    assert not (tmp_path / "made").exists()
