"""The page is for this machine unless somebody says otherwise, with a password."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import subprocess
import sys
import threading
import urllib.error
from pathlib import Path

import pytest
from commands import save, scene

from consingan.errors import UserError
from consingan.machine import extras
from consingan.web import serve
from consingan.web.serve import Place


def test_other_machines_are_let_in_only_with_a_password(capsys):
    from commands import _invoke

    from consingan.cli.serving import web_command

    told = _invoke(web_command, ["--host", "0.0.0.0"])
    assert told.exit_code == 2
    assert told.stderr == (
        "Error: --host 0.0.0.0 lets other machines in; choose a --password for the page too.\n"
    )
    Place("0.0.0.0", password="x").check()


def test_a_port_that_is_taken_is_refused_where_it_was_named():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = pytest.raises(UserError, match="choose another --port")
        with refused, serve._listening(Place(port=port)):
            pass


def test_who_is_told_the_address_can_ask_at_once():
    with serve._listening(Place(port=0)) as listener:
        socket.create_connection(listener.getsockname(), timeout=5).close()


def test_what_is_open_when_the_server_ends_is_cut_off_without_a_word(monkeypatch, capfd):
    uvicorn = pytest.importorskip("uvicorn")
    monkeypatch.setattr(logging.getLogger("uvicorn.error"), "filters", [])

    async def page(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        server.should_exit = True
        await asyncio.sleep(60)

    config = uvicorn.Config(page, log_level="warning", lifespan="off", timeout_graceful_shutdown=0)
    server = serve._quiet_at_the_end(uvicorn.Server(config))
    with serve._listening(Place(port=0)) as listener:
        running = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        running.start()
        with socket.create_connection(listener.getsockname()) as visitor:
            visitor.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            running.join()
    assert capfd.readouterr() == ("", "")


def test_a_password_is_compared_whole():
    right = serve._password("wörd")
    assert right("anybody", "wörd")
    assert not right("anybody", "wör")
    assert serve._password("") is None


@pytest.mark.parametrize("version", [None, "5.50.0"])
def test_without_a_gradio_that_fits_one_is_told_what_to_install(monkeypatch, tmp_path, version):
    monkeypatch.setattr(extras, "version_of", lambda _: version)
    monkeypatch.setitem(sys.modules, "gradio", None)
    monkeypatch.setattr(serve.os, "environ", {})
    with pytest.raises(UserError) as told:
        serve.serve(Place(output_dir=tmp_path), lambda _: None, open_browser=False)
    assert str(told.value) == 'The page needs gradio 6 or newer; run: pip install "gradio>=6".'


def test_the_libraries_are_told_to_ask_nobody_before_they_are_imported(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "gradio", None)
    environment: dict[str, str] = {}
    monkeypatch.setattr(serve.os, "environ", environment)
    with pytest.raises(UserError):
        serve._app(Place(), tmp_path, tmp_path)
    assert environment["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert environment["MPLBACKEND"] == "agg"  # else the first answer waits for an import


def test_help_loads_neither_gradio_nor_torch():
    code = (
        "import sys\nfrom consingan.cli import main\n"
        "try:\n    main(['web', '--help'])\nexcept SystemExit:\n    pass\n"
        "assert not {'gradio', 'torch', 'fastapi'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def uploaded(path: Path | str) -> list[dict]:
    """What a browser says of a file that it has uploaded."""
    return [{"path": str(path), "meta": {"_type": "gradio.FileData"}}]


@pytest.mark.parametrize("part", ["train-drop", "paint-drop", "paint-object"])
def test_no_file_is_read_that_was_not_uploaded(server, tmp_path, part):
    text = tmp_path / "passwords.txt"
    text.write_text("secret")
    for file in (text, save(tmp_path / "private.png", scene()), Path(__file__)):
        told = server.ask(part, "change", uploaded(file))
        assert not told["success"]
        assert file.name not in str(told)
        assert not list(server.scratch.rglob(file.name))


def test_an_uploaded_picture_is_shown_and_a_wrong_file_is_refused_by_its_name_alone(
    server, tmp_path
):
    told = server.ask(
        "train-drop", "change", uploaded(server.upload(save(tmp_path / "a.png", scene())))
    )
    shown = told["output"]["data"][1]["value"]
    assert server.sends(shown["path"])
    (tmp_path / "b.png").write_bytes(b"no picture")
    told = server.ask("train-drop", "change", uploaded(server.upload(tmp_path / "b.png")))
    assert "b.png is not a picture" in str(told)
    assert str(server.scratch) not in str(told)


def test_neither_runs_nor_what_lies_where_the_page_was_started_are_handed_out(server):
    files = [server.root / "uploads" / "a.png", server.scratch / "a.png"]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        save(file, scene())
    home = Path(__file__).parents[2]
    for file in (*files, home / "pyproject.toml", home / ".gitignore"):
        assert file.is_file()
        assert not server.sends(file)


ELSEWHERE = "http://pictures.invalid/x.png"


def told_of(address: str) -> dict:
    """What a visitor writes who wants a file fetched."""
    return {"path": address, "url": address, "meta": {"_type": "gradio.FileData"}}


@pytest.mark.parametrize("part", ["train-drop", "paint-drop", "instant-drop"])
def test_no_address_is_fetched_for_a_visitor(server, part):
    event = "upload" if part == "instant-drop" else "change"
    told = server.ask(part, event, [told_of(ELSEWHERE)])
    assert not told["success"]
    assert "Only files that were dropped on the page are read." in str(told)
    assert not server.outside.exists()


def test_no_address_is_fetched_where_a_number_belongs(server):
    wishes = [None, told_of(ELSEWHERE), *[None] * 8]
    assert not server.ask("instant-start", "click", wishes)["success"]
    assert not server.outside.exists()


@pytest.mark.parametrize("route", ["file=", "file/", "proxy=", "/file=", "file=%20", "file%3D"])
def test_no_address_is_handed_through(server, route):
    status, said = server.get(f"gradio_api/{route}{ELSEWHERE}")
    assert status in (403, 404)
    assert "pictures.invalid" not in said
    assert not server.outside.exists()


def test_another_site_is_not_answered(server):
    assert server.get("config")[0] == 200
    status, said = server.get("config", {"Origin": "https://evil.example"})
    assert (status, "components" in said) == (403, False)


def test_an_event_of_a_part_that_is_no_longer_there_is_answered_with_a_sentence(server):
    body = {"data": [], "fn_index": 10**6, "session_hash": "somebody", "trigger_id": 1}
    with pytest.raises(urllib.error.HTTPError) as refused:
        server._asked("gradio_api/queue/join", json.dumps(body).encode(),
                      {"Content-Type": "application/json"})  # fmt: skip
    with refused.value as answer:
        assert json.load(answer) == {"detail": serve.OUTDATED}
