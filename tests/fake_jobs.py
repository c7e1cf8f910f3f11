"""Jobs of a study that do nothing, for the tests of who does them. Loads no torch."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Sequence
from pathlib import Path

from consingan.batch.ledger import FAILED, FINISHED, STOPPED, Ended
from consingan.batch.orders import Order


def slept(order: Order, study: Path) -> Ended:
    """A fake job."""
    return Ended(order.name, FINISHED)


def in_this_process(
    orders: Sequence[Order], study: Path, slots: object = None
) -> Generator[list[Ended], None, None]:
    """As `run_here` without other processes, which are tested by themselves."""
    from consingan.batch.work import perform

    for order in orders:
        yield []
        yield [perform(order, study)]


def died(order: Order, study: Path) -> Ended:
    """A worker that always dies."""
    os._exit(9)


def failed(order: Order, study: Path) -> Ended:
    """A job that fails, and says in which process."""
    return Ended(order.name, FAILED, str(os.getpid()))


def waited(order: Order, study: Path) -> Ended:
    """A job that goes on until it is asked to stop."""
    (study / f"{order.name}.begun").touch()
    try:
        while True:
            time.sleep(0.05)
    except KeyboardInterrupt:
        (study / f"{order.name}.saved").touch()
        return Ended(order.name, STOPPED)
