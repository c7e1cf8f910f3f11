"""The orders of a study on a cluster, as tasks of Ray; the only file that imports it.

Ray places tasks by the CPUs, GPUs and memory that each declares, and gives a task whose worker or
node died to another one. Where the machines share the study's folder, runs are made there. Where
they do not, a training is done in a folder of its own, and `Depot`, an actor on the machine that
keeps the study, takes in what it saves: so a task that begins again elsewhere finds the last state.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
import tempfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from consingan.batch.here import TICK, TRIES, Perform
from consingan.batch.ledger import FAILED, STOPPED, Ended
from consingan.batch.orders import Order
from consingan.batch.plan import Plan
from consingan.batch.slots import CONTEXT, PROGRAM
from consingan.batch.travel import Depot, Sender, awaited, unpack
from consingan.batch.work import perform
from consingan.errors import UserError
from consingan.images.names import SCIKIT_IMAGE
from consingan.machine.extras import RAY, needed

BEACON = ".shared"  # file in the study's folder, by which a machine sees that it shares it
REACH = 10.0  # seconds for a first connection
GRACE = 30.0  # seconds that trainings have for saving their state when all is stopped


@dataclass(frozen=True)
class Cluster:
    """A cluster that was joined.

    Attributes:
        cores, gpus: of all its machines.
    """

    cores: int
    gpus: float

    @property
    def summary(self) -> str:
        """What there is."""
        return f"ray: {self.cores} CPUs and {self.gpus:.0f} GPUs on the cluster"

    def several(self, plan: Plan) -> int:
        """How many trainings at a time, about."""
        if on_gpu(plan, self):
            return max(1, int(self.gpus / share_of_gpu(plan)))
        return max(1, self.cores // plan.threads)

    def run(
        self, plan: Plan, work: Perform = perform, tries: int = TRIES, shared: bool | None = None
    ) -> Generator[list[Ended], None, None]:
        """Work on what is left of a plan, see `here.run_here`.

        Args:
            plan: of the study.
            work: does an order.
            tries: of an order whose worker or node died.
            shared: whether all machines see the study's folder; None lets each of them look.
        """
        import ray

        beacon = secrets.token_hex(8) if shared is None else "yes" if shared else ""
        (plan.folder / BEACON).write_text(beacon, encoding="utf-8")
        depot = _depot(plan.folder)
        task = ray.remote(max_retries=tries, **_needs(plan, self))(_task)
        names: dict[Any, str] = {}
        for order in plan.left:
            told = replace(order, machine={"threads": plan.threads, **order.machine})
            names[task.remote(told, str(plan.folder.absolute()), beacon, depot, work)] = order.name
        try:
            yield from _ended(names)
        finally:
            for reference in names:
                with contextlib.suppress(Exception):  # what has ended cannot be stopped
                    ray.cancel(reference, force=False)
            with contextlib.suppress(Exception):
                ray.wait(list(names), num_returns=len(names), timeout=GRACE)
            ray.kill(depot)
            (plan.folder / BEACON).unlink(missing_ok=True)
            ray.shutdown()


def _ended(names: dict[Any, str]) -> Iterator[list[Ended]]:
    """Take the tasks that have ended out of `names`, until none is left."""
    import ray

    while names:
        ready, _ = ray.wait(list(names), num_returns=1, timeout=TICK)
        found = []
        for reference in ready:
            name = names.pop(reference)
            try:
                found.append(ray.get(reference))
            except ray.exceptions.TaskCancelledError:
                found.append(Ended(name, STOPPED))
            except ray.exceptions.RayError as error:
                why = str(error).strip().partition("\n")[0]
                found.append(Ended(name, FAILED, f"its worker died too often ({why})"))
        yield found


def cluster(address: str) -> Cluster:
    """Join the cluster at `address`, HOST:PORT of its head; "" begins one on this machine.

    Raises:
        UserError: Ray is missing or too old, or there is no cluster.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # it would call home
    with needed(RAY, "--on ray needs"):
        import ray
    if address:
        _refuse_unreachable(address)
    where: dict[str, Any] = {"address": address or "local"}
    if not address:
        where |= {"include_dashboard": False}
    try:
        ray.init(**where, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError) as error:
        why = str(error).strip().partition("\n")[0]
        raise UserError(
            f"The cluster of Ray cannot be joined ({why}); see its logs, and set "
            "RAY_AUTH_MODE=token if it asks for a token."
        ) from None
    found: dict[str, float] = ray.cluster_resources()
    return Cluster(int(found.get("CPU", 0)), float(found.get("GPU", 0.0)))


def _refuse_unreachable(address: str) -> None:
    """Ray itself looks for minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise UserError(f"--on ray://{address} must be ray://HOST:PORT, as ray start prints it.")
    try:
        socket.create_connection((host, int(port)), REACH).close()
    except (OSError, OverflowError) as error:
        raise UserError(
            f"There is no cluster of Ray at {address} ({error}); begin one with ray start --head, "
            "and name what it prints."
        ) from None


def on_gpu(plan: Plan, cluster: Cluster) -> bool:
    """Whether trainings are to have GPUs."""
    return cluster.gpus > 0 and plan.device not in ("cpu", "mps")


def share_of_gpu(plan: Plan) -> float:
    """The part of a GPU that a training needs, by the estimate and the memory of this machine's."""
    import torch

    if not torch.cuda.is_available():
        return 1.0
    whole = torch.cuda.get_device_properties(0).total_memory
    return 1.0 / max(1, int(whole // (plan.peak + CONTEXT)))


def _needs(plan: Plan, cluster: Cluster) -> dict[str, Any]:
    """What a task declares: CPUs, GPUs, bytes of memory, and how many its process does at most.

    On a GPU one: whom a GPU failed once, it answers nothing more.
    """
    gpu = on_gpu(plan, cluster)
    return {
        "num_cpus": plan.threads,
        "num_gpus": share_of_gpu(plan) if gpu else 0,
        "memory": PROGRAM + (0 if gpu else plan.peak),
        "max_calls": 1 if gpu else 0,  # 0 is no limit
    }


def _depot(folder: Path) -> Any:
    """The actor that keeps the study, on this machine."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = ray.get_runtime_context().get_node_id()
    pinned = NodeAffinitySchedulingStrategy(here, soft=False)
    made = ray.remote(Depot).options(num_cpus=0, scheduling_strategy=pinned)
    return made.remote(str(folder.absolute()))


def _task(order: Order, folder: str, beacon: str, depot: Any, work: Callable[..., Ended]) -> Ended:
    """What a worker of Ray does: what one here does, in the study's folder or far from it."""
    study = Path(folder)
    with contextlib.suppress(OSError):
        if beacon and (study / BEACON).read_text(encoding="utf-8") == beacon:
            return work(order, study)
    with tempfile.TemporaryDirectory(prefix="consingan-") as place:
        return _far_away(order, Path(place), depot, work)


def _far_away(order: Order, place: Path, depot: Any, work: Callable[..., Ended]) -> Ended:
    """Do an order without the study's folder: fetch what is there, send what is saved."""
    unpack(awaited(depot.give.remote(order.name)), place / order.name)
    picture = None
    if not order.picture.startswith(SCIKIT_IMAGE):
        picture = place / Path(order.picture).name
        picture.write_bytes(awaited(depot.picture.remote(order.picture)))
    sender = Sender(order.name, depot)
    ended = work(order, place, sender, picture)
    sender.send(place / order.name)
    return ended
