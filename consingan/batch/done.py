"""Which trainings of a study are done."""

from __future__ import annotations

from pathlib import Path

from consingan.batch import ledger
from consingan.batch.named import alone
from consingan.batch.orders import Order, is_of_training
from consingan.errors import UserError


def is_done(order: Order, study: Path) -> bool:
    """Whether a study's folder holds the finished run of an order, judged as it asks.

    A training that diverged is done however it would be judged: it would only diverge again.
    """
    folder = study / order.name
    entry = ledger.read(folder)
    if entry.get("status") not in (ledger.FINISHED, ledger.FAILED):
        return False
    if not is_of_training(entry, order, order.picture):
        return False
    if entry["status"] == ledger.FAILED:
        return bool(entry.get("hopeless"))
    return _is_judged(entry, order) and _holds(folder, entry)


def _is_judged(entry: ledger.Json, order: Order) -> bool:
    """Whether the figures are those that an order asks for.

    Earlier releases took the figures of an evaluation by hand, of any number of samples.
    """
    asked, count = entry["asked"], (entry.get("judgement") or {}).get("count", 0)
    weights = alone(asked.get("inception")) == alone(order.inception)
    return weights and asked.get("samples") == order.samples and count in (0, order.samples)


def _holds(folder: Path, entry: ledger.Json) -> bool:
    """Whether an order's folder holds its finished run, and all that this learned."""
    from consingan.runs.earlier import is_whole
    from consingan.runs.folder import RunFolder

    name = entry.get("run")
    if not isinstance(name, str) or not (folder / name).is_dir():
        return False
    try:
        return is_whole(RunFolder.open(folder / name))
    except UserError:
        return False
