"""A study's results: gathered from the ledgers of its trainings, written as page and tables."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from consingan.batch import ledger
from consingan.batch.ledger import Ended
from consingan.batch.orders import Order, orders_of
from consingan.batch.plan import kept_study
from consingan.batch.study import Study
from consingan.errors import UserError
from consingan.images.names import SCIKIT_IMAGE
from consingan.machine.files import read_json, write_json, write_text
from consingan.metrics.judge import Judgement
from consingan.report.study import Trained
from consingan.report.study_page import page
from consingan.report.study_tables import latex, markdown, record, table_csv
from consingan.runs.about import versions

PAGE = "study.html"
NOT_BEGUN = "not begun"


def results_of(
    folder: Path,
    orders: Sequence[Order] = (),
    study: Study | None = None,
    ended: Mapping[str, Ended] | None = None,
) -> list[Trained]:
    """Trainings of a study as they are now, whether their pictures are still there or not.

    Args:
        folder: of the study.
        orders: those that are meant; by default all that the description asks for.
        study: the description; by default that which the folder keeps.
        ended: what just ended, by name; a failure counts though its folder could not be written.

    Raises:
        UserError: the folder holds no study.
    """
    study = study or kept_study(folder)
    lost = lost_pictures(study, folder)
    asked = orders_of(study, lost=lost)
    meant = list(orders or (order for order in asked if order.picture not in lost))
    names = {order.name for order in meant}
    gone = [o for o in asked if o.picture in lost and ledger.read(folder / o.name)]
    shown = (*meant, *(o for o in gone if o.name not in names))
    return [_trained(order, folder, (ended or {}).get(order.name)) for order in shown]


def lost_pictures(study: Study, folder: Path) -> list[str]:
    """Pictures of a study's folders that were trained on and are not there any more."""
    places = {Path(name).absolute() for name in study.pictures}
    found = [one for one in _trained_on(folder) if Path(one).absolute().parent in places]
    return [one for one in dict.fromkeys(found) if not Path(one).exists()]


def _trained_on(folder: Path) -> Iterator[str]:
    """The pictures that the runs in a study's folder name, skimage's left out."""
    for book in sorted(folder.glob(f"*/{ledger.LEDGER}")):
        run = ledger.read(book.parent).get("run")
        with contextlib.suppress(UserError):
            name = read_json(book.parent / str(run) / "config.json").get("input_name")
            if isinstance(name, str) and not name.startswith(SCIKIT_IMAGE):
                yield name


def _trained(order: Order, folder: Path, ended: Ended | None) -> Trained:
    entry = ledger.read(folder / order.name)
    if ended is not None and ended.status == ledger.FAILED:
        entry |= {"status": ended.status, "error": ended.words}
    found: dict[str, Any] = entry.get("judgement") or {}
    return Trained(
        picture=order.label,
        variant=tuple(order.variant.items()),
        seed=order.seed,
        status=entry.get("status", NOT_BEGUN),
        words=entry.get("error", ""),
        run=Path(order.name) / entry["run"] if "run" in entry else None,
        judgement=Judgement.from_dict(found) if found else None,
        seconds=entry.get("seconds"),
    )


def write_results(folder: Path, trained: Sequence[Trained], to: Path | None = None) -> Path:
    """Write page and tables into a study's folder, anew each time; returns the page.

    Args:
        folder: of the study.
        trained: what `results_of` gives.
        to: the page, if not in the folder.
    """
    write_text(folder / "study.csv", table_csv(trained))
    write_json(folder / "study.json", {"versions": versions(), **record(trained)})
    write_text(folder / "study.md", markdown(trained))
    write_text(folder / "study.tex", latex(trained))
    place = to or folder / PAGE
    write_text(place, page(folder.absolute().name, trained, folder))
    return place
