"""The settings that all methods share: one frozen dataclass that is also the table of options.

Every field carries what the command line needs (help text, range, flags), so that a default, a
check or a sentence of help stands in one place. A method adds its own in a subclass. A Config is
made once and never assigned to.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from consingan.errors import UserError
from consingan.settings.option import check_field, option
from consingan.settings.reading import AUTO, CHANNELS, FULL_8, Reading, parse_range

RUNS = Path("TrainedModels")  # where runs are made and looked for
FITS = ("exact", "crop", "stretch")
LARGEST_SEED = 2**31 - 1
DEFAULT_METHOD = "consingan"
UNASKED = 2**22  # px of a sample and the image up to which a preset's finish is carried out

C = TypeVar("C", bound="Config")


@dataclass(frozen=True, kw_only=True)
class Config:
    """All settings that decide what is trained. Sizes are in px; `check` holds them to ranges."""

    input_name: str = option(
        "",
        "The training image: a picture file, or skimage:NAME; of a folder, each picture in turn.",
    )
    method: str = option(DEFAULT_METHOD, "How: see `consingan methods`.")
    train_mode: str = option("generation", "What the model is for.")
    preset: str = option(
        "paper",
        "Effort: paper as published, others in less time; `consingan methods` names them.",
        metavar="NAME",
    )
    max_size: int = option(
        250, "Longer side of the training size (px): larger is sharper and slower.", minimum=3
    )
    niter: int = option(
        2000, "Iterations per stage: fewer are faster and rougher.", minimum=1, maximum=10**9
    )
    manual_seed: int = option(
        0,
        "Seed of all randomness; a drawn one is printed.",
        minimum=0,
        maximum=LARGEST_SEED,
        flag="manualSeed",
        shown="drawn",
    )
    naive_img: str = option("", "The picture to be harmonized or edited.", group="own picture")
    fit: str = option(
        "exact",
        "For a --naive_img of another shape than the training image: crop or stretch it.",
        choices=FITS,
        group="own picture",
    )
    value_range: str = option(
        AUTO,
        "Values of a picture deeper than 8 bit that are black and white: MIN,MAX; full, those of "
        "its type; or auto. With MIN,MAX,deep pictures of 8 bit are left as they are.",
        flag="range",
        metavar="MIN,MAX",
        group="own picture",
        before=FULL_8,
    )
    page: int = option(
        0,
        "Page, frame or band of a file that has several, from 1; 0 takes the first, "
        "of HEIC the one that is shown.",
        minimum=0,
        group="own picture",
    )
    channels: str = option(
        AUTO,
        "What of the picture is trained: gray, rgb, rgba with its opacity, or all bands of a TIFF.",
        choices=(AUTO, *CHANNELS),
        group="own picture",
    )
    fine_tune: bool = option(
        False, "Train a finished run (--model_dir) on --naive_img.", group="own picture"
    )

    def check(self) -> None:
        """Refuse values that cannot work.

        Raises:
            UserError: one sentence that names the flag, the value and what would be right.
        """
        for field in dataclasses.fields(self):
            check_field(field, getattr(self, field.name))
        parse_range(self.value_range)

    @property
    def reading(self) -> Reading:
        """How its pictures are read."""
        return Reading(self.value_range, self.page)

    @property
    def wraps(self) -> tuple[bool, bool]:
        """Whether pictures go on at their other end: bottom at top, and right at left."""
        return False, False

    @property
    def finished(self) -> float:
        """How much of its samples is made anew of the image's patches where nobody says."""
        return 0.0

    @property
    def finished_within(self) -> float:
        """How far from its layout that may bring a sample, see `contract.Finishes`; 0: anywhere."""
        return 0.0

    def with_channels(self: C, channels: str, count: int) -> C:  # noqa: ARG002 - for networks
        """These settings for a picture of that kind, which has `count` channels."""
        return self.replace(channels=channels)

    def to_json(self) -> dict[str, Any]:
        """All fields as plain values; `from_json` is its inverse."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls: type[C], values: Mapping[str, Any]) -> C:
        """The Config that `to_json` came from; unknown names are an error.

        Missing ones are younger than the run: they have their default, or what was done before.

        Raises:
            UserError: a name is unknown or a value cannot work.
        """
        befores = {field.name: field.metadata["before"] for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - set(befores))
        if unknown:
            raise UserError(f"Unknown setting {unknown[0]!r} in the configuration.")
        befores = {name: before for name, before in befores.items() if before is not None}
        config = cls(**{**befores, **values})
        config.check()
        return config

    def replace(self: C, **changes: Any) -> C:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)
