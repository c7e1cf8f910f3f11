"""Variations of a picture at once: the way in that needs no run's folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from consingan.errors import UserError
from consingan.images.deep import write_as
from consingan.images.names import IMAGE_FORMATS
from consingan.images.picture import gray_as
from consingan.machine.device import describe
from consingan.machine.execution import Execution
from consingan.machine.files import make_folder
from consingan.machine.locking import alone_in
from consingan.machine.progress import ticking
from consingan.methods.registry import UNTRAINED
from consingan.outputs.formats import chosen_format, said_of_range
from consingan.outputs.own_samples import OwnSamples
from consingan.outputs.tiles import doubled, seam_of
from consingan.settings.reading import AUTO
from consingan.settings.tiles import NONE, TILES
from consingan.training.prepare import Job, prepare

Size = tuple[int, int]
PREVIEW = "_2x2"
LONGEST = 500  # px, longer side to which a picture is reduced where nobody says otherwise


@dataclass(frozen=True)
class Wish:
    """What to make of a picture.

    Attributes:
        picture: a file, or skimage:NAME.
        count: how many.
        size: (h, w) in px of the results; None is the picture's own.
        retarget: whether the layout is kept in another size.
        tile: both, horizontal or vertical; None for pictures that end at their borders.
        symmetric: the half that is mirrored onto the other: left, right, top or bottom.
        seed: chooses the pictures.
        max_size: longer side in px to which the picture is reduced; None: `LONGEST`.
        engine: as `--engine`.
        loosen: how much of the stretched layout is made anew, 0 to 1.
        rows: how far rows keep their height, 0 to 1; None is the default.
        value_range: as `--range`.
    """

    picture: str
    count: int = 4
    size: Size | None = None
    retarget: bool = False
    tile: str | None = None
    symmetric: str | None = None
    seed: int = 0
    max_size: int | None = None
    engine: str = "auto"
    loosen: float = 0.0
    rows: float | None = None
    value_range: str = AUTO

    @property
    def longest(self) -> int:
        """Longer side in px to which the picture is reduced."""
        return LONGEST if self.max_size is None else self.max_size

    def settings(self) -> dict[str, Any]:
        """As a training takes them.

        Raises:
            UserError: two of the wishes do not go together, or one lacks another.
        """
        if self.retarget and self.size is None:
            raise UserError("--retarget needs --size, the shape that the picture is brought to.")
        if self.loosen and not self.retarget:
            raise UserError("--loosen needs --retarget, whose layout it loosens.")
        if self.rows is not None and (self.retarget or TILES[self.tile or NONE][0]):
            beside = "--retarget" if self.retarget else f"--tile {self.tile}"
            raise UserError(f"--rows does nothing with {beside}; leave one of them out.")
        rows = {} if self.rows is None else {"rows": self.rows}
        return rows | {
            "method": UNTRAINED,
            "train_mode": "retarget" if self.retarget else "generation",
            "input_name": self.picture,
            "loosen": self.loosen,
            "max_size": self.max_size,
            "manual_seed": self.seed,
            "tile": self.tile or NONE,
            "symmetric": self.symmetric or "none",
            "value_range": self.value_range,
        }


@dataclass(frozen=True)
class Made:
    """One picture (1, 3, h, w) in [-1, 1] with its file; of a tile, the error of its seam."""

    picture: Tensor
    path: Path
    seam: float | None = None


def make(
    wish: Wish, execution: Execution, folder: Path, say: Callable[[str], None] = lambda _: None
) -> Iterator[Made]:
    """Make pictures; each is written before the next is begun.

    `sample_<i>.png` and, of a tile, `sample_<i>_2x2.png` go into `folder`; of 16 bit where the
    picture is. What an earlier one left there is removed, see `outputs.own_samples`.

    Raises:
        UserError: the picture, a size, the engine or the folder cannot be used.
    """
    job = prepare(wish.settings(), execution, usual={"max_size": LONGEST})
    form = chosen_format(AUTO, job.chosen.config)
    own = OwnSamples(folder, _names(wish, form))
    own.refuse_among_them(wish.picture)
    model: Any = job.training.model
    say(f"device {describe(execution.device)}")  # no precision: patches compute in their own
    for line in (*execution.notes, *job.notes, *model.facts(wish.size)):
        say(line)
    if said := said_of_range(form, job.chosen.config):
        say(said)
    with alone_in(make_folder(folder), "writing its pictures"):
        yield from _made(wish, job, form, own, say)


def _made(
    wish: Wish, job: Job, form: str, own: OwnSamples, say: Callable[[str], None]
) -> Iterator[Made]:
    """The same of a folder that nobody else writes into.

    What is there makes way for the first picture only when that is made: a size that turns out
    too large must not cost the results before.
    """
    model: Any = job.training.model
    with ticking(wish.count * model.steps(wish.size), "making pictures") as model.done:
        for index in range(wish.count):
            picture = gray_as(model.real.cpu(), model.sample([index], wish.size, wish.seed))
            if index == 0:
                own.make_way(say)
            path = write_as(own.folder / f"sample_{index}", picture, form)
            own.own(path)
            if wish.tile is None:
                yield Made(picture, path)
                continue
            own.own(write_as(own.folder / f"sample_{index}{PREVIEW}", doubled(picture), form))
            yield Made(picture, path, seam_of(picture, job.chosen.config.wraps))


def _names(wish: Wish, form: str) -> list[str]:
    """Of the files that are to be written."""
    endings = ("",) if wish.tile is None else ("", PREVIEW)
    suffix = IMAGE_FORMATS[form][0]
    return [f"sample_{index}{end}{suffix}" for index in range(wish.count) for end in endings]
