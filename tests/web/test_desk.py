"""What a visitor brought goes when they have been gone for long, and nothing else does."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from commands import save, scene

from consingan.errors import UserError
from consingan.web.visits import GONE


def told_of(path: Path | str) -> dict:
    """What a browser says of a file that it has uploaded."""
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


def who(name: str) -> Any:
    return SimpleNamespace(session_hash=name)


@pytest.fixture
def sent(desk) -> Path:
    """Where gradio puts what browsers send."""
    return desk.sessions.parent


def test_what_was_brought_goes_with_the_last_who_brought_it(desk, clock, sent):
    file = save(sent / "digest" / "my_private_photo.png", scene())
    shown = []
    for visitor in ("first", "second"):
        desk.remember(visitor, [told_of(file)])
        shown.append(desk.bring_in(str(file), who(visitor), "painted").shown)
        desk.leave(who(visitor))
        clock.now += GONE / 2
    desk.sweep()
    assert file.is_file()
    assert [path.is_file() for path in shown] == [False, True]
    clock.now += GONE / 2
    desk.sweep()
    assert not list(sent.rglob("my_private_photo*"))


def test_a_page_that_comes_back_keeps_what_was_brought_and_what_it_brings_goes_too(
    desk, clock, sent
):
    first = save(sent / "digest" / "first.png", scene())
    desk.remember("somebody", [told_of(first)])
    desk.leave(who("somebody"))
    clock.now += GONE / 2
    second = save(sent / "digest" / "second.png", scene())
    with desk.staying("somebody"):  # its page is open again
        clock.now += 10 * GONE
        desk.sweep()
        assert first.is_file()
        desk.remember("somebody", [told_of(second)])
    clock.now += GONE
    desk.sweep()
    assert not first.exists()
    assert not second.exists()


def test_what_the_editor_sends_goes_too_and_nothing_from_elsewhere(desk, clock, sent):
    layer = save(sent / "digest" / "layer_0.png", scene())
    other = save(desk.root / "kept" / "digest" / "layer_0.png", scene())
    above = sent / "above.txt"
    above.write_text("not sent by anybody", "utf-8")
    strange = {"path": f"{sent / 'digest'}/../{above.name}"}
    editor = {"background": told_of(layer), "layers": [strange], "composite": {"path": str(other)}}
    desk.remember("painter", [None, editor, str(other)])
    clock.now += GONE
    desk.sweep()
    assert not layer.exists()
    assert above.is_file()
    assert other.is_file()


def test_only_files_that_were_sent_are_held(desk, sent):
    assert desk.holds([None, told_of(sent / "digest" / "a.png"), {"value": 3}])
    for path in ("http://a.b/c", sent / ".." / "a.png", "a.png", Path(__file__)):
        assert not desk.holds([{"layers": [told_of(path)]}])


def test_of_what_was_made_the_newest_stays_of_each_name_and_visitor(desk):
    from consingan.web.desk import NEWEST

    others = [desk.fresh(who("first"), "made_b"), desk.fresh(who("second"), "made")]
    made = []
    for _ in range(4 * NEWEST):
        made.append(save(desk.fresh(who("first"), "made") / "gen_sample_0.png", scene()))
        assert made[-2:] == [path for path in made[-2:] if path.is_file()]
    assert 2 <= sum(path.is_file() for path in made) <= NEWEST + 1
    assert all(folder.is_dir() for folder in others)


def test_a_picture_stays_as_long_as_it_is_the_last_that_could_be_read(desk, sent):
    from consingan.web.desk import NEWEST

    brought = desk.bring_in(str(save(sent / "a" / "good.png", scene())), who("first"), "picture")
    broken = sent / "a" / "broken.png"
    broken.write_bytes(b"no picture")
    for _ in range(4 * NEWEST):
        with pytest.raises(UserError):
            desk.bring_in(str(broken), who("first"), "picture")
    assert brought.path.is_file()
    assert brought.shown.is_file()


def test_a_connection_that_drops_takes_nothing_away(server, tmp_path):
    picture = server.upload(save(tmp_path / "dropped.png", scene()))
    told = server.ask("train-drop", "change", [told_of(picture)], "dropped")
    shown = told["output"]["data"][1]["value"]["path"]
    server.ask(None, "unload", [], "dropped")
    assert server.sends(picture)
    assert server.sends(shown)


def test_the_desk_is_told_of_what_a_page_sends_and_that_somebody_waits(desk, sent, monkeypatch):
    from consingan.web import page

    waiting: list[int] = []

    async def answer(*_: Any, **__: Any) -> None:
        waiting.append(desk.visits.held.total())

    monkeypatch.setattr(page.gr.Blocks, "process_api", answer)
    blocks = page.Page.__new__(page.Page)
    blocks.desk = desk

    def ask(path: Path | str) -> None:
        asked = blocks.process_api(block_fn=0, inputs=[told_of(path)], session_hash="somebody")
        with pytest.raises(StopIteration):
            asked.send(None)

    ask(sent / "digest" / "a.png")
    assert list(desk.sent.senders) == [sent / "digest" / "a.png"]
    assert (waiting, desk.visits.held) == ([1], {})
    with pytest.raises(page.gr.Error, match="dropped on the page"):
        ask("http://a.b/c")
    assert waiting == [1]
