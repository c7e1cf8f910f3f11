"""What a study is: pictures, methods, presets, settings and seeds, each with each.

It is checked before anything starts, and kept as TOML beside its results:

    pictures = ["/home/me/forest.jpg"]
    methods = ["consingan"]
    presets = ["fast"]
    seeds = [0, 1, 2]

    [set]
    lr_scale = [0.1, 0.3]
"""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consingan.batch.named import FILES, is_file
from consingan.errors import UserError
from consingan.images.folder import is_folder, may_be_read, pictures_in
from consingan.images.names import SCIKIT_IMAGE, refuse_address, shown
from consingan.methods.choose import checked_settings, choose_settings
from consingan.methods.contract import Method
from consingan.methods.registry import method_of
from consingan.settings.config import DEFAULT_METHOD
from consingan.settings.hole import COLOR
from consingan.settings.option import flag_name
from consingan.settings.reading import DEEP

APART = {  # what has a place of its own in the description
    "input_name": "name the pictures",
    "method": "use --method",
    "train_mode": "use --train_mode",
    "preset": "use --preset",
    "manual_seed": "use --seeds",
    "fine_tune": "a study trains anew",
}
NUMBER = r"[-+]?[\d.]+(?:[eE][-+]?\d+)?"
RANGE = rf"full,8|{NUMBER} *, *{NUMBER}(?:{DEEP})?"
WITH_COMMAS = {  # values that are written with commas of their own
    "value_range": RANGE,
    "condition_range": RANGE,
    "mask": rf"{COLOR}[: ]\d+,\d+,\d+",
}
TRUE, FALSE = ("true", "yes", "on"), ("false", "no", "off")


@dataclass(frozen=True)
class Study:
    """The description of a study.

    Attributes:
        pictures: files, folders and skimage:NAME, as they were named.
        methods: names of methods.
        presets: names of presets; none is each method's own default.
        seeds: of the trainings.
        train_mode: the task; None is each method's first one.
        settings: field of a method's Config -> its values. A method that has not the field goes
            without.
        samples: how many are judged of each training.
        machine: fields of `machine.execution.Wanted` that decide the last digits, or more.
        inception: weights for SIFID, as `--inception_weights`.
    """

    pictures: tuple[str, ...]
    methods: tuple[str, ...] = (DEFAULT_METHOD,)
    presets: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)
    train_mode: str | None = None
    settings: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    samples: int = 20
    machine: Mapping[str, Any] = field(default_factory=dict)
    inception: str = ""

    def check(self) -> None:
        """Refuse what cannot be trained, whatever the picture.

        Raises:
            UserError: a setting is unknown or has a value that cannot work.
        """
        for name in self.settings:
            refuse_unknown(name, [method_of(m) for m in self.methods])
        for values in (self.methods, self.presets, self.seeds, *self.settings.values()):
            for value in values:
                if values.count(value) > 1:
                    raise UserError(f"{value} is named twice; name each value once.")
        for typed in variants(self):
            choose_settings({**typed, "manual_seed": self.seeds[0]})


def refuse_unknown(name: str, methods: Sequence[Method]) -> None:
    """A setting must be one that some of the methods have, and that a study may vary.

    Raises:
        UserError: it is not; the sentence names the nearest.
    """
    if name in APART:
        raise UserError(f"--set {name}: that is no setting of a study; {APART[name]}.")
    if any(name in method.config.__dataclass_fields__ for method in methods):
        return
    checked_settings({"method": methods[0].name, name: None})


def row_of(name: str, known: Sequence[Method]) -> dataclasses.Field[Any]:
    """The row of a setting that some of the methods have."""
    fields = (method.config.__dataclass_fields__.get(name) for method in known)
    return next(row for row in fields if row is not None)


