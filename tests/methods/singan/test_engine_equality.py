"""The fast engine computes what the plain one does, in every case."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from singan_cases import Replay
from torch import Tensor

from consingan.machine.precision import Arithmetic
from consingan.methods.singan import convolutions
from consingan.methods.singan.architecture import Architecture
from consingan.methods.singan.chain import Scale, climb
from consingan.methods.singan.engine import Draws, PlainEngine, Recipe, ScaleTask
from consingan.methods.singan.fast_engine import FastEngine
from consingan.methods.singan.folded import FoldedRunner
from consingan.methods.singan.networks import (
    Discriminator,
    Generator,
    frame,
    initialize,
    learned,
)

TRACES = ["training_train", "training_growth", "training_animation"]


@dataclass(frozen=True)
class Case:
    """A small scale: networks, size, recipe."""

    architecture: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)
    size: tuple[int, int] = (14, 17)
    scale: int = 1

    def task(self, dtype: torch.dtype = torch.float64) -> ScaleTask:
        """Networks whose weights are large enough to matter."""
        architecture = Architecture(**{"channels": 6, "least": 6, **self.architecture})
        rng = torch.Generator().manual_seed(0)
        pair = Generator(architecture), Discriminator(architecture)
        for network in pair:
            initialize(network, rng)
            with torch.no_grad():
                for weight in network.parameters():
                    weight.add_(torch.randn(weight.shape, generator=rng), alpha=0.15)
            network.to(dtype)
        real = torch.rand(1, 3, *self.size, generator=rng, dtype=dtype) * 2 - 1
        below = real * 0 if self.scale == 0 else (real * 0.8 + 0.1)
        recipe = Recipe(**{"lr_g": 2e-3, "lr_d": 2e-3, **self.recipe})
        return ScaleTask(*pair, real, frame(below, architecture.frame), 0.3, recipe)


CASES = {
    "as published": Case(),
    "coarsest scale": Case(scale=0),
    "narrowing": Case({"channels": 8, "least": 4}),
    "three layers": Case({"layers": 3}),
    "two layers": Case({"layers": 2}),
    "kernel 5": Case({"kernel": 5, "layers": 3}),
    "one score": Case(size=(11, 11)),
    "a row of scores": Case(size=(11, 19)),
    "steps": Case(recipe={"d_steps": 1, "g_steps": 2}),
    "fake made anew": Case(recipe={"recompute_fake": True}),
    "no penalty": Case(recipe={"lambda_grad": 0.0}),
    "no reconstruction": Case(recipe={"alpha": 0.0}),
    "other momentum": Case(recipe={"beta1": 0.0, "alpha": 3.0}),
}


def draws_for(task: ScaleTask, iteration: int) -> Draws:
    rng = torch.Generator().manual_seed(iteration)
    like, steps = task.reconstructed, task.recipe.d_steps

    def drawn(samples: int = 1) -> Tensor:
        shape = (samples, *like.shape[1:])
        return torch.randn(shape, generator=rng, dtype=torch.float64).to(like)

    spread = 0.1 if like.any() else 0.0  # nothing comes from below the coarsest scale
    previous = like + spread * drawn(steps)
    return Draws(drawn(), drawn(), previous, torch.rand(steps, generator=rng).to(like))


def weights(task: ScaleTask) -> dict[str, Tensor]:
    """What is learned, and the running statistics."""
    found = dict(learned(task.generator)) | {
        f"d.{k}": v for k, v in learned(task.discriminator).items()
    }
    return found | {k: v for k, v in task.generator.named_buffers() if "running" in k}


@pytest.mark.parametrize("wide", [1, convolutions.WIDE], ids=["winograd", "direct"])
@pytest.mark.parametrize("name", CASES)
def test_float64(name: str, wide: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolutions, "WIDE", wide)
    plain = CASES[name].task()
    fast = copy.deepcopy(plain)
    engines = PlainEngine(plain), FastEngine(fast)
    before = {k: v.clone() for k, v in weights(plain).items()}
    for iteration in range(3):
        draws = draws_for(plain, iteration)
        expected, actual = (engine.step(draws) for engine in engines)
        torch.testing.assert_close(actual.critic, expected.critic, rtol=1e-8, atol=1e-9)
        torch.testing.assert_close(actual.generator, expected.generator, rtol=1e-8, atol=1e-9)
        pictures = [engine.reconstruct(draws.fixed) for engine in engines]
        torch.testing.assert_close(pictures[1], pictures[0], rtol=1e-7, atol=1e-8)
    for key, value in weights(fast).items():
        torch.testing.assert_close(value, weights(plain)[key], rtol=1e-6, atol=1e-8, msg=key)
    assert any(not torch.equal(before[k], v) for k, v in weights(plain).items())


@pytest.mark.parametrize("name", TRACES)
def test_recorded_training(name: str) -> None:
    errors = Replay(name, FastEngine).run()
    assert errors.pop("weights") < 2e-5
    assert errors.pop("statistics") < 1e-5
    assert all(error < 5e-5 for error in errors.values()), errors


def test_idle_biases_stand_still() -> None:
    for engine in (PlainEngine, FastEngine):
        task = CASES["as published"].task()
        before = task.generator.head.conv.bias.clone()
        engine(task).step(draws_for(task, 0))
        assert torch.equal(task.generator.head.conv.bias, before)


def test_folded_generators_climb_as_their_modules_do() -> None:
    task = CASES["as published"].task(torch.float32)
    task.generator(task.reconstructed, task.reconstructed)  # moves the running statistics
    generator = task.generator.eval()
    scale = Scale(generator, task.real, task.reconstructed, 0.3)
    noises = [torch.randn(3, *task.reconstructed.shape[1:]) for _ in range(2)]
    blank = torch.zeros(3, 3, *task.real.shape[-2:])
    run = FoldedRunner([generator], Arithmetic())
    plain = climb([scale, scale], noises, blank, 1.0)
    folded = climb([scale, scale], noises, blank, 1.0, run)
    off = (plain - folded).abs() > 1e-4  # a byte's flip, and what the next scale makes of it
    assert off.float().mean() < 0.02
