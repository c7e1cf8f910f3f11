"""Activation checkpointing: the same numbers, fewer activations kept."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from engine_cases import Case, draws_for, run, twins, weights_with_effect
from torch import Tensor

from consingan.machine.precision import Arithmetic
from consingan.methods.consingan.draws import Draws
from consingan.methods.consingan.engine import PlainEngine
from consingan.methods.consingan.fast_engine import FastEngine

CASES = {
    f"{border}-{activation}-{'norm' if norm else 'plain'}": Case(
        border, {"activation": activation, "norm": norm}
    )
    for border in ("noise", "zero")
    for activation in ("lrelu", "prelu")
    for norm in (False, True)
} | {
    "one stage": Case(sizes=((14, 17),)),
    "depth above the stages": Case("zero", recipe={"train_depth": 9}),
    "lazy penalty by autograd": Case(shape={"activation": "elu"}, recipe={"penalty_every": 2}),
}


@pytest.mark.parametrize("precision", ["float64", "bf16"])
@pytest.mark.parametrize("name", CASES)
def test_same_bits(name: str, precision: str) -> None:
    dtype = torch.float64 if precision == "float64" else torch.float32
    task = dataclasses.replace(CASES[name], dtype=dtype).task()
    arithmetic = Arithmetic("bf16" if precision == "bf16" else "float32")
    kept, recomputed = twins(task)
    expected = run(FastEngine(kept, arithmetic), kept, 3)
    actual = run(FastEngine(recomputed, arithmetic, checkpointing=True), recomputed, 3)
    assert torch.equal(actual, expected)
    for key, value in weights_with_effect(recomputed).items():
        assert torch.equal(value, weights_with_effect(kept)[key]), key


def test_equals_the_plain_engine() -> None:
    plain, fast = twins(CASES["noise-lrelu-norm"].task())
    expected = run(PlainEngine(plain), plain, 3)
    actual = run(FastEngine(fast, checkpointing=True), fast, 3)
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-10)


class CountingEngine(FastEngine):
    """Counts the bytes that both pictures' graphs hold when the forward pass is done."""

    def _generate(self, start, noises):  # type: ignore[no-untyped-def]
        self.bytes: dict[int, int] = {}

        def note(x: Tensor) -> Tensor:
            self.bytes[x.data_ptr()] = x.untyped_storage().nbytes()
            return x

        with torch.autograd.graph.saved_tensors_hooks(note, lambda x: x):
            return super()._generate(start, noises)


@pytest.mark.parametrize("border", ["noise", "zero"])
@pytest.mark.parametrize("norm", [False, True])
def test_keeps_less(border: str, norm: bool) -> None:
    held = []
    for checkpointing in (False, True):
        case = Case(border, {"norm": norm}, {"train_depth": 3}, ((30, 40), (40, 50), (50, 60)))
        task = case.task()
        engine = CountingEngine(task, checkpointing=checkpointing)
        draws = draws_for(task, 0)
        engine.iterate(Draws([engine._local(z) for z in draws.noises], draws.mixing), (0.1,) * 3)
        held.append(sum(engine.bytes.values()))
    assert held[1] < 0.6 * held[0]
