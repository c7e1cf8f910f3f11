"""Errors become sentences in place, and whatever they hold is text."""

from __future__ import annotations

import pytest

from consingan.errors import UserError
from consingan.web.answers import answering, notes, refused, sentence_of, told


@pytest.mark.parametrize("say", [told, refused])
def test_html_is_shown_as_text(say):
    assert "<script>" not in say("<script>alert(1)</script>")
    assert "&lt;script&gt;" in say("<script>alert(1)</script>")


@pytest.mark.parametrize("say", [told, refused])
def test_fields_are_called_as_on_the_page(say):
    assert "a smaller &quot;Longer side&quot;" in say("Use a smaller --max_size.")


def test_a_users_error_is_its_own_sentence_in_the_message():
    @answering("message")
    def handler():
        raise UserError("Do this.")

    assert handler() == {"message": refused("Do this.")}


@pytest.mark.parametrize(
    "place",
    [
        "/tmp/consingan-web-x1/gradio/sessions/6edf1810543df8e507847c2cb0a234ef/mask_17958715446684549/",
        "/home/me/My runs/uploads/0123456789abcdef/",
        "C:\\Temp\\gradio\\sessions\\6edf1810543df8e507847c2cb0a234ef\\mask_17958715446684549\\",
    ],
)
def test_of_a_visitors_file_the_name_alone_is_told(place):
    """Not where the server keeps it."""
    error = UserError(f"--mask {place}hole.png marks nothing; a hole is white on black.")
    assert sentence_of(error) == "--mask hole.png marks nothing; a hole is white on black."
    error = UserError(f"There is no folder /runs/a; look at {place}hole.png.")
    assert sentence_of(error) == "There is no folder /runs/a; look at hole.png."
    assert sentence_of(UserError("/runs/a/b is damaged.")) == "/runs/a/b is damaged."


def test_what_a_generator_gave_before_an_error_stays():
    @answering("message")
    def handler():
        yield {"picture": 1}
        raise UserError("Do this.")

    assert list(handler()) == [{"picture": 1}, {"message": refused("Do this.")}]


def test_too_little_memory_and_a_full_disk_are_told_in_words():
    assert "not enough memory" in sentence_of(MemoryError())
    assert sentence_of(OSError(28, "No space left", "/home/x")) == (
        "x cannot be read or written (No space left)."
    )


def test_a_gpu_that_failed_is_told_in_words():
    assert sentence_of(RuntimeError("CUDA error: unknown error\nSearch for ...")) == (
        "The GPU failed (CUDA error: unknown error); end this page's program and start it anew."
    )


def test_a_bug_is_printed_where_the_page_was_started(capsys):
    assert "please report it" in sentence_of(KeyError("x"))
    assert "KeyError" in capsys.readouterr().err


def test_only_notes_are_passed_on():
    assert notes(["device cpu", "Note: small."]) == ["small."]
