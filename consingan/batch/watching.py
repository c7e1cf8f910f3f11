"""A study that is worked on, as lines to look at: counts, those at work, time left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from consingan.batch import ledger
from consingan.batch.ledger import Ended
from consingan.batch.orders import Order
from consingan.batch.plan import Plan
from consingan.machine.progress import in_words

AT_WORK = (ledger.TRAINING, ledger.JUDGING)
MOST_LINES = 12


@dataclass
class Board:
    """What is known of a study's orders while they are worked on.

    Attributes:
        plan: of the study.
        several: how many are worked on at a time.
        ended: what has ended so far, by name.
    """

    plan: Plan
    several: int
    ended: dict[str, Ended] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.orders = {order.name: order for order in self.plan.left}
        self.seconds = self.plan.seconds_each()

    def take(self, ended: Ended) -> str:
        """Note what has ended; returns a line that says so."""
        self.ended[ended.name] = ended
        order, count = self.orders[ended.name], f"[{len(self.ended)}/{len(self.orders)}]"
        words = f"{ended.status}: {ended.words}" if ended.words else ended.status
        return f"{count} {order.words}: {words}{self._figure(order)}"

    def _figure(self, order: Order) -> str:
        """What is most worth knowing of a finished training."""
        judgement = ledger.read(self.plan.folder / order.name).get("judgement") or {}
        swd = judgement.get("metrics", {}).get("swd")
        return f", SWD {swd['mean']:.3g}" if swd else ""

    def _at_work(self) -> list[tuple[Order, ledger.Json]]:
        """Orders that some worker has now; they are begun in turn, so the next few are read."""
        waiting = [order for order in self.plan.left if order.name not in self.ended]
        read = [(o, ledger.read(self.plan.folder / o.name)) for o in waiting[: 4 * self.several]]
        return [(order, entry) for order, entry in read if entry.get("status") in AT_WORK]

    def seconds_left(self, at_work: list[tuple[Order, ledger.Json]]) -> float:
        """By what those at work say of themselves, and by the plan for the others."""
        told = {order.name: entry["left"] for order, entry in at_work if "left" in entry}
        waiting = [name for name in self.orders if name not in self.ended]
        left = sum(float(told.get(name, self.seconds[name])) for name in waiting)
        return left / max(1, min(self.several, len(waiting)))

    def lines(self) -> Iterator[str]:
        """The table, anew each time."""
        at_work = self._at_work()
        counts = Counter(ended.status for ended in self.ended.values())
        waiting = len(self.plan.left) - len(self.ended) - len(at_work)
        parts = [f"{count} {status}" for status, count in counts.items()]
        parts += [f"{len(at_work)} at work", f"{waiting} waiting"]
        left = self.seconds_left(at_work)
        yield f"{', '.join(parts)}, about {in_words(left)} left" if left else ", ".join(parts)
        for order, entry in at_work[:MOST_LINES]:
            yield f"  {order.words}: {_where(entry)}"
        if len(at_work) > MOST_LINES:
            yield f"  and {len(at_work) - MOST_LINES} more"


def _where(entry: ledger.Json) -> str:
    """Stage, share and time left of a training."""
    if entry["status"] == ledger.JUDGING:
        return "judging"
    if "stage" not in entry:
        return "beginning"
    words = f"stage {entry['stage']}/{entry['stages']}, {100 * entry['share']:.0f} %"
    return f"{words}, {in_words(entry['left'])} left" if "left" in entry else words
