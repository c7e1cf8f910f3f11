"""One study here and on a cluster of two nodes, workers and a node killed in mid-job: the same.

Each node of the cluster, and this machine, holds the first training that comes to the middle of its
second stage until it is killed: here a worker, of the cluster a worker and a whole node.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from helpers import REPOSITORY, assert_same, environment, outcome
from studies import FLAGS, NODE, held, tiny_study

from consingan.batch import ledger
from consingan.batch.here import run_here
from consingan.batch.on_ray import BEACON, Cluster, _needs, _task
from consingan.batch.on_ray import cluster as join
from consingan.batch.orders import Order, orders_of
from consingan.batch.plan import Plan, planned
from consingan.batch.slots import Slot
from consingan.batch.study import Study
from consingan.batch.work import perform
from consingan.errors import UserError

TESTS = REPOSITORY / "tests"
DRIVER = TESTS / "study_driver.py"
PATIENCE = 900.0  # seconds, of a very busy machine
START = "from ray.scripts.scripts import main; main()"
MENDING = {  # how soon a node that is gone is noticed; workers that are not held back
    "RAY_health_check_initial_delay_ms": "0",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_failure_threshold": "3",
    "RAY_worker_niceness": "0",
}

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"), reason="this system kills nothing so suddenly"
)


@dataclass(frozen=True)
class Done:
    """A study that was worked on: its folder, and where its held trainings were killed."""

    study: Study
    folder: Path
    held_at: dict[str, int]

    def entries(self) -> dict[str, ledger.Json]:
        return {order.name: ledger.read(self.folder / order.name) for order in self.orders}

    @property
    def orders(self) -> list[Order]:
        return orders_of(self.study, 1)

    def run(self, name: str) -> Path:
        return self.folder / name / ledger.read(self.folder / name)["run"]


def reached(flags: Path, node: str, alive: Any = lambda: True) -> tuple[int, int]:
    """Process and iteration of the training that a node holds, once it does."""
    until = time.monotonic() + PATIENCE
    while not (flags / node).is_file():
        assert alive(), "it ended before"
        assert time.monotonic() < until
        time.sleep(0.05)
    process, iteration = (flags / node).read_text().split()
    return int(process), int(iteration)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """Two processes here, one of which is killed."""
    root, flags = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("flags")
    study = tiny_study(root, pictures=2)
    plan = planned(study, root / "study", save_every=1)
    plan.begin()
    killed: dict[str, int] = {}

    def kill() -> None:
        process, killed["here"] = reached(flags, "here")
        os.kill(process, signal.SIGKILL)

    killer = threading.Thread(target=kill, daemon=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FLAGS, str(flags))
        patch.setenv(NODE, "here")
        killer.start()
        places = [Slot("cpu", 1)] * 2
        ended = [e for some in run_here(plan.left, plan.folder, places, held) for e in some]
    killer.join(1)
    assert len(ended) == 8
    return Done(study, plan.folder, killed)


def of_node(flags: Path, node: str | None = None) -> list[int]:
    """Numbers of all processes of a node, or of the whole cluster, by what they inherited."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            inherited = path.read_bytes().split(b"\0")
            mine = f"{FLAGS}={flags}".encode() in inherited
            if mine and (node is None or f"{NODE}={node}".encode() in inherited):
                found.append(int(path.parent.name))
    return found


def kill_all(processes: list[int]) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


