"""bfloat16 trains as well as float32: what differs is no more than another seed changes."""

from __future__ import annotations

import dataclasses
from functools import lru_cache

import pytest
import torch
from helpers import picture, trainer_on

from consingan.machine.precision import Arithmetic
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.engines import choose_engine
from consingan.methods.consingan.pyramid import build_pyramid
from consingan.outputs.samples import random_samples

SEEDS = (0, 1, 2)


@lru_cache(maxsize=16)
def outcome(precision: str, seed: int) -> dict[str, float]:
    """Train a small model and measure it."""
    config = ConSinGANConfig(
        train_stages=2, min_size=14, max_size=22, nfc=8, niter=30, manual_seed=seed
    )
    reals = build_pyramid(picture(18, 22), 2, 14, 22, "log")
    arithmetic = Arithmetic(precision)
    trainer = trainer_on(config, reals, choose_engine("fast", arithmetic))
    for _ in trainer.run():
        pass
    model = dataclasses.replace(trainer.model, arithmetic=arithmetic)
    samples = torch.cat(list(random_samples(model, 8, seed=seed)))
    return {
        "reconstruction": float((model.reconstruction() - model.real).square().mean().sqrt()),
        "brightness": float(samples.mean()),
        "contrast": float(samples.std()),
        "diversity": float(samples.std(0).mean()),
        "grain": float((samples[..., 1:] - samples[..., :-1]).abs().mean()),
    }


@pytest.mark.parametrize(
    "measure", ["reconstruction", "brightness", "contrast", "diversity", "grain"]
)
def test_within_the_spread_of_seeds(measure: str) -> None:
    """The mean of three seeds, with as much room again on both sides as three seeds spread."""
    exact = torch.tensor([outcome("float32", seed)[measure] for seed in SEEDS])
    rounded = torch.tensor([outcome("bf16", seed)[measure] for seed in SEEDS])
    spread = exact.max() - exact.min()
    assert exact.min() - spread <= rounded.mean() <= exact.max() + spread
    assert not torch.equal(exact, rounded)
