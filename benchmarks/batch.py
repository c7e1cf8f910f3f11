"""What a study costs beside its trainings: on jobs of a known length, here and on Ray.

python -m benchmarks.batch [--ray ADDRESS] [--image PICTURE]

- makespan: fake jobs that sleep, against the sum of their lengths over the number of slots;
- overhead: what an empty job takes, once workers run;
- planning: a thousand orders listed and laid out on a board;
- throughput: two trainings of one thread at once, against one after the other with two threads.
"""

from __future__ import annotations

import multiprocessing
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.tables import RESULTS, machine, markdown_table, write_results
from consingan.batch.estimate import Estimate, longest_first
from consingan.batch.here import run_here
from consingan.batch.ledger import FINISHED, Ended
from consingan.batch.orders import Order, orders_of
from consingan.batch.plan import Plan
from consingan.batch.slots import Slot
from consingan.batch.study import Study
from consingan.batch.watching import Board

Row = dict[str, Any]
LENGTHS = (0.5, 1.0, 3.0)  # seconds of fake jobs
ITERATIONS, ROUNDS, SIZE = 3, 7, 80  # of a training that is timed; px


def sleep(order: Order, study: Path) -> Ended:  # noqa: ARG001
    """A fake job of the length that its picture is called by."""
    time.sleep(float(order.label))
    return Ended(order.name, FINISHED)


def fake_orders(lengths: Sequence[float]) -> list[Order]:
    """An order for each length."""
    return [
        Order(f"job_{n}", "skimage:coffee", str(length), {}, {"manual_seed": n}, {})
        for n, length in enumerate(lengths)
    ]


def _plan(orders: Sequence[Order], found: dict[str, Estimate], folder: Path) -> Plan:
    study = Study(("skimage:coffee",), machine={"device": "cpu", "threads": 1})
    return Plan(study, folder, tuple(orders), tuple(orders), found)


Begin = Callable[[Sequence[Order], dict[str, Estimate], Path], Iterator[list[Ended]]]


def makespan(name: str, slots: int, jobs: int, begin: Begin) -> Row:
    """How long fake jobs take in all; workers are started by some that are empty."""
    rng = random.Random(0)
    lengths = [rng.choice(LENGTHS) * rng.uniform(0.8, 1.2) for _ in range(jobs)]
    orders = fake_orders(lengths)
    found = {o.name: Estimate(length, 0) for o, length in zip(orders, lengths, strict=True)}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        ordered = longest_first(orders, folder, found)
        ends: list[float] = []
        for some in begin(ordered, found, folder):
            ends += [time.perf_counter()] * len(some)
    first = max(lengths)  # the longest is begun first: from its end on the clock is the workers'
    span = ends[-1] - ends[0] + first
    return {
        "makespan": name, "jobs": jobs, "slots": slots, "sum / slots (s)": sum(lengths) / slots,
        "took (s)": span, "ratio": span * slots / sum(lengths),
    }  # fmt: skip


def overhead(name: str, jobs: int, begin: Begin) -> Row:
    """What an empty job takes, after the first has started the worker."""
    orders = fake_orders([0.0] * jobs)
    found = {order.name: Estimate(0.0, 0) for order in orders}
    with tempfile.TemporaryDirectory() as place:
        ends: list[float] = []
        begun = time.perf_counter()
        for some in begin(orders, found, Path(place)):
            ends += [time.perf_counter()] * len(some)
    return {
        "overhead": name, "jobs": jobs, "first (s)": ends[0] - begun,
        "each of the others (ms)": 1000 * (ends[-1] - ends[0]) / max(1, jobs - 1),
    }  # fmt: skip


