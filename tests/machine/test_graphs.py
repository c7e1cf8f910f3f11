"""Iterations as graphs, as far as that can be tested without a GPU: copies, places, repeats."""

from __future__ import annotations

import copy
import functools
import gc
import warnings
import weakref
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
import torch
from engine_cases import Case, draws_for, run, twins, weights_with_effect
from torch import Tensor

from consingan.machine import graphs
from consingan.machine.graphs import WARM_UP, GraphEngine
from consingan.machine.precision import Arithmetic
from consingan.methods.consingan.draws import Draws
from consingan.methods.consingan.engine import StageTask
from consingan.methods.consingan.engines import choose_engine
from consingan.methods.consingan.fast_engine import FastEngine
from consingan.methods.consingan.training import set_learning_rate

CASES = {
    "default": Case(),
    "one stage": Case("zero", sizes=((14, 17),)),
    "lazy penalty": Case(recipe={"penalty_every": 2}),
    "very lazy penalty": Case(recipe={"penalty_every": 4, "d_steps": 1}),
    "norm": Case("zero", {"norm": True, "activation": "elu"}),
    "sliced distance": Case(recipe={"sw_weight": 3.0}),
}


class Repeater:
    """Stands in for the GPU: "recording" puts the function away, "replaying" calls it.

    Like a graph it always gives its losses in the same place.
    """

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails
        self.warm, self.recorded, self.replayed, self.forgotten = 0, 0, 0, 0

    def warm_up(self, iteration: Callable[[], Tensor]) -> Tensor:
        self.warm += 1
        return iteration()

    def record(self, iteration: Callable[[], Tensor]) -> Callable[[], Tensor]:
        if self.fails:
            raise RuntimeError("operation not permitted when stream is capturing\nmore")
        self.recorded += 1
        place = torch.empty(0, dtype=torch.float64)

        def replay() -> Tensor:
            self.replayed += 1
            losses = iteration()
            return place.resize_(losses.shape).copy_(losses)

        return replay

    def forget(self) -> None:
        self.forgotten += 1


def graph_engine(task: StageTask, recorder: Repeater, **options: bool) -> GraphEngine:
    return GraphEngine(FastEngine(task, capturable=True, **options), recorder)


@functools.cache
def without_graphs(name: str) -> tuple[StageTask, StageTask, int, Tensor]:
    """A case as it begins and as it ends, in how many iterations, and the losses of these.

    They are as many as it takes to record the rarest kind of iteration, and one to replay it.
    """
    untouched, plain = twins(CASES[name].task())
    iterations = max(2, plain.recipe.penalty_every) * (WARM_UP + 1)
    return untouched, plain, iterations, run(FastEngine(plain), plain, iterations)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("checkpointing", [False, True])
def test_same_as_without(name: str, checkpointing: bool) -> None:
    untouched, plain, iterations, expected = without_graphs(name)
    graphed = copy.deepcopy(untouched)
    recorder = Repeater()
    engine = graph_engine(graphed, recorder, checkpointing=checkpointing)
    actual = run(engine, graphed, iterations)
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-6)  # the rates are float32
    for key, value in weights_with_effect(graphed).items():
        torch.testing.assert_close(value, weights_with_effect(plain)[key], rtol=1e-4, atol=1e-6)
    kinds = len({plain.recipe.penalty_weights(k) for k in range(iterations)})
    assert recorder.recorded == kinds
    assert recorder.warm == kinds * WARM_UP
    assert recorder.replayed == iterations - recorder.warm


def test_rates_reach_what_was_recorded() -> None:
    """The trainer sets a rate in place: what was recorded reads it from the same tensor."""
    task = Case().task()
    engine = graph_engine(task, Repeater())
    run(engine, task, WARM_UP + 1)
    groups = [*engine.optimizer_g.param_groups, *engine.optimizer_d.param_groups]
    places = [group["lr"].data_ptr() for group in groups]
    for group in groups:
        set_learning_rate(group, 0.0)
    before = copy.deepcopy(weights_with_effect(task))
    engine.step(draws_for(task, 9), 9)
    assert [group["lr"].data_ptr() for group in groups] == places
    assert all(torch.equal(v, before[k]) for k, v in weights_with_effect(task).items())
    for group in groups:
        set_learning_rate(group, 1e-3)
    engine.step(draws_for(task, 10), 10)
    assert not all(torch.equal(v, before[k]) for k, v in weights_with_effect(task).items())


def test_everything_stays_in_its_place() -> None:
    """What a graph would know by its address: weights, moments, steps, rates, buffers."""

    def places() -> list[int]:
        tensors = [*task.generator.parameters(), *task.discriminator.parameters()]
        tensors += [p.grad for p in task.discriminator.parameters() if p.grad is not None]
        tensors += [*engine.buffers.noises, engine.buffers.mixing]
        for optimizer in (engine.optimizer_g, engine.optimizer_d):
            tensors += [group["lr"] for group in optimizer.param_groups]
            tensors += [x for state in optimizer.state.values() for x in state.values()]
        return [x.data_ptr() for x in tensors]

    task = Case().task()
    engine = graph_engine(task, Repeater())
    run(engine, task, WARM_UP)
    expected = places()
    run(engine, task, 3)
    assert places() == expected


