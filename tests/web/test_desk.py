"""What a visitor brought goes with them, and nothing else does."""

from __future__ import annotations

from pathlib import Path

from commands import save, scene


def test_what_was_brought_goes_with_the_last_who_brought_it(server, tmp_path):
    picture = save(tmp_path / "my_private_photo.png", scene())
    sent, shown = [], []
    for visitor in ("first", "second"):
        sent.append(Path(server.upload(picture)))
        data = [{"path": str(sent[-1]), "meta": {"_type": "gradio.FileData"}}]
        told = server.ask("paint-drop", "change", data, visitor)
        shown.append(Path(told["output"]["data"][1]["background"]["path"]))
    assert sent[0] == sent[1]
    assert all(server.sends(file) for file in (*sent, *shown))
    server.ask(None, "unload", [], "first")
    assert sent[0].is_file()
    assert [file.is_file() for file in shown] == [False, True]
    server.ask(None, "unload", [], "second")
    assert not list(server.scratch.rglob("my_private_photo*"))


def test_what_the_editor_sends_goes_too_and_nothing_from_elsewhere(server, tmp_path):
    layer = Path(server.upload(save(tmp_path / "layer_0.png", scene())))
    other = save(server.root / "kept" / "layer_0.png", scene())
    image = {"path": str(layer), "meta": {"_type": "gradio.FileData"}}
    above = layer.parents[2] / "above.txt"
    above.write_text("not sent by anybody", "utf-8")
    strange = {"path": f"{layer.parents[1]}/../{above.name}"}
    editor = {"background": image, "layers": [image, strange], "composite": {"path": str(other)}}
    server.ask("paint-size", "release", [None, editor, image, str(other)], "painter")
    server.ask(None, "unload", [], "painter")
    assert not layer.exists()
    assert above.is_file()
    assert other.is_file()
