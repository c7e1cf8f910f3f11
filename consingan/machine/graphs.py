"""Whole iterations as CUDA graphs: a thousand small kernels launched with one call.

On a large GPU the coarse stages take longer to launch than to compute. A graph repeats recorded
kernels on the same addresses, so that what changes from one iteration to the next is copied into
buffers (noises, mixing) or filled into tensors (learning rates); weights, moments and the losses
stay where they are. An iteration whose penalty is left out has other kernels and a graph of its
own.

Switched off by the environment variable CONSINGAN_CUDA_GRAPHS=0.
"""

from __future__ import annotations

import contextlib
import gc
import os
import warnings
import weakref
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Protocol

import torch
from torch import Tensor

SWITCH = "CONSINGAN_CUDA_GRAPHS"
NOT_RECORDED = "No CUDA graph could be recorded"
WARM_UP = 3  # iterations of each kind that run as they are before the next one is recorded

Iteration = Callable[[], Tensor]


def wanted(device: torch.device) -> bool:
    """Whether iterations on `device` are to be recorded."""
    return device.type == "cuda" and os.environ.get(SWITCH, "1") != "0"


class Recorder(Protocol):
    """Runs and records iterations; the tests have one that needs no GPU."""

    def warm_up(self, iteration: Iteration) -> Tensor:
        """Run `iteration` as it will be recorded."""
        ...

    def record(self, iteration: Iteration) -> Iteration:
        """What repeats `iteration`, which itself leaves no trace now."""
        ...

    def forget(self) -> None:
        """Nothing recorded so far is needed any more."""
        ...


@lru_cache(maxsize=8)
def _side_stream(device: torch.device) -> torch.cuda.Stream:
    """One for all stages: libraries keep workspaces for every stream they have seen."""
    return torch.cuda.Stream(device)


class CudaRecorder:
    """Records into one pool of memory.

    The graphs may share it: each writes what it reads there, and the losses are copied out before
    another one runs.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.stream = _side_stream(device)
        self.forget()

    def warm_up(self, iteration: Iteration) -> Tensor:
        """On a stream beside the usual one, as recording has to be.

        Libraries choose their algorithms and make their workspaces, the optimizers their moments:
        nothing of that may happen while recording.
        """
        usual = torch.cuda.current_stream(self.device)
        self.stream.wait_stream(usual)
        # The device, too: torch would go back to its current one, which may let nobody in.
        with torch.cuda.device(self.device), torch.cuda.stream(self.stream):
            losses = iteration()
        usual.wait_stream(self.stream)
        return losses

    def record(self, iteration: Iteration) -> Iteration:
        """Record without computing."""
        graph = torch.cuda.CUDAGraph()
        usual = torch.cuda.current_stream(self.device)
        with torch.cuda.device(self.device):
            try:
                with torch.cuda.graph(graph, self.pool, self.stream):
                    losses = iteration()
            finally:
                torch.cuda.set_stream(usual)  # a recording that fails leaves its own one current

        def replay() -> Tensor:
            graph.replay()
            return losses

        return replay

    def forget(self) -> None:
        """Record into a new pool: one that all graphs of are gone takes no more."""
        self.pool = torch.cuda.graph_pool_handle()


@dataclass
class _Kind:
    """Iterations with the same kernels: how many have run, and the recorded one."""

    runs: int = 0
    recorded: Iteration | None = None
    constants: list[Tensor] = field(default_factory=list)


class Recordable(Protocol):
    """An engine whose iterations can be recorded: they read all that changes from buffers.

    Its optimizers are made with `capturable`, their rates are tensors.
    """

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        ...

    @property
    def optimizer_g(self) -> torch.optim.Optimizer:
        """The generator's optimizer."""
        ...

    @property
    def optimizer_d(self) -> torch.optim.Optimizer:
        """The discriminator's optimizer."""
        ...

    def empty_draws(self) -> Any:
        """Room for what an iteration draws."""
        ...

    def fill(self, buffers: Any, draws: Any) -> None:
        """Copy `draws` into `buffers`, which casts to their format and order."""
        ...

    def kind(self, iteration: int) -> Hashable:
        """Alike for iterations that run the same kernels."""
        ...

    def iterate(self, draws: Any, kind: Any) -> Tensor:
        """One iteration of `kind` with what `draws` hold; its losses."""
        ...


