"""The warning that a stage gives one flat color."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import pytest
import torch
from helpers import trainer_on

from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.method import LOSSES
from consingan.methods.consingan.saturation import ENOUGH
from consingan.training.observers import Saturation
from consingan.training.records import StageRecord, StageStarted

REAL = torch.linspace(-0.8, 0.8, 12 * 16).view(1, 1, 12, 16).expand(1, 3, 12, 16)
FLAT = 10 * REAL.var((2, 3)).mean().item()  # the reconstruction loss of its mean color


def watch(loss, niter=2 * ENOUGH, alpha=10.0, iterations=None):
    """Show a stage with a constant loss, by default an uncut one, to the observer."""
    iterations = iterations or niter
    losses = torch.zeros(iterations, len(LOSSES))
    losses[:, LOSSES.index("g_reconstruction")] = loss
    config = ConSinGANConfig(alpha=alpha, niter=niter, train_stages=2, nfc=4)
    trainer = trainer_on(config, [REAL, REAL])
    Saturation().observe(StageRecord(1, losses), trainer)


def test_worse_than_the_mean_color_is_said():
    with pytest.warns(UserWarning, match="stage 2 gives the image back no better than one flat"):
        watch(1.1 * FLAT)


def test_a_stage_that_is_cut_short_has_learned_before():
    with pytest.warns(UserWarning, match="stage 2 gives the image back no better than one flat"):
        watch(1.1 * FLAT, iterations=ENOUGH // 4)


@pytest.mark.parametrize(
    ("loss", "niter", "alpha"),
    [(0.9 * FLAT, 2 * ENOUGH, 10.0), (9 * FLAT, ENOUGH - 1, 10.0), (9 * FLAT, 2 * ENOUGH, 0.0)],
)
def test_else_nothing_is_said(loss, niter, alpha):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watch(loss, niter, alpha)
        Saturation().observe(StageStarted(0), SimpleNamespace())
