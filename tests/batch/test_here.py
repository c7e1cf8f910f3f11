"""Orders on this machine: every slot is always at work, and a worker that dies is replaced."""

from __future__ import annotations

import heapq
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_jobs import died, failed, slept, waited

from consingan.batch.estimate import Estimate, longest_first
from consingan.batch.here import run_here
from consingan.batch.ledger import FINISHED, Ended
from consingan.batch.orders import Order
from consingan.batch.slots import Slot

PATIENCE = 60.0  # seconds; who waits longer for a slot to be filled waits for ever


class Clock:
    """Simulated time: it moves on when as many jobs wait as can be at work."""

    def __init__(self, slots: int, jobs: int) -> None:
        self.slots, self.left = slots, jobs
        self.now, self.most = 0.0, 0
        self.ends: list[float] = []
        self.changed = threading.Condition()

    def sleep(self, length: float) -> None:
        with self.changed:
            end = self.now + length
            heapq.heappush(self.ends, end)
            self.most = max(self.most, len(self.ends))
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.now >= end, PATIENCE)

    def run(self) -> None:
        while self.left:
            with self.changed:
                full = min(self.slots, self.left)
                if not self.changed.wait_for(lambda n=full: len(self.ends) == n, PATIENCE):
                    return  # a slot stays empty
                self.now = heapq.heappop(self.ends)
                self.left -= 1
                self.changed.notify_all()


class Sleeper:
    """A worker whose jobs take simulated time."""

    def __init__(self, clock: Clock, lengths: dict[str, float]) -> None:
        self.clock, self.lengths = clock, lengths

    def perform(self, order: Order, work: Callable[..., Ended], tries: int) -> Ended:
        self.clock.sleep(self.lengths[order.name])
        return work(order, Path())

    def ask_to_stop(self) -> None:
        pass

    stop = ask_to_stop


def orders(count: int) -> list[Order]:
    return [Order(f"{n}", "skimage:coffee", "coffee", {}, {}, {}) for n in range(count)]


@pytest.mark.parametrize(("slots", "jobs"), [(1, 5), (4, 60), (7, 100)])
def test_all_slots_work_until_the_end(tmp_path: Path, slots: int, jobs: int) -> None:
    """With the long ones first they are done within 10 % of the time that cannot be beaten."""
    rng = random.Random(jobs)
    lengths = {f"{n}": rng.choice((1.0, 2.0, 5.0)) * rng.uniform(0.8, 1.2) for n in range(jobs)}
    known = {name: Estimate(length, 0) for name, length in lengths.items()}
    clock = Clock(slots, jobs)
    watch = threading.Thread(target=clock.run)
    watch.start()
    begun = longest_first(orders(jobs), tmp_path, known)
    places = [Slot("cpu", 1)] * slots
    every = run_here(begun, tmp_path, places, slept, employ=lambda *_: Sleeper(clock, lengths))
    ended = [one.name for some in every for one in some]
    watch.join()
    assert sorted(ended) == sorted(lengths)
    assert clock.left == 0
    assert clock.most == min(slots, jobs)
    assert clock.now <= 1.1 * sum(lengths.values()) / slots


def test_a_worker_that_dies_is_replaced_so_often(tmp_path: Path) -> None:
    places = [Slot("cpu", 1)]
    (ended,) = (one for some in run_here(orders(1), tmp_path, places, died, 2) for one in some)
    assert ended.status == "failed"
    assert "its process died 2 times" in ended.words


def test_a_worker_does_one_order_after_the_other(tmp_path: Path) -> None:
    every = run_here(orders(3), tmp_path, [Slot("cpu", 1)], slept)
    assert [(e.name, e.status) for some in every for e in some] == [
        ("0", FINISHED), ("1", FINISHED), ("2", FINISHED),
    ]  # fmt: skip


@pytest.mark.parametrize(("device", "processes"), [("cuda:0", 2), ("cpu", 1)])
def test_a_process_whose_gpu_may_be_lost_to_it_is_replaced(
    device: str, processes: int, tmp_path: Path
) -> None:
    """After one failure CUDA answers nothing more to a process: all that come next would fail."""
    every = run_here(orders(2), tmp_path, [Slot(device, 1)], failed)
    assert len({e.words for some in every for e in some}) == processes


def test_who_stops_looking_stops_the_workers_which_save_before(tmp_path: Path) -> None:
    every = run_here(orders(2), tmp_path, [Slot("cpu", 1)], waited)
    for _ in every:
        if (tmp_path / "0.begun").exists():
            break
    every.close()
    assert (tmp_path / "0.saved").exists()
    assert not (tmp_path / "1.begun").exists()
