"""What the tests of studies have in common: tiny ones, and workers that wait to be killed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import save_picture

from consingan.batch import travel
from consingan.batch.ledger import Ended
from consingan.batch.orders import Order
from consingan.batch.study import Study
from consingan.batch.work import perform
from consingan.training.loop import Trainer
from consingan.training.records import Record, StepRecord

NODE, FLAGS = "CONSINGAN_TEST_NODE", "CONSINGAN_TEST_FLAGS"  # of the environment of workers
SETTINGS: dict[str, tuple[Any, ...]] = {
    "train_stages": (2,), "min_size": (14,), "max_size": (26,), "nfc": (4,), "niter": (6,),
}  # fmt: skip
MACHINE = {"device": "cpu", "precision": "float32"}


def tiny_study(root: Path, pictures: int = 4, seeds: int = 2, **changes: Any) -> Study:
    """So many small pictures, two settings, so many seeds."""
    files = [save_picture(root / f"{n}.png", seed=n) for n in range(pictures)]
    return Study(
        tuple(map(str, files)),
        seeds=tuple(range(seeds)),
        settings={**SETTINGS, "lr_scale": (0.1, 0.5), **changes},
        samples=0,
        machine=MACHINE,
    )


@dataclass
class Hold:
    """Waits to be killed in mid-stage: the first order that comes so far on a node does."""

    changed: Callable[[], None]

    def observe(self, record: Record, trainer: Trainer) -> None:
        if not isinstance(record, StepRecord) or (record.stage, record.iteration) != (1, 3):
            return
        flag = Path(os.environ[FLAGS]) / os.environ[NODE]
        try:
            flag.with_suffix(".taken").touch(exist_ok=False)  # of two at once one alone is killed
        except FileExistsError:
            return
        self.changed()  # what is saved is known
        draft = flag.with_suffix(".tmp")
        draft.write_text(f"{os.getpid()} {trainer.iteration}")
        draft.rename(flag)
        while True:
            time.sleep(0.1)


def held(order: Order, study: Path, changed: Any = lambda _: None, picture: Any = None) -> Ended:
    """As `perform`, but the first order of each node waits to be killed."""
    travel.SEND_EVERY = 0.0
    hold = Hold(lambda: changed(study / order.name))
    return perform(order, study, changed, picture, (hold,))
