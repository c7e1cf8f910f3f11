"""Which trainings of a study are done, and whose run was trained longer since."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from consingan.batch import ledger
from consingan.batch.named import alone
from consingan.batch.orders import OF_JUDGING, Order, is_of_training
from consingan.errors import UserError

if TYPE_CHECKING:
    from consingan.runs.folder import RunFolder


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
    return _is_judged(entry, order) and _holds(folder, entry) and tells_of_order(folder, entry)


def is_longer(folder: Path, entry: ledger.Json) -> bool:
    """Whether the run that a ledger names was trained longer since than its order asks.

    Args:
        folder: of the order.
        entry: what its ledger says.
    """
    return _longer(folder, entry) is not None


def tells_of_order(folder: Path, entry: ledger.Json) -> bool:
    """Whether figures in a ledger are of the training that was asked for, before it went on.

    Earlier releases did not note whose weights they judged, and judged longer runs, too. How long
    the run had been trained by then tells, in files that were copied or touched as well.
    """
    run = _longer(folder, entry)
    if run is None or "weights" in entry or run.manifest["status"] != "finished":
        return True
    seconds, now = entry.get("seconds"), sum(run.manifest["seconds_per_stage"])
    if isinstance(seconds, int | float) and now > 0:
        return seconds < now
    with contextlib.suppress(OSError):
        judged = (folder / ledger.LEDGER).stat().st_mtime_ns
        return judged < (run.path / run.last_weights).stat().st_mtime_ns
    return False


def _longer(folder: Path, entry: ledger.Json) -> RunFolder | None:
    """The run that a ledger names, if it has other counts than it was begun with."""
    from consingan.runs.manifest import first_counts

    run = _run(folder, entry)
    with contextlib.suppress(UserError):  # what is damaged counts as not finished anyway
        return run if run is not None and first_counts(run.manifest) else None
    return None


def _run(folder: Path, entry: ledger.Json) -> RunFolder | None:
    """The run that a ledger names, if there is one that can be read."""
    from consingan.runs.folder import RunFolder

    name = entry.get("run")
    if not isinstance(name, str) or not (folder / name).is_dir():
        return None
    try:
        return RunFolder.open(folder / name)
    except UserError:
        return None


def _is_judged(entry: ledger.Json, order: Order) -> bool:
    """Whether the figures are those that an order asks for.

    Earlier releases took the figures of an evaluation by hand, of any number of samples, and knew
    SIFID of pooled features alone, beside which those of others would stand in a table.
    """
    told = [alone(entry["asked"].get(name)) for name in OF_JUDGING]
    judgement = entry.get("judgement") or {}
    count = judgement.get("count", 0)
    figures = judgement.get("metrics", {})
    if "sifid_64" in figures and "sifid" not in figures:
        return False
    return told == [order.samples, alone(order.inception)] and count in (0, order.samples)


def _holds(folder: Path, entry: ledger.Json) -> bool:
    """Whether an order's folder holds its finished run, and all that this learned."""
    from consingan.runs.earlier import is_whole

    run = _run(folder, entry)
    return run is not None and is_whole(run)
