"""What the trainings of a study take, told before they begin: as in a dry run, but once for all
that are alike.
"""  # noqa: D205 - one sentence

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consingan.batch import ledger
from consingan.batch.orders import Order
from consingan.errors import UserError
from consingan.images.names import SCIKIT_IMAGE
from consingan.machine.progress import tracked

GRAIN = 24  # px of the training size within which pictures count as alike

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Estimate:
    """What a training takes.

    Attributes:
        seconds: from its start.
        memory: bytes beside the program itself.
        trains: whether there is anything to train.
    """

    seconds: float
    memory: int
    trains: bool = True


def estimates(
    orders: Sequence[Order], device: str, threads: int, anew: bool = True
) -> dict[str, Estimate]:
    """What each order takes, by its name; those that cannot be begun are left out.

    One training of a kind is set up and one of its iterations is timed: seeds make no difference,
    nor do pictures of about the same training size.

    Args:
        orders: that are not done.
        device: as `--device`.
        threads: of each.
        anew: nothing of the study is done yet.

    Raises:
        UserError: of a new study nothing can be begun; the sentence is that of the first order.
    """
    from consingan.machine.execution import Wanted, choose_execution

    kinds: dict[Key, list[Order]] = {}
    for order in orders:
        kinds.setdefault(_kind(order), []).append(order)
    execution = choose_execution(Wanted(device=device, threads=threads))
    found: dict[str, Estimate] = {}
    refused: list[UserError] = []
    for same in tracked(kinds.values(), len(kinds), "planning"):
        try:
            found |= dict.fromkeys((order.name for order in same), _estimate(same[0], execution))
        except UserError as error:
            refused.append(error)
        except (MemoryError, RuntimeError, OSError):
            continue  # the training itself will say why
    if anew and len(refused) == len(kinds) > 0:
        raise refused[0]
    return found


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


def _estimate(order: Order, execution: Any) -> Estimate:
    from consingan.training.outlook import seconds_of
    from consingan.training.prepare import prepare

    job = prepare({**order.typed, "input_name": order.picture}, execution)
    memory = job.training.peak_memory() or 0
    return Estimate(seconds_of(job), memory, trains=bool(job.training.stages))


def left_of(order: Order, study: Path, estimate: Estimate | None) -> float:
    """Seconds that are left of an order, after what its ledger says is done."""
    share = ledger.read(study / order.name).get("share", 0.0)
    return 0.0 if estimate is None else estimate.seconds * (1.0 - float(share))


def longest_first(orders: Sequence[Order], study: Path, found: dict[str, Estimate]) -> list[Order]:
    """Orders as they are best begun: with the long ones first, no slot is left with one at the end.

    Graham 1969: at most a third longer than the best order of all, and far less where there are
    many more orders than slots.
    """
    return sorted(orders, key=lambda o: -left_of(o, study, found.get(o.name)))
