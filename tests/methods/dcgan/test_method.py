"""When DCGAN's critic won, by the losses of a training."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import pytest
import torch

from consingan.methods.dcgan.config import DCGANConfig
from consingan.methods.dcgan.method import DCGAN, LAST, LOSSES
from consingan.outputs.crops import BesideCrops
from consingan.outputs.samples import RandomSamples
from consingan.report.kinds import verdicts
from consingan.report.material import Facts
from consingan.training.observers import Saturation
from consingan.training.records import StageRecord


def curves(critic: float, iterations: int = LAST) -> torch.Tensor:
    """Losses of a training whose critic ended with `critic` in each, but for outliers."""
    losses = torch.full((2 * LAST, len(LOSSES)), 0.7)
    losses[LAST:, :2] = critic
    losses[LAST::3, :2] = 2.0
    return losses[-iterations:]


def told(losses: torch.Tensor) -> list[str]:
    training = SimpleNamespace(losses=LOSSES, flat=lambda *_: False)
    trainer = SimpleNamespace(training=training, config=DCGANConfig(lr=0.02))
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        Saturation().observe(StageRecord(0, losses), trainer)  # type: ignore[arg-type]
    return [str(warning.message) for warning in found]


def test_a_training_whose_critic_won_says_so_and_what_to_change() -> None:
    (text,) = told(curves(0.001))
    assert text.startswith("stage 1 ended with a critic that tells all samples from")
    assert text.endswith("smaller --lr (now 0.02) or --beta1 (now 0.5).")


@pytest.mark.parametrize("losses", [curves(0.02), curves(0.001, LAST - 1), curves(0.001)[:0]])
def test_of_a_fair_contest_or_a_short_one_nothing_is_said(losses: torch.Tensor) -> None:
    assert told(losses) == []


def test_the_report_says_that_the_critic_won_and_advises_no_longer_training() -> None:
    pictures = torch.zeros(1, 3, 8, 8)
    made = RandomSamples([], BesideCrops(pictures, pictures, 28.0, 3.0))
    won, far = verdicts(Facts(DCGANConfig(lr=0.02), method=DCGAN, beaten=True, made=made))
    assert (won.level, far.level) == ("bad", "bad")
    assert won.text.startswith("The critic won")
    assert "--lr (now 0.02)" in won.advice
    assert far.advice == ""