class GraphEngine:
    """An engine whose iterations are recorded once they have run a few times.

    The warm-up iterations are the training's own first ones, and recording computes nothing: no
    state has to be put back.

    Args:
        engine: what computes an iteration.
        recorder: by default the GPU's.
    """

    def __init__(self, engine: Recordable, recorder: Recorder | None = None) -> None:
        self.engine = engine
        self.recorder = recorder or CudaRecorder(engine.device)
        self.buffers = engine.empty_draws()
        self.kinds: dict[Hashable, _Kind] = {}
        self.failed = False
        forget = weakref.WeakMethod(self._forget)

        def loaded(_: torch.optim.Optimizer) -> None:
            # Weakly, or engine and optimizers would hold one another, and with them the graphs'
            # memory, until Python looks for such circles.
            if (method := forget()) is not None:
                method()

        for optimizer in (self.optimizer_g, self.optimizer_d):
            optimizer.register_load_state_dict_post_hook(loaded)

    @property
    def optimizer_g(self) -> torch.optim.Optimizer:
        """The generator's optimizer."""
        return self.engine.optimizer_g

    @property
    def optimizer_d(self) -> torch.optim.Optimizer:
        """The discriminator's optimizer."""
        return self.engine.optimizer_d

    def step(self, draws: Any, iteration: int) -> Tensor:
        """One iteration; its losses."""
        self.engine.fill(self.buffers, draws)
        name = self.engine.kind(iteration)
        run = partial(self.engine.iterate, self.buffers, name)
        if self.failed:
            return run()
        kind = self.kinds.setdefault(name, _Kind())
        if kind.recorded is None and kind.runs < WARM_UP:
            kind.runs += 1
            with _capturable_uncaptured():
                return self.recorder.warm_up(run)
        if kind.recorded is None and not self._record(kind, run):
            return run()
        assert kind.recorded is not None
        return kind.recorded().clone()  # the next iteration writes its losses to the same place

    def _record(self, kind: _Kind, run: Iteration) -> bool:
        try:
            with constants_kept(kind.constants):
                kind.recorded = self.recorder.record(run)
        except RuntimeError as error:
            self.failed = True
            # Ending a recording that failed fails again. An exception with a name here would keep
            # its frames, and with them what was recorded.
            reason = str(error.__context__ or error).partition("\n")[0]
        if self.failed:
            self._forget()
            _give_back(self.engine.device)
            warnings.warn(
                f"{NOT_RECORDED}, going on without ({reason}). {SWITCH}=0 does not try.",
                stacklevel=2,
            )
        return not self.failed

    def _forget(self) -> None:
        """Loading gave the optimizers other tensors than those recorded."""
        self.kinds.clear()
        self.recorder.forget()


def _give_back(device: torch.device) -> None:
    """Let what nobody holds any more be had again: iterations without a recording need it at once.

    Only for a failure of once: Python looks through all of its objects.
    """
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


@contextlib.contextmanager
def _capturable_uncaptured() -> Iterator[None]:
    """Quiet torch's warning that a capturable optimizer steps without a graph: it soon has one."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This instance was constructed with capturable=True")
        yield


_keepers: list[list[Tensor]] = []


@contextlib.contextmanager
def constants_kept(kept: list[Tensor]) -> Iterator[None]:
    """Put the cached constants that are used meanwhile into `kept`.

    A CUDA graph knows its operands by their addresses alone: they must outlive the caches' turns.
    """
    _keepers.append(kept)
    try:
        yield
    finally:
        _keepers.pop()


def constant(cached: Tensor) -> Tensor:
    """`cached`, noted for whoever must keep it, see `constants_kept`."""
    for kept in _keepers:
        kept.append(cached)
    return cached
