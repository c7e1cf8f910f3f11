"""A run in a few words, a thumbnail and tables: what the page shows of it without loading it."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image

from consingan.errors import UserError
from consingan.images.channels import eye
from consingan.images.io import to_pixels
from consingan.images.names import image_stem
from consingan.images.picture import Picture
from consingan.machine.files import make_folder
from consingan.machine.progress import in_words
from consingan.methods.contract import Method
from consingan.methods.registry import method_of
from consingan.metrics.judge import METRICS, Judgement
from consingan.report.gather import settings
from consingan.report.kinds import KINDS
from consingan.report.style import number
from consingan.report.write import REPORT_FILE, kept_record
from consingan.runs.files import EVALUATION, PYRAMID
from consingan.runs.folder import RunFolder
from consingan.runs.listing import runs_below
from consingan.runs.manifest import MANIFEST
from consingan.runs.weights import is_of_the_run
from consingan.settings.config import Config
from consingan.web.fields import with_labels
from consingan.web.pictures import reduced

THUMBNAIL = 240  # px, longer side


@dataclass(frozen=True)
class Card:
    """A run as the gallery shows it.

    Attributes:
        name: of the run below the folder of runs.
        path: its folder.
        config: its settings.
        status: of its training.
        seconds: that the training took so far.
        learns: whether there is anything to be trained.
    """

    name: str
    path: Path
    config: Config
    status: str
    seconds: float
    learns: bool

    @property
    def method(self) -> Method:
        """That it was trained with."""
        return method_of(self.config.method)

    @property
    def title(self) -> str:
        """In words, for people: picture, method, task, when, and whether it is unfinished."""
        when = re.match(r"\d{4}_(\d\d)_(\d\d)_(\d\d)_(\d\d)", self.path.name)
        date = f", {when[2]}.{when[1]}. {when[3]}:{when[4]}" if when else ""
        state = "" if self.status == "finished" else f" ({self.status})"
        picture = image_stem(self.config.input_name)
        return f"{picture}: {self.method.title}, {self.config.train_mode}{date}{state}"

    @property
    def report(self) -> Path:
        """The page of its last evaluation that was judged."""
        return self.path / EVALUATION / REPORT_FILE


def cards(root: Path) -> list[Card]:
    """All runs below `root` that can be read, the newest first."""
    found = (_card(name, path) for name, path in runs_below(root).items())
    return [card for card in found if card is not None]


def card_of(root: Path, name: str | None) -> Card:
    """The run of that name.

    Raises:
        UserError: there is none.
    """
    found = [card for card in cards(root) if card.name == name]
    if not found:
        raise UserError("That run is gone; choose another." if name else "Choose a run first.")
    return found[0]


def _card(name: str, path: Path) -> Card | None:
    try:
        stamps = tuple((path / file).stat().st_mtime_ns for file in (MANIFEST, "config.json"))
    except OSError:
        return None
    return _read(name, path, stamps)


@lru_cache(maxsize=2048)
def _read(name: str, path: Path, stamps: tuple[int, ...]) -> Card | None:  # noqa: ARG001
    """A run whose files were written at `stamps`: pages look every few seconds."""
    try:
        folder = RunFolder.open(path)
        manifest, config = folder.manifest, folder.config
        seconds = sum(manifest["seconds_per_stage"])
        return Card(name, path, config, manifest["status"], seconds, bool(manifest["stages"]))
    except UserError:
        return None


def thumbnail(card: Card, folder: Path) -> Path | None:
    """A small picture of what it was trained on, made once; None where it cannot be read."""
    key = hashlib.sha256(str(card.path).encode("utf-8", "surrogateescape")).hexdigest()[:24]
    path = make_folder(folder) / f"{key}.jpg"
    if path.is_file():
        return path
    try:
        tensors = RunFolder(card.path).load(PYRAMID)
    except UserError:
        return None
    reals = [tensor for name, tensor in tensors.items() if name.startswith("real.")]
    if not reals:
        return None
    real = max(reals, key=lambda tensor: tensor.shape[-1]).float()
    shown = eye(real, card.config.channels)(real)
    small = to_pixels(reduced(Picture(shown), THUMBNAIL))
    # Hundreds may be made in a row: as PNGs that the disk confirms they took half a minute.
    Image.fromarray(small).save(path, quality=95, subsampling=0)
    return path


def facts(card: Card) -> str:
    """Settings that are not the usual ones, time and metrics, as HTML."""
    rows = [("status", card.status), ("folder", str(card.path))]
    if card.learns:
        rows.insert(1, ("training took", in_words(card.seconds)))
    changed = [s for s in settings(card.config) if s.changed and s.flag != "--input_name"]
    rows += [(with_labels(each.flag).strip('-"'), str(each.value)) for each in changed]
    return _table("Settings", rows) + _table("Metrics", _metrics(card))


def _metrics(card: Card) -> list[tuple[str, str]]:
    """Figures that an evaluation left of the run as it is now."""
    try:
        record = kept_record(card.path)
        if not is_of_the_run(record, card.path):
            return []
        judgement = Judgement.from_dict(record)
        kind = KINDS[card.method.task_of(card.config).output]
        late = kind.mapped and record.get("start_stage")  # samples with the image's layout
    except (OSError, UserError, ValueError, KeyError, TypeError):
        return []
    rows = [
        (f"{METRICS[name].title} ({METRICS[name].better} is better)", number(summary.mean))
        for name, summary in judgement.metrics.items()
        if name in METRICS and not late
    ]
    quality = judgement.reconstruction
    return [*rows, ("reconstruction PSNR, dB", number(quality.psnr))] if quality else rows


def said_of_report(card: Card) -> tuple[str, ...]:
    """A sentence where its report is of the run before it was trained on, or longer; else none."""
    try:
        same = is_of_the_run(kept_record(card.path), card.path)
    except (OSError, UserError, ValueError, KeyError, TypeError):
        return ()
    return () if same else ("This report is of the run before it was trained on; judge it anew.",)


def _table(title: str, rows: Iterable[tuple[str, str]]) -> str:
    """A table of two columns, whatever is in it shown as text."""
    lines = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(value)}</td></tr>'
        for name, value in rows
    )
    return (
        f'<table class="facts"><caption>{html.escape(title)}</caption>{lines}</table>'
        if lines
        else ""
    )


def framed(page: str, title: str) -> str:
    """A whole page inside of this one, where it can run nothing and reach nobody."""
    return (
        f'<iframe class="report" sandbox="" title="{html.escape(title)}" '
        f'srcdoc="{html.escape(page)}"></iframe>'
    )
