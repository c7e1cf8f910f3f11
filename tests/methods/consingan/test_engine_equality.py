"""The fast engine computes what the plain one does, in every case."""

from __future__ import annotations

import copy
import dataclasses
import functools

import pytest
import torch
from engine_cases import Case, copy_state, draws_for, run, twins, weights_with_effect
from torch import Tensor

from consingan.methods.consingan.engine import PlainEngine, StageTask
from consingan.methods.consingan.fast_engine import FastEngine
from consingan.nn import kernels

ITERATIONS = 3
LAZY_ITERATIONS = 5  # of float32, in which the penalty that is laziest comes twice
CASES = {
    f"{border}-{activation}-{'norm' if norm else 'plain'}": Case(
        border, {"activation": activation, "norm": norm}
    )
    for border in ("noise", "zero")
    for activation in ("lrelu", "prelu", "elu", "selu")
    for norm in (False, True)
} | {
    "one stage": Case(sizes=((14, 17),)),
    "one stage, zero border": Case("zero", sizes=((14, 17),)),
    "depth 1": Case(recipe={"train_depth": 1}),
    "depth 3, zero border": Case("zero", recipe={"train_depth": 3}),
    "depth above the stages": Case(recipe={"train_depth": 9}),
    "all stages one learning rate": Case(recipe={"lr_scale": 1.0}),
    "frozen by the rate": Case(recipe={"lr_scale": 0.0}),
    "lazy penalty": Case(recipe={"penalty_every": 2}),
    "very lazy penalty": Case(recipe={"penalty_every": 4, "d_steps": 1}),
    "lazy penalty by autograd": Case(shape={"activation": "elu"}, recipe={"penalty_every": 2}),
    "no penalty": Case(recipe={"lambda_grad": 0.0}),
    "steps": Case(recipe={"d_steps": 2, "g_steps": 1}),
    "other momentum": Case(recipe={"beta1": 0.0, "beta2": 0.9, "alpha": 3.0}),
    "sliced distance": Case(recipe={"sw_weight": 3.0, "penalty_every": 4, "d_steps": 1}),
    "two layers": Case(shape={"layers": 2}),
    "kernel 5": Case(shape={"kernel": 5, "layers": 1}),
    "kernel 1": Case(shape={"kernel": 1}),
    "kernel 5, padded": Case(shape={"kernel": 5, "padding": 1, "layers": 1}),
    "padded to size": Case(shape={"padding": 1}),
    "padded to size, zero border": Case("zero", shape={"padding": 1}),
    "slope 0.3": Case("zero", shape={"slope": 0.3, "norm": True}),
    "slope 0": Case(shape={"slope": 0.0}),
    "slope 1": Case(shape={"slope": 1.0}),
    "tile": Case("wrap"),
    "tile, normalized": Case("wrap", {"norm": True}),
    "horizontal tile": Case("wrap_horizontal"),
    "vertical tile": Case("wrap_vertical", {"kernel": 5, "layers": 1}),
    "gray": Case(shape={"image_channels": 1}),
    "opacity": Case("zero", shape={"image_channels": 4}),
}


@functools.cache
def plainly(name: str) -> tuple[StageTask, dict[str, Tensor], Tensor]:
    """A case as it begins, and the weights and losses of the plain engine."""
    plain, untouched = twins(CASES[name].task())
    losses = run(PlainEngine(plain), plain, ITERATIONS)
    return untouched, weights_with_effect(plain), losses


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("small", [0, kernels.SMALL_PICTURE], ids=["one by one", "one batch"])
def test_float64(name: str, small: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "SMALL_PICTURE", small)
    untouched, weights, expected = plainly(name)
    fast = copy.deepcopy(untouched)
    actual = run(FastEngine(fast), fast, ITERATIONS)
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-10)
    before = weights_with_effect(untouched)
    for (key, value), other in zip(
        weights_with_effect(fast).items(), weights.values(), strict=True
    ):
        torch.testing.assert_close(value, other, rtol=1e-8, atol=1e-9, msg=key)
    assert any(not torch.equal(before[k], v) for k, v in weights.items())


@pytest.mark.parametrize("name", CASES)
def test_float32(name: str) -> None:
    """Every iteration starts from the plain engine's state.

    Adam divides a gradient by its size: one that is nearly zero turns rounding into a step of its
    own, after which the two trainings part, as two plain ones on different processors would. In one
    of the iterations a value may lie so near the kink of an activation that rounding decides.
    """
    shares = []
    lazy = CASES[name].recipe.get("penalty_every", 1) > 1
    plain, fast = twins(dataclasses.replace(CASES[name], dtype=torch.float32).task())
    plain_engine, fast_engine = PlainEngine(plain), FastEngine(fast)
    for iteration in range(LAZY_ITERATIONS if lazy else ITERATIONS):
        draws = draws_for(plain, iteration)
        expected = plain_engine.step(draws, iteration)
        actual = fast_engine.step(draws, iteration)
        torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-6)
        weights, other = (
            torch.cat([p.flatten() for p in weights_with_effect(t).values()]) for t in (fast, plain)
        )
        off = (weights - other).abs() > 1e-4 * other.abs() + 1e-6
        shares.append(float(off.double().mean()))
        copy_state((plain, plain_engine), (fast, fast_engine))
    assert sorted(shares)[-2] < 1e-3