@dataclass(frozen=True)
class TwoNodes:
    """A running cluster."""

    address: str
    flags: Path
    variables: dict[str, str]

    def drive(self, folder: Path) -> subprocess.Popen[str]:
        command = [sys.executable, str(DRIVER), self.address, str(folder)]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(
            command, env={**self.variables, NODE: "driver"}, text=True, cwd=folder.parent, **pipes
        )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    """Two nodes of Ray on loopback, of one CPU each."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install -e '.[ray]'")
    if not Path("/proc").is_dir():
        pytest.skip("processes of a node are found by /proc alone")
    flags = tmp_path_factory.mktemp("flags")
    place = tempfile.mkdtemp(prefix="ray-")  # short: sockets lie in it
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    paths = f"{REPOSITORY}{os.pathsep}{TESTS}"
    variables = {**environment(), **MENDING, "PYTHONPATH": paths, FLAGS: str(flags)}
    variables["RAY_USAGE_STATS_ENABLED"] = "0"
    variables["RAY_AUTH_MODE"] = "disabled"  # whatever token the user has from another cluster
    common = ["--node-ip-address", "127.0.0.1", "--num-cpus", "1", "--num-gpus", "0",
              "--object-store-memory", "80000000", "--disable-usage-stats"]  # fmt: skip
    address = f"127.0.0.1:{port}"
    head = ["--head", "--port", str(port), "--include-dashboard", "false", "--temp-dir", place]
    try:
        for node, words in (("head", head), ("worker", ["--address", address])):
            subprocess.run(
                [sys.executable, "-c", START, "start", *words, *common],
                env={**variables, NODE: node}, check=True, capture_output=True, timeout=PATIENCE,
            )  # fmt: skip
        yield TwoNodes(address, flags, variables)
    finally:
        kill_all(of_node(flags))
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="module")
def far(cluster: TwoNodes, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The cluster's machines see nothing of the study's folder; a worker and a node are killed."""
    root = tmp_path_factory.mktemp("far")
    study = tiny_study(root, pictures=2)
    planned(study, root / "study", save_every=1).begin()
    driver = cluster.drive(root / "study")
    killed = {}
    for node in ("head", "worker"):
        process, killed[node] = reached(cluster.flags, node, lambda: driver.poll() is None)
        kill_all([process] if node == "head" else of_node(cluster.flags, "worker"))
    said, _ = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 0, said
    return Done(study, root / "study", killed)


def check_each_was_done_once(done: Done) -> None:
    """Nothing lost; what was killed went on from what was saved last, nothing from the start."""
    entries = done.entries()
    assert {entry["status"] for entry in entries.values()} == {"finished"}
    assert len(entries) == 8
    begins = [entry["begins"] for entry in entries.values()]
    assert all(places.count([0, 0]) == 1 for places in begins)
    again = sorted(place for places in begins for place in places[1:])
    assert again == sorted([1, iteration - 1] for iteration in done.held_at.values())


def test_a_killed_worker_here_costs_one_iteration(here: Done) -> None:
    assert here.held_at.keys() == {"here"}
    check_each_was_done_once(here)


def test_a_killed_worker_and_a_killed_node_cost_one_iteration_each(far: Done) -> None:
    assert far.held_at.keys() == {"head", "worker"}
    check_each_was_done_once(far)


def test_here_and_on_a_cluster_all_weights_are_the_same(here: Done, far: Done) -> None:
    for order in here.orders:
        assert_same(outcome(far.run(order.name)), outcome(here.run(order.name)))
        there = sorted(p.name for p in far.run(order.name).rglob("*"))
        assert there == sorted(p.name for p in here.run(order.name).rglob("*"))


def test_a_training_by_itself_gives_the_same(here: Done, tmp_path: Path) -> None:
    for order in (here.orders[0], here.orders[-1]):
        assert perform(order, tmp_path).status == "finished"
        run = tmp_path / order.name / ledger.read(tmp_path / order.name)["run"]
        assert_same(outcome(run), outcome(here.run(order.name)))


def test_a_machine_that_shares_the_folder_trains_in_it(tmp_path: Path) -> None:
    study = tiny_study(tmp_path, pictures=1, seeds=1, lr_scale=(0.3,))
    planned(study, tmp_path / "study").begin()
    (order,) = orders_of(study)
    (tmp_path / "study" / BEACON).write_text("a word")
    folder = tmp_path / "study"
    assert _task(order, str(folder), "a word", None, perform).status == "finished"
    assert (folder / order.name / ledger.read(folder / order.name)["run"]).is_dir()
    with pytest.raises(AttributeError):  # it looks for a depot
        _task(order, str(folder), "another word", None, perform)


@pytest.mark.parametrize(("gpus", "calls"), [(2.0, 1), (0.0, 0)])
def test_on_a_gpu_each_training_has_a_process_of_its_own(
    tmp_path: Path, gpus: float, calls: int
) -> None:
    """One that the GPU failed in gets nothing more from it."""
    ray = pytest.importorskip("ray")
    study = replace(tiny_study(tmp_path, pictures=1, seeds=1), machine={"device": "auto"})
    needs = _needs(Plan(study, tmp_path, (), (), {}), Cluster(4, gpus))
    assert needs["max_calls"] == calls
    ray.remote(**needs)(_task)  # which refuses what it does not know


@pytest.mark.parametrize(
    ("address", "sentence"),
    [("127.0.0.1:1", "There is no cluster of Ray at 127.0.0.1:1"), ("head", "HOST:PORT")],
)
def test_no_cluster_is_one_sentence(address: str, sentence: str) -> None:
    pytest.importorskip("ray")
    with pytest.raises(UserError, match=sentence):
        join(address)
