"""The page: its parts side by side, and what happens when somebody comes and goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

from consingan.machine.files import make_folder
from consingan.web.desk import Desk
from consingan.web.instant import instant_tab
from consingan.web.looks import looks
from consingan.web.paint import paint_tab
from consingan.web.queue import Trainings
from consingan.web.runs import runs_tab
from consingan.web.train import train_tab

Key = TypeVar("Key")
Value = TypeVar("Value")

TITLE = "Pictures from one picture"
KEPT = 24 * 3600  # seconds that what was uploaded or shown is kept for a page that stays open


class Steady(dict[Key, Value]):
    """May grow in one thread while others go through it; they see what was there as they began.

    Gradio adds to a visitor's parts with nearly every event, and goes through them while it draws
    others: as a plain dict it fails now and then on a busy machine, and what was to be drawn never
    comes, without a word. It fails as well where an event, as each tick does, replaces a part that
    was just drawn: Gradio does not tell the new one where it is.
    """

    def __setitem__(self, key: Key, value: Value) -> None:
        """Put it where the one before was."""
        before = self.get(key)
        for place in ("page", "rendered_in"):
            if hasattr(before, place) and not getattr(value, place, None):
                setattr(value, place, getattr(before, place))
        super().__setitem__(key, value)

    def keys(self) -> list[Key]:  # type: ignore[override]
        """All there are now."""
        return list(super().keys())

    def values(self) -> list[Value]:  # type: ignore[override]
        """All there are now."""
        return list(super().values())

    def items(self) -> list[tuple[Key, Value]]:  # type: ignore[override]
        """All there are now."""
        return list(super().items())

    def __iter__(self) -> Iterator[Key]:
        return iter(self.keys())

    def __copy__(self) -> Steady[Key, Value]:
        return Steady(self.items())


class Page(gr.Blocks):  # type: ignore[misc]
    """Blocks that tell the desk who sent which files: some parts give their handlers pixels alone.

    Attributes:
        desk: set before anything is asked.
    """

    desk: Desk

    async def process_api(self, block_fn: Any, inputs: Any, *args: Any, **how: Any) -> Any:
        """Answer an event, see `Blocks`.

        Raises:
            gr.Error: a file is named that nobody sent; gradio would fetch it from any address.
        """
        session = str(how.get("session_hash"))
        self.desk.remember(session, inputs)
        if not self.desk.holds(inputs):
            raise gr.Error("Only files that were dropped on the page are read.",
                           print_exception=False)  # fmt: skip
        with self.desk.staying(session):
            return await super().process_api(block_fn, inputs, *args, **how)

    async def preprocess_data(self, block_fn: Any, inputs: Any, *args: Any, **how: Any) -> Any:
        """What a handler is given of what a browser sent, see `Blocks`."""
        # No more and no fewer than came: Gradio says what is wrong with too few.
        within = [*map(within_ends, block_fn.inputs, inputs), *inputs[len(block_fn.inputs) :]]
        return await super().preprocess_data(block_fn, within, *args, **how)


def within_ends(part: Any, value: Any) -> Any:
    """What a browser says of a part; beyond a slider's ends, or empty, it is the nearest end.

    The browser shows that, too, but only once it has sent what was typed, which Gradio refuses.
    """
    if not isinstance(part, gr.Slider):
        return value
    return min(max(part.minimum if value is None else value, part.minimum), part.maximum)


def build(root: Path, logs: Path, sessions: Path) -> tuple[gr.Blocks, dict[str, Any]]:
    """The page and how it looks.

    Args:
        root: folder of the runs.
        logs: folder for what the trainings print.
        sessions: folder for what visitors bring and see, in gradio's own.
    """
    desk = Desk(root, sessions, Trainings(root, make_folder(logs)))
    desk.watch()
    with Page(title=TITLE, analytics_enabled=False, delete_cache=(3600, KEPT)) as page:
        gr.Markdown(f"# {TITLE}\nEverything is made on this machine; nothing leaves it.",
                    elem_id="title")  # fmt: skip
        page.desk = desk
        with gr.Tabs():
            for name, part in PARTS.items():
                with gr.Tab(name, id=name.lower()) as tab:
                    part(desk, page, tab)
        page.unload(desk.leave)
    parts = page.default_config  # of which each visitor has a copy
    parts.blocks, parts.fns = Steady(parts.blocks), Steady(parts.fns)
    page.queue(default_concurrency_limit=4, max_size=64, api_open=False)
    return page, looks()


PARTS = {"Instant": instant_tab, "Paint": paint_tab, "Train": train_tab, "Runs": runs_tab}
