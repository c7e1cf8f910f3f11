"""What the trainings of a study take, told before they begin: as in a dry run, but once for all
that are alike.
"""  # noqa: D205 - one sentence

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consingan.batch import ledger
from consingan.batch.done import is_longer
from consingan.batch.orders import Order, is_of_training
from consingan.errors import UserError, without_frames
from consingan.images.names import SCIKIT_IMAGE
from consingan.machine.progress import tracked

if TYPE_CHECKING:
    from consingan.machine.execution import Execution

GRAIN = 24  # px of the training size within which pictures count as alike

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Estimate:
    """What a training takes.

    Attributes:
        seconds: from its start.
        memory: bytes beside the program itself.
        trains: whether there is anything to train.
        fits: whether there is memory enough here; what is too large was not timed.
    """

    seconds: float
    memory: int
    trains: bool = True
    fits: bool = True


def estimates(
    orders: Sequence[Order], execution: Execution, anew: bool = True
) -> dict[str, Estimate]:
    """What each order takes, by its name; those that cannot be begun are left out.

    One training of a kind is set up and one of its iterations is timed: seeds make no difference,
    nor do pictures of about the same training size. One picture that cannot be used says nothing
    of the others.

    Args:
        orders: that are not done.
        execution: of each.
        anew: nothing of the study is done yet.

    Raises:
        UserError: of a new study no order can be begun; the sentence is that of the first.
    """
    kinds: dict[Key, list[Order]] = {}
    for order in orders:
        kinds.setdefault(_kind(order), []).append(order)
    told: dict[str, Estimate | Exception] = {}
    for same in tracked(kinds.values(), len(kinds), "planning"):
        with contextlib.suppress(MemoryError, RuntimeError):  # the training itself will say why
            told |= _of_kind(same, execution)
    refused = [error for error in told.values() if isinstance(error, UserError)]
    if anew and len(refused) == len(orders) > 0:
        raise refused[0]
    return {name: one for name, one in told.items() if isinstance(one, Estimate)}


def _of_kind(same: Sequence[Order], execution: Execution) -> dict[str, Estimate | Exception]:
    """What orders of a kind take, by name, or why their picture cannot be used.

    The first picture that can be used speaks for those after it.
    """
    refused: dict[str, Exception] = {}
    for order in same:
        if order.picture in refused:
            continue
        try:
            estimate = _estimate(order, execution)
        except (UserError, OSError) as error:
            refused[order.picture] = without_frames(error)
        else:
            return {other.name: refused.get(other.picture, estimate) for other in same}
    return {order.name: refused[order.picture] for order in same}


def _kind(order: Order) -> Key:
    """What decides how long a training takes."""
    from consingan.methods.choose import choose_settings

    settings = {k: v for k, v in order.typed.items() if k != "manual_seed"}
    most = choose_settings(order.typed).config.max_size
    size = _size_of(order.picture)
    scale = min(1.0, most / max(size)) if max(size) else 1.0
    shape = [round(side * scale / GRAIN) for side in size] if max(size) else [order.picture]
    return (*sorted(settings.items()), *shape)


def _size_of(picture: str) -> tuple[int, int]:
    """(w, h) in px by the head of a file; (0, 0) where that does not tell."""
    from PIL import Image

    if picture.startswith(SCIKIT_IMAGE):
        return 0, 0
    try:
        with Image.open(Path(picture)) as image:
            width, height = image.size
            return width, height
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return 0, 0


def _estimate(order: Order, execution: Execution) -> Estimate:
    from consingan.training.outlook import seconds_of
    from consingan.training.prepare import prepare

    job = prepare({**order.typed, "input_name": order.picture}, execution)
    memory, seconds = job.training.peak_memory() or 0, seconds_of(job)
    trains = bool(job.training.stages)
    return Estimate(seconds or 0.0, memory, trains, fits=seconds is not None)


def left_of(order: Order, study: Path, estimate: Estimate | None) -> float:
    """Seconds that are left of an order, after what its ledger says is done of this training."""
    if estimate is None:
        return 0.0
    entry = ledger.read(study / order.name)
    share = float(entry.get("share", 0.0))
    if share and (
        not is_of_training(entry, order, order.picture) or is_longer(study / order.name, entry)
    ):
        share = 0.0
    return estimate.seconds * (1.0 - share)


def longest_first(orders: Sequence[Order], study: Path, found: dict[str, Estimate]) -> list[Order]:
    """Orders as they are best begun: with the long ones first, no slot is left with one at the end.

    Graham 1969: at most a third longer than the best order of all, and far less where there are
    many more orders than slots.
    """
    return sorted(orders, key=lambda o: -left_of(o, study, found.get(o.name)))
