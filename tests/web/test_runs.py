"""What the Runs tab draws of the run that is chosen."""

from __future__ import annotations


def test_of_a_run_that_is_gone_when_its_options_are_drawn_it_is_said_so(desk, monkeypatch):
    """Deleted in another window just after it was chosen here."""
    from consingan.web import runs

    drawn: list[str] = []
    monkeypatch.setattr(runs.gr, "HTML", drawn.append)
    assert runs._card_to_draw(desk, "gone") is None
    assert "That run is gone; choose another." in drawn[0]
    assert runs._card_to_draw(desk, None) is None  # nothing is chosen yet
    assert len(drawn) == 1
