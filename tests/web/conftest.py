"""One server and one browser for all tests of the page; without them these are skipped."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

REQUIRED = "CONSINGAN_REQUIRE_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome")
# Nothing moves: without a graphics card a pulsing border costs as much as a training.
STILL = """
    addEventListener("DOMContentLoaded", () => document.head.append(Object.assign(
        document.createElement("style"),
        {textContent: "* {animation: none !important; transition: none !important}"},
    )))
"""
PATIENCE = 90_000  # ms; a machine may be busy


def missing(why: str):
    """Skip, or fail where the environment says that a browser must be there."""
    if os.environ.get(REQUIRED):
        pytest.fail(f"{why} ({REQUIRED} is set).")
    pytest.skip(f"{why}; the page is not tried in a browser.")


@dataclass
class Server:
    """The page's own process.

    Attributes:
        address: of the page.
        root: folder of the runs; neither the server's working folder nor its temporary one.
        scratch: its temporary folder.
        outside: what it asked of other machines, one a line.
        requests: addresses that the browser asked for.
    """

    address: str
    root: Path
    scratch: Path
    outside: Path
    requests: list[str] = field(default_factory=list)

    def sends(self, path: Path | str) -> bool:
        """Whether it hands that file out."""
        return self.get(f"gradio_api/file={urllib.parse.quote(str(path))}")[0] not in (403, 404)

    def get(self, path: str, head: dict[str, str] | None = None) -> tuple[int, str]:
        """Status and text of what is answered."""
        request = urllib.request.Request(f"{self.address}{path}", headers=head or {})
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode("utf-8", "replace")

    def upload(self, file: Path) -> str:
        """Bring a file as a browser does; where it lies then."""
        head = (
            f'--x\r\nContent-Disposition: form-data; name="files"; filename="{file.name}"\r\n\r\n'
        )
        body = head.encode() + file.read_bytes() + b"\r\n--x--\r\n"
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        return str(self._asked("gradio_api/upload", body, kind)[0])

    def ask(self, part: str | None, event: str, data: list[Any], visitor: str = "somebody",
            index: int = 0) -> Any:  # fmt: skip
        """What is answered to an event of a part of the page, whatever a visitor puts into it.

        Args:
            part: that it happens to; None: to the page itself.
            event: its name.
            data: what the browser says of the handler's inputs.
            visitor: who asks.
            index: what was clicked in a gallery.
        """
        config = self._asked("config")
        ids = {c["props"].get("elem_id"): c["id"] for c in config["components"]} | {None: None}
        number = ids[part]
        called = next(d["id"] for d in config["dependencies"] for place, name in d["targets"]
                      if name == event and number in (None, place))  # fmt: skip
        body = {"data": data, "fn_index": called, "session_hash": visitor, "trigger_id": number,
                "event_data": {"index": index, "value": None}}  # fmt: skip
        kind = {"Content-Type": "application/json"}
        self._asked("gradio_api/queue/join", json.dumps(body).encode(), kind)
        said = f"{self.address}gradio_api/queue/data?session_hash={visitor}"
        with urllib.request.urlopen(said) as lines:
            told = (json.loads(line[5:]) for line in lines if line.startswith(b"data:"))
            return next(one for one in told if one["msg"] == "process_completed")

    def _asked(
        self, path: str, body: bytes | None = None, head: dict[str, str] | None = None
    ) -> Any:
        request = urllib.request.Request(f"{self.address}{path}", body, head or {})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


@dataclass
class Clock:
    """Goes on when it is told to."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The one that the desk goes by."""
    return Clock()


@pytest.fixture
def desk(tmp_path: Path, clock: Clock) -> Any:
    """What a page works with, and nobody there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # Gradio leaves event loops open
        pytest.importorskip("gradio")
        from consingan.web.desk import Desk
    from consingan.web.queue import Trainings
    from consingan.web.visits import Visits

    runs = tmp_path / "runs"
    return Desk(runs, tmp_path / "sessions", Trainings(runs, tmp_path), visits=Visits(clock=clock))


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """A headless Chromium."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("The playwright package is not installed")
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        missing("There is no Chromium here (Debian's package is called chromium)")
    graphics = (
        "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
        "--disable-gpu-compositing",  # the page itself needs no graphics card that is played
    )  # fmt: skip
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", *graphics]
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The page, served by a process of its own."""
    folder = tmp_path_factory.mktemp("page")
    outside, log = folder / "outside.txt", folder / "log.txt"
    script = Path(__file__).parent / "audited_server.py"
    command = [sys.executable, str(script), "web", "--port", "0", "--no_browser",
               "--output_dir", str(folder / "runs")]  # fmt: skip
    scratch = folder / "temporary"
    scratch.mkdir()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1",
                   "AUDIT_LOG": str(outside),
                   "TMPDIR": str(scratch), "TEMP": str(scratch), "TMP": str(scratch)}  # fmt: skip
    with log.open("w") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip
    while not (found := re.search(r"the page: (\S+)", log.read_text())):
        if process.poll() is not None:
            if "needs gradio" in log.read_text():
                missing("The gradio package is not installed")
            pytest.fail(log.read_text())
        time.sleep(0.05)
    yield Server(found[1], folder / "runs", scratch, outside)
    process.send_signal(signal.SIGINT)
    process.wait(30)


def patient(browser, **how) -> Any:
    """Windows of the browser, as Playwright's `new_context` has it, on a machine that is busy."""
    context = browser.new_context(**how)
    context.set_default_timeout(PATIENCE)
    return context


@pytest.fixture
def windows(browser) -> Iterator[Callable[..., Any]]:
    """Makes windows of their own, closed after the test."""
    with contextlib.ExitStack() as stack:
        yield lambda **how: stack.enter_context(contextlib.closing(patient(browser, **how)))


@pytest.fixture(scope="session")
def profile(browser, server: Server) -> Iterator[object]:
    """The browser's windows of one size; what it was sent once it need not be sent again."""
    context = patient(browser, viewport={"width": 1280, "height": 1400})
    context.add_init_script(STILL)
    context.on("request", lambda request: server.requests.append(request.url))
    yield context
    context.close()


@pytest.fixture
def page(profile, server: Server) -> Iterator[object]:
    """The page as a visitor sees it of whom nothing is known."""
    profile.clear_cookies()
    page = profile.new_page()
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    page.goto(server.address)
    yield page
    page.evaluate("localStorage.clear()")
    page.close()


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small picture."""
    from commands import save, scene

    return save(tmp_path_factory.mktemp("photo") / "beach.png", scene(48, 64))


@pytest.fixture
def small_runs(server) -> Iterator[list[Path]]:
    """Two runs that were made by a command; they go with the test, and the next finds its own."""
    from commands import main_train, save, scene

    for name in ("first", "second"):
        picture = save(server.root / "given" / f"{name}.png", scene(20, 24))
        told = main_train("--method", "patches", "--patch", 5, "--input_name", picture,
                          "--output_dir", server.root)  # fmt: skip
        assert told.exit_code == 0, told.output
    runs = [run for name in ("first", "second") for run in (server.root / name).iterdir()]
    yield runs
    for run in runs:
        shutil.rmtree(run, ignore_errors=True)
