"""The Instant tab: drop a picture, see variations of it in seconds."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from consingan.api.samples import Wish, make
from consingan.errors import UserError
from consingan.machine.execution import Wanted, choose_execution
from consingan.methods.registry import METHODS, UNTRAINED
from consingan.web.answers import answering, notes, told
from consingan.web.desk import Desk
from consingan.web.fields import row_of
from consingan.web.pictures import Brought, at_hand
from consingan.web.widgets import component

LOOK = 250  # px, longer side of the first look
MOST = 12  # pictures at a time
NONE = "none"
STOPPED = "Stopped; the picture that was begun may take some seconds more. Then ask again."


@dataclass(frozen=True)
class Parts:
    """The components of the tab."""

    upload: gr.File
    shown: gr.Image
    count: gr.Slider
    longest: gr.Slider
    width: gr.Number
    height: gr.Number
    retarget: gr.Checkbox
    loosen: gr.Slider
    tile: Any
    symmetric: Any
    seed: gr.Number
    start: gr.Button
    stop: gr.Button
    gallery: gr.Gallery
    archive: gr.DownloadButton
    message: gr.HTML
    brought: gr.State

    @property
    def wishes(self) -> list[Any]:
        """What `begin` takes, see `_beginning`."""
        return [self.brought, self.count, self.longest, self.width, self.height, self.retarget,
                self.loosen, self.tile, self.symmetric, self.seed]  # fmt: skip


def instant_tab(desk: Desk, page: gr.Blocks, tab: gr.Tab) -> None:  # noqa: ARG001
    """Lay the tab out and connect its parts."""
    parts = _laid_out()
    _connect(desk, parts)


def _laid_out() -> Parts:
    config = METHODS[UNTRAINED].config
    gr.Markdown("Drop a picture. Variations of it are put together from its own patches, at once.")
    with gr.Row(elem_classes="row"):
        with gr.Column(scale=1, min_width=280):
            upload = gr.File(
                label="Your picture", type="filepath", height=140, elem_id="instant-drop"
            )
            shown = gr.Image(label="Your picture, as it was read", interactive=False, height=220,
                             buttons=[], visible=False, elem_classes="whole")  # fmt: skip
            count = gr.Slider(1, MOST, 4, step=1, label="How many", elem_id="instant-count")
            longest = gr.Slider(64, 1000, 500, step=1, label="Longer side of the picture, px",
                                info="More is finer and takes longer.",
                                elem_id="instant-longest")  # fmt: skip
            with gr.Row():
                start = gr.Button("Make pictures", variant="primary", elem_id="instant-start")
                stop = gr.Button("Stop", elem_id="instant-stop")
            with gr.Accordion("More", open=False):
                with gr.Row():
                    width = gr.Number(None, label="Width, px", precision=0,
                                      info="Empty: as the picture.")  # fmt: skip
                    height = gr.Number(None, label="Height, px", precision=0,
                                       info="Empty: as the picture.")  # fmt: skip
                retarget = gr.Checkbox(False, label="Keep the layout",
                                       info="The same scene in another shape.")  # fmt: skip
                loosen = gr.Slider(0, 1, 0, step=0.1, label="Loosen the layout",
                                   info="More whole things, less of the layout.")  # fmt: skip
                tile = component(row_of(config, "tile"), NONE)
                symmetric = component(row_of(config, "symmetric"), NONE)
                seed = gr.Number(0, label="Seed", precision=0,
                                 info="Another number, other pictures.")  # fmt: skip
        with gr.Column(scale=2, min_width=280):
            message = gr.HTML(elem_id="instant-message")
            gallery = gr.Gallery(label="Variations", columns=2, object_fit="contain",
                                 fit_columns=False, interactive=False, elem_id="instant-gallery",
                                 buttons=["download", "fullscreen"])  # fmt: skip
            archive = gr.DownloadButton("Save all as a zip", visible=False, elem_id="instant-zip")
    return Parts(upload, shown, count, longest, width, height, retarget, loosen, tile, symmetric,
                 seed, start, stop, gallery, archive, message, gr.State(None))  # fmt: skip


def _beginning(desk: Desk, parts: Parts) -> Callable[..., Iterator[dict[Any, Any]]]:
    """What makes the pictures that are wished for."""

    @answering(parts.message)
    def begin(
        brought: Brought | None, count: int, longest: int, width: int | None, height: int | None,
        retarget: bool, loosen: float, tile: str, symmetric: str, seed: int | None,
        request: gr.Request,
    ) -> Iterator[dict[Any, Any]]:  # fmt: skip
        picture = at_hand(brought)
        size = _size(picture, int(longest), width, height)
        if retarget and size is None:
            raise UserError('"Keep the layout" needs a width or a height, under More.')
        wish = Wish(str(picture.path), int(count), size, retarget, _or_none(tile),
                    _or_none(symmetric), int(seed or 0), int(longest),
                    loosen=loosen if retarget else 0.0)  # fmt: skip
        fresh = partial(desk.fresh, request, "variations")
        yield from desk.turns.step_by_step(_made(wish, picture.notes, fresh, parts))

    return begin


def _connect(desk: Desk, parts: Parts) -> None:
    """Make a dropped picture begin at once, and the button begin again."""
    begin = _beginning(desk, parts)

    @answering(parts.message)
    def receive(file: str | None, request: gr.Request) -> dict[Any, Any]:
        if file is None:
            return {parts.brought: None, parts.shown: gr.update(visible=False)}
        brought = desk.bring_in(file, request, "picture")
        return {
            parts.brought: brought,
            parts.shown: gr.update(value=str(brought.shown), visible=True),
            parts.message: told(*brought.notes),
        }

    def begin_at_once(request: gr.Request, *wishes: Any) -> Iterator[dict[Any, Any]]:
        if wishes[0] is None:  # `receive` has said why the picture could not be read
            yield {parts.message: gr.skip()}
            return
        yield from begin(*wishes, request)

    nothing = gr.update(visible=False)
    dropped = parts.upload.upload(
        receive, parts.upload, [parts.brought, parts.shown, parts.message], api_visibility="private"
    )
    cleared = [parts.brought, parts.shown, parts.message]
    parts.upload.clear(lambda: (None, nothing, ""), None, cleared, api_visibility="private")
    results = [parts.gallery, parts.archive, parts.message]
    # Of the last picture, when another was dropped before all of the one before were made.
    first = dropped.then(begin_at_once, parts.wishes, results, concurrency_id="compute",
                         trigger_mode="always_last", api_visibility="private")  # fmt: skip
    again = parts.start.click(begin, parts.wishes, results, concurrency_id="compute",
                              api_visibility="private")  # fmt: skip
    # Apart: the browser cancels the second when the first has ended, then it may be another.
    parts.stop.click(lambda: told(STOPPED), None, parts.message, cancels=[first],
                     api_visibility="private")  # fmt: skip
    parts.stop.click(None, cancels=[again], api_visibility="private")


def _size(
    brought: Brought, longest: int, width: int | None, height: int | None
) -> tuple[int, int] | None:
    """(h, w) of the results; a side that was left empty is the picture's."""
    if not width and not height:
        return None
    own = brought.size_within(longest)
    return int(height or own[0]), int(width or own[1])


