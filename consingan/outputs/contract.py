"""What an output is: a kind of result with options of its own. Imports no torch."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from consingan.images.names import IMAGE_FORMATS
from consingan.settings.option import option

if TYPE_CHECKING:
    from torch import Tensor

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to make of a trained model; each output adds its own options."""

    seed: int = option(0, "Other numbers give other pictures.", minimum=0)
    image_format: str = option(
        "auto",
        "Format of pictures; png16 and tiff16 have 16 bit. Auto: PNG as deep as the image.",
        choices=tuple(IMAGE_FORMATS),
        flag="format",
    )


@dataclass(frozen=True)
class Kept:
    """The picture of the user's own that a run was trained with, for where none is named.

    Attributes:
        noted: its "path" and, as far as the run says so, its "sha256".
        image: (1, 3, H, W) in [-1, 1] as the run keeps it; None: the file is to be read.
        notes: whole sentences that the user should read.
    """

    noted: Mapping[str, str]
    image: Tensor | None = None
    notes: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Where it lies, or lay."""
        return self.noted["path"]


class Work(Protocol):
    """A request that was found to be possible."""

    def idle(self) -> Iterator[tuple[str, str]]:
        """Options that change nothing here, each with when that is so."""
        ...

    def write(self, folder: Path, say: Say) -> Any:
        """Make everything and write it into `folder`; what a report needs of it."""
        ...


@runtime_checkable
class FromPictures(Protocol):
    """What a work has besides, that is made from pictures of the user's own."""

    @property
    def inputs(self) -> Mapping[str, Path]:
        """Their files, by the option that names them; results are kept under "naive_img"."""
        ...


@runtime_checkable
class Examines(Protocol):
    """What a work has besides, whose results are put to a test, which takes time of its own."""

    @property
    def of_examination(self) -> Sequence[str]:
        """Options that count for the test alone."""
        ...

    def examine(self, made: Any, folder: Path, say: Say) -> Any:
        """What `Work.write` made, with the outcome; not asked for where nothing is judged."""
        ...


class OutputCode(Protocol):
    """The module that an output's `code` names."""

    def begin(self, model: Any, request: Any) -> Work:
        """Look whether `model` can do it; nothing is made yet.

        Raises:
            UserError: it cannot.
        """
        ...

    def preview(self, model: Any, naive: Tensor | None) -> list[Tensor]:
        """Some pictures (1, 3, h, w) of a model in training.

        Args:
            model: that is being trained.
            naive: the user's own picture at its own size, if there is one.
        """
        ...


@runtime_checkable
class Recalls(Protocol):
    """What an output's code has besides, that works on the picture a run was trained with."""

    def begin_with(self, model: Any, request: Any, kept: Kept) -> Work:
        """The same as `OutputCode.begin` for that picture, none being named.

        Raises:
            UserError: it cannot be done.
        """
        ...


@dataclass(frozen=True)
class Output:
    """A row of the table of outputs.

    Attributes:
        name: a key of `registry.OUTPUTS`, as a task names it.
        plural: what it makes, for sentences.
        request: its options.
        code: module that does the work, see `OutputCode`.
        previewed: names of what `OutputCode.preview` gives; without them it gives samples.
    """

    name: str
    plural: str
    request: type[Request]
    code: str
    previewed: tuple[str, ...] = ()

    def load(self) -> OutputCode:
        """Import its code, and torch with it."""
        return cast(OutputCode, importlib.import_module(self.code))
