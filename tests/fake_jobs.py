"""Jobs of a study that do nothing, for the tests of who does them. Loads no torch."""

from __future__ import annotations

import os
from pathlib import Path

from consingan.batch.ledger import FINISHED, Ended
from consingan.batch.orders import Order


def slept(order: Order, study: Path) -> Ended:
    """A fake job."""
    return Ended(order.name, FINISHED)


def died(order: Order, study: Path) -> Ended:
    """A worker that always dies."""
    os._exit(9)