def _or_none(choice: str) -> str | None:
    return None if choice == NONE else choice


def _made(
    wish: Wish, said: tuple[str, ...], fresh: Callable[[], Path], parts: Parts
) -> Iterator[dict[Any, Any]]:
    """A first look, smaller, then the pictures as they come, then all of them as a zip.

    Args:
        wish: for them.
        said: of the picture, stays beside what is said of them.
        fresh: makes a folder for them.
        parts: of the tab.
    """
    execution, lines = choose_execution(Wanted()), list[str]()
    # At once: what is given back ends the page's own sign that it is busy.
    yield {parts.gallery: [], parts.archive: gr.update(visible=False),
           parts.message: told(*said, "The first picture is on its way.")}  # fmt: skip
    folder = fresh()  # not before the pictures of the one before are off the page
    if wish.longest > LOOK:
        for made in make(_smaller(wish), execution, folder / "look"):
            shown = [(str(made.path), "a first look, smaller")]
            yield {parts.gallery: shown}
    pictures: list[tuple[str, str]] = []
    for made in make(wish, execution, folder, lines.append):
        seam = "" if made.seam is None else f", seam {made.seam:.2f} (1 cannot be seen)"
        pictures.append((str(made.path), f"{len(pictures) + 1} of {wish.count}{seam}"))
        yield {parts.gallery: pictures, parts.message: told(*said, *notes(lines))}
    yield {parts.archive: gr.update(value=str(_zipped(folder)), visible=True)}


def _smaller(wish: Wish) -> Wish:
    share = LOOK / wish.longest
    size = wish.size and (max(1, round(wish.size[0] * share)), max(1, round(wish.size[1] * share)))
    return replace(wish, count=1, max_size=LOOK, size=size)


def _zipped(folder: Path) -> Path:
    path = folder / "variations.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for picture in sorted(folder.glob("*.png")):
            archive.write(picture, picture.name)
    return path