def variants(study: Study) -> Iterator[dict[str, Any]]:
    """Each choice of settings as it would be typed, without picture and seed."""
    for name in study.methods:
        fields = method_of(name).config.__dataclass_fields__
        own = {key: values for key, values in study.settings.items() if key in fields}
        for preset in study.presets or (None,):
            told = {"method": name, "train_mode": study.train_mode, "preset": preset}
            for values in itertools.product(*own.values()):
                typed = {**told, **dict(zip(own, values, strict=True))}
                yield {key: value for key, value in typed.items() if value is not None}


def varied(study: Study) -> list[str]:
    """Names of what differs between the study's trainings, picture and seed apart."""
    several = {"method": study.methods, "preset": study.presets, **study.settings}
    return [name for name, values in several.items() if len(values) > 1]


def pictures_of(study: Study, lost: Collection[str] = ()) -> list[str]:
    """The pictures, those of folders one by one, each once by whatever names it was named.

    Args:
        study: the description.
        lost: pictures that are not there any more, to be counted to the folders that they lay in.

    Raises:
        UserError: a folder holds none.
    """
    found: dict[str, str] = {}
    for name in study.pictures:
        for one in _meant(name, lost):
            found.setdefault(one if one.startswith(SCIKIT_IMAGE) else os.path.realpath(one), one)
    return list(found.values())


def _meant(name: str, lost: Collection[str]) -> list[str]:
    """A picture itself; of a folder those that are there and those that were."""
    place = Path(name).absolute()
    were = [one for one in lost if Path(one).absolute().parent == place]
    if not is_folder(name):
        return were or [name]
    try:
        there = [str(path) for path in pictures_in(Path(name))]
    except (UserError, OSError):
        if not were:
            raise
        there = []
    return sorted({*there, *were})


def refuse_missing(study: Study) -> None:
    """Every picture must be there before a study is worked on; its results need none.

    Of what cannot be looked at, as in a closed folder, its own trainings say why.

    Raises:
        UserError: one is not.
    """
    for name in study.pictures:
        if not (name.startswith(SCIKIT_IMAGE) or is_folder(name) or may_be_read(Path(name))):
            refuse_address(Path(name))
            hint = ", or write --set in front of each setting" if "=" in name else ""
            raise UserError(
                f"There is no picture and no folder {shown(name)}; check the path{hint}."
            )


def parse_settings(texts: Sequence[str], methods: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    """What `--set name=a,b` says: ["niter=100,200"] -> {"niter": (100, 200)}.

    Raises:
        UserError: there is no such setting, or a value is not of its kind.
    """
    known = [method_of(name) for name in methods]
    found: dict[str, tuple[Any, ...]] = {}
    for text in texts:
        typed, sign, values = text.partition("=")
        name = typed.strip().replace("-", "_")
        if not sign or not name or not values:
            raise UserError(f"--set {text} is not of the form name=a,b, for example niter=500,1000")
        refuse_unknown(name, known)
        if name in found:
            raise UserError(f"--set {name} is given twice; list its values as {name}=a,b.")
        row = row_of(name, known)
        found[name] = tuple(_value(row, part.strip()) for part in _parts(name, values))
    return found


def _parts(name: str, text: str) -> list[str]:
    """The values of a list; commas that belong to one of them, or to a file's name, part none."""
    if name in FILES and is_file(text.strip()):
        return [text]
    kept = re.sub(WITH_COMMAS.get(name, "$^"), lambda one: one[0].replace(",", "\0"), text)
    return [part.replace("\0", ",") for part in kept.split(",")]


def _value(row: dataclasses.Field[Any], text: str) -> Any:
    """A value as the field's default is one."""
    kind: Any = type(row.default)
    if kind is bool:
        if text.lower() not in (*TRUE, *FALSE):
            raise UserError(f"--set {flag_name(row)}={text} must be true or false.")
        return text.lower() in TRUE
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            words = "a whole number" if kind is int else "a number"
            raise UserError(f"--set {flag_name(row)}={text} must be {words}.") from None
    return text


def near(name: str, known: Sequence[str]) -> str:
    """A hint at the nearest of some names: " did you mean niter?", or which there are."""
    close = difflib.get_close_matches(name, known, 1)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}."
