"""Which folder of a study keeps which training: by what its ledger says, before its name.

A name depends on how a path was written and on which other pictures there are. What was trained is
found again though both change, and though a picture has moved from one folder to another.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from consingan.batch import ledger
from consingan.batch.named import are_as_before
from consingan.batch.orders import (
    OF_JUDGING,
    Order,
    asked_before,
    asked_of,
    digest,
    is_same_picture,
    orders_of,
)
from consingan.batch.study import Study
from consingan.errors import UserError
from consingan.images.names import SCIKIT_IMAGE, image_stem
from consingan.machine.files import read_json

Key = tuple[str, str]


def orders_in(
    folder: Path, study: Study, save_every: int | None = None
) -> tuple[list[Order], list[Order]]:
    """The trainings of a study as its folder keeps them: those that are meant, and what there is
    of pictures that have left the study's folders since.

    Raises:
        UserError: a folder holds no picture.
    """  # noqa: D205 - one sentence
    lost = _lost_pictures(study, folder)
    asked = settled(orders_of(study, save_every, lost), folder)
    meant = [order for order in asked if order.picture not in lost]
    names = {order.name for order in meant}
    gone = [o for o in asked if o.picture in lost and o.name not in names]
    return meant, [order for order in gone if ledger.read(folder / order.name)]


def _lost_pictures(study: Study, folder: Path) -> list[str]:
    """Pictures of a study's folders that were trained on and are not there any more."""
    places = {Path(name).absolute() for name in study.pictures}
    books = sorted(folder.glob(f"*/{ledger.LEDGER}"))
    found = [_trained_on(book.parent, ledger.read(book.parent)) for book in books]
    here = [one for one in found if one and Path(one).absolute().parent in places]
    return [one for one in dict.fromkeys(here) if not _exists(one)]


def _trained_on(folder: Path, entry: ledger.Json) -> str:
    """The picture that an order's run names; "" where there is none, or it is of skimage."""
    with contextlib.suppress(UserError):
        name = read_json(folder / str(entry.get("run")) / "config.json").get("input_name")
        if isinstance(name, str) and not name.startswith(SCIKIT_IMAGE):
            return name
    return ""


def settled(orders: Sequence[Order], folder: Path) -> list[Order]:
    """Orders with the names of the folders that keep their trainings, as far as any does.

    A picture that is there comes before one that is gone: it may be the same that has moved.
    """
    books = sorted(folder.glob(f"*/{ledger.LEDGER}"))
    entries = {book.parent.name: ledger.read(book.parent) for book in books}
    if not entries:
        return list(orders)
    alike: dict[Key, list[str]] = {}
    for name, entry in entries.items():
        alike.setdefault(_key_in(entry), []).append(name)
    found: dict[str, str] = {}  # name of an order -> of the folder that keeps it
    taken: set[str] = set()
    for there in (True, False):
        some = [(o, alike.get(_key_of(o), [])) for o in orders if _is_there(o) == there]
        own = [(order, [name for name in names if name == order.name]) for order, names in some]
        for order, names in (*own, *some):  # nobody takes the folder that is another's by name
            for name in names:
                if order.name in found or name in taken:
                    continue
                if _is_picture(order, folder / name, entries[name]):
                    found[order.name] = name
                    taken.add(name)
    return [replace(order, name=_name(order, found, taken)) for order in orders]


def _name(order: Order, found: Mapping[str, str], taken: Collection[str]) -> str:
    """Of the folder that keeps it, else its own; one beside that where another's lies there."""
    own = f"{order.name}~{digest(order.picture)}" if order.name in taken else order.name
    return found.get(order.name, own)


def _key_of(order: Order) -> Key:
    return _key(asked_of(order), image_stem(order.picture))


def _key_in(entry: ledger.Json) -> Key:
    """The same of what a ledger tells; nothing asks for what was not begun."""
    asked, run = asked_before(entry), entry.get("run")
    if asked is None or not isinstance(run, str):
        return "", ""
    return _key(asked, run.partition("/")[0])


def _key(asked: Mapping[str, Any], stem: str) -> Key:
    settings = {name: value for name, value in asked.items() if name not in OF_JUDGING}
    return json.dumps(settings, sort_keys=True), stem


def _is_there(order: Order) -> bool:
    return order.picture.startswith(SCIKIT_IMAGE) or _exists(order.picture)


def _exists(name: str) -> bool:
    return os.path.exists(name)  # noqa: PTH110 - of any length, and in a folder that is closed


def _is_picture(order: Order, folder: Path, entry: ledger.Json) -> bool:
    """Whether a training is of an order's picture: by what that holds; once gone by its path."""
    if not _is_there(order):
        before = _trained_on(folder, entry)
        return bool(before) and Path(before).absolute() == Path(order.picture).absolute()
    try:
        same = is_same_picture(order.picture, entry.get("picture"))
        return same and are_as_before(order.typed, entry.get("files"))
    except OSError:  # it cannot be read
        return False
