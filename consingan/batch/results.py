"""A study's results: gathered from the ledgers of its trainings, written as page and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from consingan.batch import ledger
from consingan.batch.done import is_longer, tells_of_order
from consingan.batch.ledger import Ended
from consingan.batch.orders import Order, meant_before, meant_otherwise, was_of_others
from consingan.machine.files import write_json, write_text
from consingan.metrics.judge import Judgement
from consingan.report.study import Trained
from consingan.report.study_page import page
from consingan.report.study_tables import latex, markdown, record, table_csv
from consingan.runs.about import versions

PAGE = "study.html"
NOT_BEGUN = "not begun"


def results_of(
    folder: Path,
    meant: Sequence[Order],
    gone: Sequence[Order],
    ended: Mapping[str, Ended] | None = None,
) -> list[Trained]:
    """Trainings of a study as they are now, whether their pictures are still there or not.

    Args:
        folder: of the study.
        meant: those that are asked for.
        gone: those of pictures that are not there any more, see `kept.orders_in`.
        ended: what just ended, by name; a failure counts though its folder could not be written.
    """
    names = {order.name for order in meant}
    shown = (*meant, *(order for order in gone if order.name not in names))
    return [_trained(order, folder, (ended or {}).get(order.name)) for order in shown]


def notes_on(orders: Sequence[Order], folder: Path) -> Iterator[str]:
    """What is to be said of figures that are not of the runs that the study asks for by now."""
    if longer := [order for order in orders if _has_figures_alone(folder / order.name)]:
        yield (
            f"{len(longer)} trained longer since, by hand, {longer[0].words} first; the results "
            "have the figures from before."
        )
    if other := [(o, found) for o in orders if (found := _meant_before(folder / o.name, o))]:
        order, found = other[0]
        yield (
            f"{len(other)} trained with {meant_before(found)}, {order.words} first, which the "
            "study does not ask for any more: what a preset or a default means has changed. "
            "The results have these figures until consingan batch trains anew."
        )


def _has_figures_alone(folder: Path) -> bool:
    entry = ledger.read(folder)
    return is_longer(folder, entry) and tells_of_order(folder, entry)


def _meant_before(folder: Path, order: Order) -> dict[str, Any]:
    """Settings of the training whose figures are shown that its order means otherwise by now."""
    entry = ledger.read(folder)
    shown = entry.get("status") == ledger.FINISHED and not was_of_others(entry, order)
    return meant_otherwise(entry, order) if shown else {}


def _trained(order: Order, folder: Path, ended: Ended | None) -> Trained:
    place = folder / order.name
    entry = ledger.read(place)
    if was_of_others(entry, order) or not tells_of_order(place, entry):
        entry = {}
    elif is_longer(place, entry):
        entry.pop("run")  # its pictures are not those of the figures any more
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


def write_results(folder: Path, trained: Sequence[Trained], to: Path | None) -> Path:
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
