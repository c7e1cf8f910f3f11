"""The trainings of a study, one by one, and whether a ledger tells of one of them."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consingan.batch import ledger
from consingan.batch.named import FILES, alone, are_as_before, facts_of, is_same_file
from consingan.batch.study import Study, pictures_of, variants, varied
from consingan.images.names import SCIKIT_IMAGE, shown
from consingan.methods.choose import choose_settings
from consingan.methods.registry import METHODS
from consingan.settings.option import as_kind

LONGEST_NAME = 100  # characters of a folder's name
MOST_BYTES = 255  # of a folder's name on a disk
OF_JUDGING = ("samples", "inception")  # of what an order asks for
ALONE = (*FILES, "inception")  # of it, without their folders


@dataclass(frozen=True)
class Order:
    """One training that a study asks for.

    Attributes:
        name: of its folder in the study's.
        picture: the training image, as `input_name`.
        label: what the picture is called in tables.
        variant: what is varied, with the values of this training.
        typed: settings as they would be typed, with the seed.
        machine: fields of `machine.execution.Wanted`.
        samples: how many to judge.
        save_every: iterations between saves; None is as often as costs little.
        inception: weights for SIFID.
    """

    name: str
    picture: str
    label: str
    variant: Mapping[str, Any]
    typed: Mapping[str, Any]
    machine: Mapping[str, Any]
    samples: int = 20
    save_every: int | None = None
    inception: str = ""

    @property
    def seed(self) -> int:
        """Of the training."""
        return int(self.typed["manual_seed"])

    @property
    def words(self) -> str:
        """What it is called where it is watched."""
        values = [f"{name} {value}" for name, value in self.variant.items()]
        return shown(", ".join([self.label, *values, f"seed {self.seed}"]))


def orders_of(
    study: Study, save_every: int | None = None, lost: Collection[str] = ()
) -> list[Order]:
    """All trainings of a study; of folders those of pictures that are there, and of `lost` ones.

    Named as if they were new: `kept.orders_in` knows where they lie.

    Raises:
        UserError: a folder holds no picture.
    """
    names = varied(study)
    told = _told(study)
    return [
        Order(
            _folder_name(label, told(typed), seed),
            picture,
            label,
            {name: value for name, value in told(typed).items() if name in names},
            {**typed, "manual_seed": seed},
            study.machine,
            study.samples,
            save_every,
            study.inception,
        )
        for picture, label in _labels(pictures_of(study, lost))
        for typed in variants(study)
        for seed in study.seeds
    ]


def _told(study: Study) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Says settings without the folders of files, where the files' names tell them apart."""
    apart = {
        name
        for name, values in study.settings.items()
        if name in FILES and len(set(map(alone, values))) == len(values)
    }
    return lambda typed: {k: alone(value) if k in apart else value for k, value in typed.items()}


def _labels(pictures: list[str]) -> Iterator[tuple[str, str]]:
    """Each picture with its file name, made unique where folders hold files of one name.

    Upper and lower case are one on some disks.
    """
    count = Counter(_file_name(picture).casefold() for picture in pictures)
    for picture in pictures:
        name = _file_name(picture)
        yield picture, name if count[name.casefold()] == 1 else f"{name}~{digest(picture)}"


def _file_name(picture: str) -> str:
    return picture[len(SCIKIT_IMAGE) :] if picture.startswith(SCIKIT_IMAGE) else Path(picture).name


def _folder_name(label: str, typed: Mapping[str, Any], seed: int) -> str:
    """A name that stays as it is when the study grows: it says all that was typed."""
    told = [str(typed.get(name, "")) for name in ("method", "train_mode", "preset")]
    rest = [f"{k}_{typed[k]}" for k in sorted(typed) if k not in ("method", "train_mode", "preset")]
    whole = "-".join(word for word in (label, *told, *rest, f"seed_{seed}") if word)
    name = re.sub(r"[^\w.~+-]", "_", whole)
    long = len(name) > LONGEST_NAME or len(name.encode()) > MOST_BYTES
    if name != whole or long:
        mark = f"~{digest(whole)}"
        name = name[:LONGEST_NAME].encode()[: MOST_BYTES - len(mark)].decode(errors="ignore") + mark
    return name