def test_draws_are_copied_into_the_buffers() -> None:
    task = Case(dtype=torch.float32).task()
    engine = GraphEngine(FastEngine(task, Arithmetic("bf16"), capturable=True), Repeater())
    draws = draws_for(task, 0)
    engine.step(Draws([z.contiguous() for z in draws.noises], draws.mixing), 0)
    for buffer, drawn in zip(engine.buffers.noises, draws.noises, strict=True):
        assert torch.equal(buffer, drawn.bfloat16())
        assert buffer.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(engine.buffers.mixing, draws.mixing)


def test_losses_do_not_change_afterwards() -> None:
    task = Case().task()
    engine = graph_engine(task, Repeater())
    run(engine, task, WARM_UP)
    first = engine.step(draws_for(task, 7), 7)
    before = first.clone()
    engine.step(draws_for(task, 8), 8)
    assert torch.equal(first, before)


def test_an_engine_is_given_back_at_once() -> None:
    """With it goes the graphs' memory, which the next stage needs; no circle may hold it."""
    task = Case().task()
    engine = graph_engine(task, Repeater())
    run(engine, task, WARM_UP + 1)
    gone = weakref.ref(engine), weakref.ref(engine.engine)
    gc.disable()
    try:
        del engine
        assert [ref() for ref in gone] == [None, None]
    finally:
        gc.enable()


def test_what_torch_says_of_warming_up_is_not_passed_on() -> None:
    class Talking(Repeater):
        def warm_up(self, iteration: Callable[[], Tensor]) -> Tensor:
            warnings.warn(
                "This instance was constructed with capturable=True or some of all the "
                "param_groups came with capturable=True, but step() is running without CUDA "
                "graph capture.",
                stacklevel=2,
            )
            return super().warm_up(iteration)

    task = Case().task()
    engine = graph_engine(task, Talking())
    assert run(engine, task, WARM_UP).isfinite().all()


def test_goes_on_where_nothing_can_be_recorded() -> None:
    plain, graphed = twins(Case().task())
    engine = graph_engine(graphed, Repeater(fails=True))
    with pytest.warns(
        UserWarning, match=r"going on without \(operation not permitted.*capturing\)"
    ):
        first = run(engine, graphed, WARM_UP + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        engine.step(draws_for(graphed, WARM_UP + 1), WARM_UP + 1)
    torch.testing.assert_close(first, run(FastEngine(plain), plain, WARM_UP + 1), rtol=1e-5, atol=0)


def fails_twice(_: Callable[[], Tensor]) -> NoReturn:
    """As a recording that runs out of memory does."""
    try:
        raise RuntimeError("out of memory")
    finally:
        raise RuntimeError("a previous error during capture")


def test_the_first_reason_is_told() -> None:
    """Ending a recording that failed fails again, and says less."""
    task = Case().task()
    recorder = Repeater()

    recorder.record = fails_twice  # type: ignore[method-assign]
    engine = graph_engine(task, recorder)
    with pytest.warns(UserWarning, match=r"going on without \(out of memory\)"):
        run(engine, task, WARM_UP + 1)


def test_a_failed_recording_leaves_no_memory_to_the_iterations_without() -> None:
    class Maps:
        """What a recording holds."""

    task = Case().task()
    recorder = Repeater()
    left: list[weakref.ref[Maps]] = []

    def runs_out(_: Callable[[], Tensor]) -> Callable[[], Tensor]:
        maps = Maps()
        left.append(weakref.ref(maps))
        fails_twice(_)

    recorder.record = runs_out  # type: ignore[method-assign]
    engine = graph_engine(task, recorder)
    iterate, alive = engine.engine.iterate, []

    def looked(*given: Any) -> Tensor:
        alive.extend(ref() for ref in left)
        return iterate(*given)

    engine.engine.iterate = looked  # type: ignore[method-assign]
    with pytest.warns(UserWarning, match="going on without"):
        run(engine, task, WARM_UP + 1)
    assert alive == [None]


def test_loading_moments_records_anew() -> None:
    task = Case().task()
    recorder = Repeater()
    engine = graph_engine(task, recorder)
    run(engine, task, WARM_UP + 1)
    engine.optimizer_d.load_state_dict(engine.optimizer_d.state_dict())
    assert recorder.forgotten == 1
    run(engine, task, WARM_UP + 1)
    assert recorder.recorded == 2


def test_constants_outlive_their_cache() -> None:
    task = Case().task()
    engine = graph_engine(task, Repeater())
    with graphs.constants_kept([]) as nothing:
        assert nothing is None
    run(engine, task, WARM_UP)
    kept: list[Tensor] = []
    with graphs.constants_kept(kept):
        engine.engine.iterate(engine.buffers, (0.1,) * 3)
    sizes = {tuple(x.shape) for x in kept}
    assert {(14, 12), (12, 14), (17, 14), (14, 17)} & sizes
    assert any(shape[0] == task.discriminator.shape.kernel for shape in sizes)


def test_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(graphs.SWITCH, raising=False)
    cuda = torch.device("cuda")
    assert graphs.wanted(cuda)
    assert not graphs.wanted(torch.device("cpu"))
    monkeypatch.setenv(graphs.SWITCH, "0")
    assert not graphs.wanted(cuda)


def test_on_a_gpu_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consingan.methods.consingan.engines.wanted", lambda _: True)
    monkeypatch.setattr(graphs, "CudaRecorder", lambda _: Repeater())
    task = Case().task()
    engine = choose_engine("auto", Arithmetic())(task)
    assert isinstance(engine, GraphEngine)
    assert run(engine, task, WARM_UP + 2).isfinite().all()
