"""Pictures, curves and progress in the output of a cell."""

from __future__ import annotations

import base64
import contextlib
import html
import importlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from consingan.api.train import Run
from consingan.images.io import to_pixels
from consingan.images.masks import composite
from consingan.runs.folder import RunFolder
from consingan.training import plan
from consingan.training.loop import Trainer
from consingan.training.observers import Pictures, ProgressBar, adds_nothing
from consingan.training.prepare import Job
from consingan.training.records import Record, StageRecord
from consingan.training.session import Observer

ipython: Any = importlib.import_module("IPython.display")  # whether typed depends on its version

MASK_COLOR = (1.0, -0.7, -0.2)  # RGB in [-1, 1]
TYPES = {".png": "image/png", ".gif": "image/gif", ".jpg": "image/jpeg"}


def data_url(content: bytes, kind: str = "image/png") -> str:
    """A file's content as an address that HTML can use in place."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def png_url(picture: Tensor) -> str:
    """A picture (1, 3, H, W) in [-1, 1] as such an address."""
    buffer = io.BytesIO()
    Image.fromarray(to_pixels(picture)).save(buffer, format="PNG")
    return data_url(buffer.getvalue())


def figure(url: str, caption: str) -> str:
    """HTML of a picture with a line of text below it."""
    text = html.escape(caption)
    return (
        '<figure style="display:inline-block;margin:4px 8px 4px 0">'
        f'<img src="{url}" alt="{text}" style="max-width:100%">'
        f'<figcaption style="font-size:12px">{text}</figcaption></figure>'
    )


def show(pictures: Sequence[Tensor], captions: Sequence[str]) -> None:
    """Show pictures (1, 3, H, W) in [-1, 1] in rows, a caption below each."""
    pairs = zip(pictures, captions, strict=True)
    show_html("".join(figure(png_url(picture), caption) for picture, caption in pairs))


def show_file(path: Path, caption: str) -> None:
    """Show a picture file, an animated one too."""
    show_html(figure(data_url(path.read_bytes(), TYPES[path.suffix]), caption))


def show_html(text: str) -> None:
    """Show HTML below the cell."""
    ipython.display(ipython.HTML(text))


class Area:
    """A place in the output that can be filled anew; a text stream for the progress bar."""

    encoding = "utf-8"  # lets the bar be drawn with block characters

    def __init__(self) -> None:
        self.handle: Any = None

    def fill(self, text: str) -> None:
        """Put HTML in the place of what was there."""
        if self.handle is None:
            self.handle = ipython.display(ipython.HTML(text), display_id=True)
        else:
            self.handle.update(ipython.HTML(text))

    def write(self, text: str) -> None:
        """Show a line of the progress bar."""
        line = text.strip()
        if line:
            self.fill(f'<pre style="white-space:pre-wrap">{html.escape(line)}</pre>')

    def flush(self) -> None:
        """Nothing is held back."""


class LiveView:
    """Watches a training: time left, the curves of all losses, each stage's samples."""

    def __init__(self, trainer: Trainer, folder: RunFolder) -> None:
        self.folder, self.curves = folder, Area()
        self.bar = ProgressBar(trainer, print, file=Area())
        self.pictures = Pictures(folder.path)

    def observe(self, record: Record, trainer: Trainer) -> None:
        """Move the bar on; after a stage, show what was learned."""
        self.bar.observe(record, trainer)
        self.pictures.observe(record, trainer)
        if isinstance(record, StageRecord):
            url = data_url((self.folder.path / "losses.png").read_bytes())
            self.curves.fill(figure(url, "Losses so far: flat lines mean that little changes."))
            if not adds_nothing(record, trainer):
                show_stage(self.folder, record.stage)

    def close(self) -> None:
        """Leave the output in order."""
        self.bar.close()


@contextlib.contextmanager
def live(run: Run) -> Iterator[Sequence[Observer]]:
    """Let a `LiveView` watch a training, see `api.train.Watch`."""
    assert run.folder is not None
    trainer = run.trainer
    if (trainer.stage, trainer.iteration) == (trainer.training.first, 0):
        print(f"A new training: {run.folder.path}")
    with contextlib.closing(LiveView(run.trainer, run.folder)) as view:
        yield [view]


def show_stage(folder: RunFolder, stage: int) -> None:
    """Show the samples of a finished stage."""
    task = folder.method.tasks[folder.config.train_mode]
    what = "the image, what the fixed noise gives"
    what += "" if task.takes_naive else ", then samples"
    path = folder.path / str(stage) / "samples.png"
    show_file(path, f"Stage {stage + 1} of {folder.stages}: {what}.")


def show_result(folder: RunFolder) -> None:
    """Show what a finished run looks like, as far as its pictures are there."""
    last = folder.stages - 1
    if (folder.path / str(last) / "samples.png").is_file():
        show_stage(folder, last)
    if (folder.path / "losses.png").is_file():
        show_file(folder.path / "losses.png", "Losses of the whole training.")


def tinted(picture: Tensor, mask: Tensor) -> Tensor:
    """A picture (1, 3, H, W) with the mask (1, 1, H, W) laid over it in red, half transparent."""
    color = picture.new_tensor(MASK_COLOR).view(1, 3, 1, 1)
    return composite(picture, color.expand_as(picture), mask / 2)


def say_what_comes(what: Job | Run | RunFolder) -> None:
    """Introduce a new training, or say where one goes on or lies."""
    if isinstance(what, Job):
        for line in plan.introduction(what):
            print(line)
    elif isinstance(what, Run):
        print(
            "Found an unfinished training of this picture with these settings. Going on at stage "
            f"{what.trainer.stage + 1}, iteration {what.trainer.iteration}: {what.path}"
        )
    else:
        print(f"Trained already with these settings, nothing to do: {what.path}")