def planning(jobs: int) -> Row:
    """List so many orders, look which are done, and lay them out once."""
    begun, used = time.perf_counter(), time.process_time()
    study = Study(("skimage:coffee",), seeds=tuple(range(jobs // 4)),
                  settings={"niter": (5, 6), "lr_scale": (0.1, 0.5)})  # fmt: skip
    study.check()
    orders = orders_of(study)
    found = {order.name: Estimate(60.0, 0) for order in orders}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        left = longest_first(orders, folder, found)
        board = Board(_plan(left, found, folder), 2)
        for order in left:
            board.take(Ended(order.name, FINISHED))
        lines = list(board.lines())
    return {
        "planned and shown": len(orders), "seconds": time.perf_counter() - begun,
        "of the processor": time.process_time() - used, "lines": len(lines),
    }  # fmt: skip


def _train_when_told(image: str, threads: int, pipe: Any) -> None:
    """In a process of its own: do so many iterations of a finest stage as the pipe says."""
    import torch

    from consingan.machine.execution import Wanted, choose_execution
    from consingan.training.prepare import prepare

    torch.set_num_threads(threads)
    execution = choose_execution(Wanted(device="cpu", precision="float32", threads=threads))
    job = prepare({"input_name": image, "manual_seed": 0, "max_size": SIZE}, execution)
    rehearsal = job.training.rehearse(job.training.stages - 1)
    rehearsal.step(0)
    while count := pipe.recv():
        used = time.process_time()
        for iteration in range(count):
            rehearsal.step(1 + iteration)
        pipe.send(time.process_time() - used)


def throughput(image: str, rounds: int = ROUNDS) -> list[Row]:
    """Two trainings at once with one thread each, and one after the other with two, in turns."""
    import torch  # noqa: F401 - loaded once for all, who are forked before it computes

    context = multiprocessing.get_context("fork")
    ends = []
    for threads in (2, 1, 1):
        end, other = context.Pipe()
        context.Process(target=_train_when_told, args=(image, threads, other), daemon=True).start()
        ends.append(end)

    def timed(pipes: Sequence[Any], count: int) -> tuple[float, float]:
        begun = time.perf_counter()
        for pipe in pipes:
            pipe.send(count)
        used = sum(pipe.recv() for pipe in pipes)
        return time.perf_counter() - begun, used

    for end in ends:
        timed([end], 1)
    rows: list[Row] = []
    for number in range(rounds):
        wide, wide_used = timed(ends[:1], 2 * ITERATIONS)
        both, both_used = timed(ends[1:], ITERATIONS)
        rows.append(
            {"round": number, "one after the other, two threads (s)": wide,
             "two at once, one thread (s)": both, "times as fast at once": wide / both,
             "by CPU time": wide_used / both_used}
        )  # fmt: skip
        click.echo(rows[-1])
    for end in ends:
        end.send(0)
    return rows


def _on_ray(address: str) -> Begin:
    from consingan.batch.on_ray import cluster

    def begin(
        orders: Sequence[Order], found: dict[str, Estimate], folder: Path
    ) -> Iterator[list[Ended]]:
        yield from cluster(address).run(_plan(orders, found, folder), sleep, shared=True)

    return begin


def _here(slots: int) -> Begin:
    def begin(
        orders: Sequence[Order],
        found: dict[str, Estimate],  # noqa: ARG001
        folder: Path,
    ) -> Iterator[list[Ended]]:
        yield from run_here(orders, folder, [Slot("cpu", 1)] * slots, sleep)

    return begin


@click.command()
@click.option("--slots", default=4, show_default=True, help="Workers of the fake jobs here.")
@click.option("--jobs", default=40, show_default=True, help="Fake jobs.")
@click.option("--ray", "address", help="A cluster of two CPUs to measure, too; HOST:PORT.")
@click.option("--image", default="skimage:coffee", show_default=True, help="For throughput.")
@click.option("--rounds", default=ROUNDS, show_default=True, help="Of throughput.")
@click.option("--only", type=click.Choice(("fake", "throughput")), help="One half of it.")
@click.option("--output", type=click.Path(path_type=Path), default=RESULTS, show_default="results/")
def main(
    slots: int,
    jobs: int,
    address: str | None,
    image: str,
    rounds: int,
    only: str | None,
    output: Path,
) -> None:
    """Print the tables and write them to `output`."""
    tables: dict[str, list[Row]] = {}
    if only != "throughput":
        tables["Planning"] = [planning(1000)]
        tables["Makespan"] = [makespan("here", slots, jobs, _here(slots))]
        tables["Overhead"] = [overhead("here", jobs, _here(1))]
        if address:
            tables["Makespan"].append(makespan("ray", 2, jobs, _on_ray(address)))
            tables["Overhead"].append(overhead("ray", jobs, _on_ray(address)))
    if only != "fake":
        tables["Two cores"] = throughput(image, rounds)
    for heading, table in tables.items():
        click.echo(f"\n{heading}\n{markdown_table(table)}")
    name = "batch" if only is None else f"batch_{only}"
    write_results(output / name, "Studies", machine("cpu"), tables)


if __name__ == "__main__":
    main()
