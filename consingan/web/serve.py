"""Serve the page on this machine: what is allowed, and that nothing else is ever asked."""

from __future__ import annotations

import contextlib
import gc
import importlib
import inspect
import logging
import os
import secrets
import socket
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consingan.errors import UserError
from consingan.machine.extras import GRADIO, needed
from consingan.machine.files import make_folder
from consingan.machine.program import tell_threads
from consingan.web.guard import LARGEST_UPLOAD, Headers
from consingan.web.scratch import ended_by_signals, scratch_folder
from consingan.web.streams import JOIN, Streams
from consingan.web.visits import Heartbeats

PORT, PORTS = 7860, 10  # the first that is tried where none is named, and how many
LOOPBACK = ("127.0.0.1", "localhost", "::1")
QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_SHARE": "False",
    "GRADIO_MCP_SERVER": "False",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}
"""What keeps the libraries under the page from asking anybody; set before they are imported."""
# Not named, gradio lets matplotlib look for one that opens windows, and nobody is answered until
# all that draws is imported.
DRAWING = {"MPLBACKEND": "agg"}


@dataclass(frozen=True)
class Place:
    """Where the page listens, and for whom.

    Attributes:
        host: address; others than this machine's own need a password.
        port: None takes the first free one from 7860 on.
        password: that must be typed; "" lets everybody on this machine in.
        output_dir: folder of the runs.
    """

    host: str = LOOPBACK[0]
    port: int | None = None
    password: str = ""
    output_dir: Path = Path("TrainedModels")

    def check(self) -> None:
        """Refuse to be open to a network.

        Raises:
            UserError: the sentence says what to add.
        """
        if self.host not in LOOPBACK and not self.password:
            raise UserError(
                f"--host {self.host} lets other machines in; choose a --password for the page too."
            )


def serve(place: Place, say: Callable[[str], None], open_browser: bool = True) -> None:
    """Serve the page until Ctrl+C, or until this process is told to end.

    Raises:
        UserError: gradio is missing or old, the port is taken, or the place is open to everybody.
    """
    place.check()
    root = make_folder(place.output_dir.absolute())
    with ended_by_signals(), scratch_folder() as scratch:
        app = _app(place, root, scratch)
        uvicorn: Any = importlib.import_module("uvicorn")
        with _listening(place) as listener:
            address = _address(place.host, listener.getsockname()[1])
            say(f"the page: {address}")
            say(f"runs: {root}")
            say("Ctrl+C ends it; a training that is going on goes on.")
            if open_browser:
                webbrowser.open(address)
            config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="on",
                                    timeout_graceful_shutdown=1)  # fmt: skip
            tell_threads()  # what is made is recorded with the command that makes it again
            # The program's last act is to look for garbage, among the libraries' objects for a
            # second, on a busy machine for half a minute: those are left out.
            gc.freeze()
            _quiet_at_the_end(uvicorn.Server(config)).run(sockets=[listener])


def _quiet_at_the_end(server: Any) -> Any:
    """The same; that connections of pages are cut off then is no fault, and not printed as one."""
    logging.getLogger("uvicorn.error").addFilter(lambda _: not server.should_exit)
    return server


# What gradio would add to the page; some of it only in later versions.
WITHOUT = {"ssr_mode": False, "run_history": False, "footer_links": [], "pwa": False,
           "enable_monitoring": False, "mcp_server": False}  # fmt: skip


def _app(place: Place, root: Path, scratch: Path) -> Any:
    """The program that answers; gradio is imported here, not before the environment is set."""
    cache = scratch / "gradio"  # the one folder that gradio sends files from
    os.environ.update(QUIET | DRAWING, GRADIO_TEMP_DIR=str(cache),
                      GRADIO_EXAMPLES_CACHE=str(cache / "examples"))  # fmt: skip
    with needed(GRADIO, "The page needs"):
        gradio: Any = importlib.import_module("gradio")
    fastapi: Any = importlib.import_module("fastapi")
    page: Any = importlib.import_module("consingan.web.page")
    blocks, looks = page.build(root, scratch / "logs", cache / "sessions")

    @contextlib.asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        yield
        blocks.desk.turns.end()

    app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.add_middleware(Streams)
    app.add_middleware(Heartbeats, staying=blocks.desk.staying)
    _guard(app, place)
    # Only launch() sets it, and as long as it is not, gradio takes any path on this machine that a
    # visitor writes for the file that was uploaded.
    blocks.has_launched = True
    known = inspect.signature(gradio.mount_gradio_app).parameters
    return gradio.mount_gradio_app(
        app, blocks, path="/", server_name=place.host,
        auth=_password(place.password), auth_message="Any name, and the password of the page.",
        allowed_paths=[], show_error=False, max_file_size=LARGEST_UPLOAD,
        app_kwargs={"exception_handlers": {KeyError: _outdated}},
        **{name: value for name, value in WITHOUT.items() if name in known}, **looks,
    )  # fmt: skip


OUTDATED = "The page has changed meanwhile; do that again, or load the page anew."


async def _outdated(request: Any, error: Exception) -> Any:
    """Answer to an event that is not there: its part was drawn anew, or by an earlier server."""
    if not request.url.path.endswith(JOIN):
        raise error
    responses: Any = importlib.import_module("fastapi.responses")
    return responses.JSONResponse({"detail": OUTDATED}, 409)


def _password(password: str) -> Callable[[str, str], bool] | None:
    if not password:
        return None
    right = password.encode()
    return lambda _name, typed: secrets.compare_digest(typed.encode(), right)


def _guard(app: Any, place: Place) -> None:
    """Answers only to its own name, and tells the browser to ask nobody else."""
    if place.host in LOOPBACK:
        hosts: Any = importlib.import_module("starlette.middleware.trustedhost")
        app.add_middleware(hosts.TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, "[::1]"])
    app.add_middleware(Headers)


@contextlib.contextmanager
def _listening(place: Place) -> Iterator[socket.socket]:
    """A socket on the port that was named, else on the first free one.

    Raises:
        UserError: it is taken, or the host is none of this machine.
    """
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    ports = [place.port] if place.port is not None else [*range(PORT, PORT + PORTS), 0]
    for port in ports:
        listener = socket.socket(family)
        if os.name != "nt":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((place.host, port))
            listener.listen()  # whoever is told the address next may ask: the page answers soon
        except (OSError, OverflowError) as error:
            listener.close()
            reason = getattr(error, "strerror", None) or str(error)
            continue
        with listener:
            yield listener
        return
    raise UserError(
        f"The page cannot listen at {place.host}:{ports[0]} ({reason}); choose another --port."
    )


def _address(host: str, port: int) -> str:
    shown = LOOPBACK[0] if host in ("0.0.0.0", "::") else host
    return f"http://[{shown}]:{port}/" if ":" in shown else f"http://{shown}:{port}/"
