"""The orders of a study on this machine: each slot is a process that does one after the other.

Pools and queues are the standard library's. Every slot is a pool of one process, so that a process
that dies takes nobody with it: its order is tried again in a new one, from its last saved state.
"""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from consingan.batch.ledger import FAILED, STOPPED, Ended
from consingan.batch.orders import Order
from consingan.batch.slots import Slot
from consingan.batch.work import GRACE, perform

TICK = 0.5  # seconds between two looks at who is ready
TRIES = 3  # of an order whose worker died
LOG = "workers.log"

Perform = Callable[[Order, Path], Ended]


def run_here(
    orders: Sequence[Order],
    study: Path,
    slots: Sequence[Slot],
    work: Perform = perform,
    tries: int = TRIES,
    employ: Callable[[Slot, Path], Any] | None = None,
) -> Generator[list[Ended], None, None]:
    """Work on orders, first ones first; yields what has ended meanwhile, perhaps nothing.

    Closing the iterator stops the workers; trainings save their state before.

    Args:
        orders: in the order in which they are begun.
        study: the study's folder.
        slots: how many at once, and on what.
        work: does an order, in another process.
        tries: of an order whose worker died.
        employ: makes a slot's worker; by default a `Worker`.
    """
    workers = [(employ or Worker)(slot, study) for slot in slots]
    free: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for worker in workers:
        free.put(worker)

    def one(order: Order) -> Ended:
        worker = free.get()
        try:
            ended: Ended = worker.perform(order, work, tries)
            return ended
        finally:
            free.put(worker)

    try:
        with ThreadPoolExecutor(len(slots)) as threads:
            futures = [threads.submit(one, order) for order in orders]
            left: set[Future[Ended]] = set(futures)
            try:
                while left:
                    done, left = wait(left, TICK, FIRST_COMPLETED)
                    yield [future.result() for future in futures if future in done]
            finally:
                threads.shutdown(wait=False, cancel_futures=True)
                _stop(workers)
    finally:
        _stop(workers)  # those that were just being started
        log = study / LOG
        if log.is_file() and not log.stat().st_size:
            log.unlink()


def _stop(workers: Sequence[Any]) -> None:
    """Ask all at once, then wait for each."""
    for worker in workers:
        worker.ask_to_stop()
    for worker in workers:
        worker.stop()


class Worker:
    """A process that does one order at a time, and is made anew when it died."""

    def __init__(self, slot: Slot, study: Path) -> None:
        self.slot, self.study = slot, study
        self.pool: ProcessPoolExecutor | None = None
        self.process = 0
        self.stopping = False

    def perform(self, order: Order, work: Perform, tries: int) -> Ended:
        """Do an order; a process that dies over it is replaced."""
        place = {"device": self.slot.device, "threads": self.slot.threads}
        order = dataclasses.replace(order, machine={**order.machine, **place})
        for _ in range(tries):
            try:
                pool = self._process()
                if self.stopping:
                    break
                ended: Ended = pool.submit(_in_child, work, order, self.study).result()
                if ended.status == FAILED and self.slot.device.startswith("cuda"):
                    self.stop()  # whom a GPU failed once, it answers nothing more
                return ended
            except BrokenProcessPool:
                self.pool = None
        if self.stopping:
            return Ended(order.name, STOPPED)
        times = f"{tries} times" if tries > 1 else "once"
        return Ended(order.name, FAILED, f"its process died {times}; see {LOG}")

    def _process(self) -> ProcessPoolExecutor:
        if self.pool is None:
            context = multiprocessing.get_context("spawn")
            settings = (self.study / LOG, self.slot.threads)
            pool = ProcessPoolExecutor(1, context, initializer=_begin, initargs=settings)
            self.process = pool.submit(os.getpid).result()
            self.pool = pool
        return self.pool

    def ask_to_stop(self) -> None:
        """Let a training save its state and end."""
        self.stopping = True
        if self.pool is not None:
            with contextlib.suppress(OSError):
                os.kill(self.process, signal.SIGINT)

    def stop(self) -> None:
        """End the process, once a training in it has heeded `ask_to_stop`."""
        pool, self.pool = self.pool, None
        if pool is None:
            return
        try:
            pool.shutdown(wait=True, cancel_futures=True)
        except KeyboardInterrupt:  # a second Ctrl+C: at once; what was saved last remains
            with contextlib.suppress(OSError):
                os.kill(self.process, getattr(signal, "SIGKILL", signal.SIGTERM))
            raise


def _begin(log: Path, threads: int) -> None:
    """A worker's beginning: Ctrl+C is its parent's affair, what it prints goes to a file."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    if hasattr(os, "setpgrp"):
        os.setpgrp()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for output in (1, 2):
        os.dup2(file, output)
    os.close(file)
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    """End with the parent, however that ends: a training saves its state before."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(GRACE)
    os._exit(1)


def _in_child(work: Perform, order: Order, study: Path) -> Ended:
    """Do an order so that the parent can stop it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return work(order, study)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