def digest(text: str) -> str:
    """Eight characters that tell texts apart."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def asked_of(order: Order) -> dict[str, Any]:
    """All settings of an order with what presets mean by now: that may change.

    Files that settings name are without their folders: what they hold counts, see `named`.
    """
    settings: dict[str, Any] = choose_settings(order.typed).config.to_json()
    return _asked({**settings, "samples": order.samples, "inception": order.inception})


def asked_before(entry: ledger.Json) -> dict[str, Any] | None:
    """The same of what a ledger tells; None where it tells nothing.

    Settings that there were not yet when it was written are as runs of that time were made.
    """
    asked = entry.get("asked")
    if not isinstance(asked, dict):
        return None
    fields = _fields(asked)
    before = {name: _before(field) for name, field in fields.items() if name not in asked}
    return _asked({**before, **asked})


def _fields(asked: Mapping[str, Any]) -> Mapping[str, dataclasses.Field[Any]]:
    known = METHODS.get(str(asked.get("method")))
    return known.config.__dataclass_fields__ if known else {}


def _asked(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The same, however it was written: files without their folders, real numbers as such."""
    told = {name: alone(value) if name in ALONE else value for name, value in asked.items()}
    rows = {name: field for name, field in _fields(asked).items() if name in told}
    return {**told, **{name: as_kind(field, told[name]) for name, field in rows.items()}}


def _before(field: dataclasses.Field[Any]) -> Any:
    before = field.metadata.get("before")
    return field.default if before is None else before


def is_of_training(entry: ledger.Json, order: Order, picture: str) -> bool:
    """Whether a ledger tells of an order's own training, judged alike or not.

    Args:
        entry: of the order's folder, perhaps left by another training: the picture was replaced.
        order: what is asked for.
        picture: where the training image lies here.
    """
    if asked_before(entry) is None or meant_otherwise(entry, order):
        return False
    try:
        return is_same_picture(picture, entry.get("picture")) and _same_files(order, entry)
    except OSError:  # it is gone
        return False


def meant_otherwise(entry: ledger.Json, order: Order) -> dict[str, Any]:
    """Settings that a ledger's training had, where those of an order are others by now.

    In an order's own folder the same was typed: what a preset or a default means has changed.
    """
    asked, before = asked_of(order), asked_before(entry)
    if before is None:
        return {}
    trained = (name for name in asked if name not in OF_JUDGING)
    return {name: before.get(name) for name in trained if before.get(name) != asked[name]}


def meant_before(found: Mapping[str, Any]) -> str:
    """How what `meant_otherwise` found is asked for again, "--set warps=true"."""
    values = ((name, str(value).lower() if value is True or value is False else value)
              for name, value in found.items())  # fmt: skip
    return " ".join(f"--set {name}={value}" for name, value in values)


def was_of_others(entry: ledger.Json, order: Order) -> bool:
    """Whether a ledger tells of a picture, or of files named by settings, that changed since.

    What is gone, cannot be read or was not noted has not changed.
    """
    before = entry.get("picture")
    try:
        same = not before or is_same_picture(order.picture, before)
        return not (same and _same_files(order, entry))
    except OSError:
        return False


def _same_files(order: Order, entry: ledger.Json) -> bool:
    return are_as_before(order.typed, entry.get("files"))


def picture_facts(picture: str) -> dict[str, Any]:
    """What tells whether a picture's file is another by now; {} of one that is no file."""
    if picture.startswith(SCIKIT_IMAGE):
        return {}
    return facts_of(Path(picture))


def is_same_picture(picture: str, before: Any) -> bool:
    """Whether a picture's file holds what it held; read only if its size or time is another."""
    if picture.startswith(SCIKIT_IMAGE) or not isinstance(before, dict):
        return picture.startswith(SCIKIT_IMAGE) and not before
    return is_same_file(Path(picture), before)
