"""Of how small a picture pix2pix's critics make sense, and what the paper's settings mean."""

from __future__ import annotations

import pytest
import torch
from helpers import picture

from consingan.errors import UserError
from consingan.machine.execution import Execution
from consingan.methods.choose import choose_settings
from consingan.methods.command import training_command
from consingan.methods.contract import Inputs
from consingan.methods.pairing import pair_of
from consingan.methods.pix2pix.config import Pix2PixConfig
from consingan.methods.pix2pix.model import new_model
from consingan.methods.pix2pix.training import Pix2PixTraining


def training(side: int, critics: int) -> Pix2PixTraining:
    config = Pix2PixConfig(condition="blur", ngf=2, ndf=2, critics=critics, manual_seed=1)
    pair, execution = pair_of(config, Inputs(picture(side, 26))), Execution(torch.device("cpu"))
    return Pix2PixTraining(new_model(config, pair, execution), execution)


def test_more_critics_than_the_picture_has_room_for_are_refused() -> None:
    with pytest.raises(UserError, match="--critics 3 need 21 px on each side, use --critics 2"):
        training(20, 3)


@pytest.mark.parametrize(("side", "critics"), [(21, 3), (16, 2)])
def test_the_smallest_critics_that_are_let_in_learn(side: int, critics: int) -> None:
    assert bool(training(side, critics).step(0).isfinite().all())


def test_the_paper_bends_no_pair_and_a_run_that_did_is_repeated_as_it_was() -> None:
    told = {"method": "pix2pix", "preset": "paper", "condition": "blur", "manual_seed": 1}
    config = choose_settings(told).config
    assert isinstance(config, Pix2PixConfig)
    assert not config.warps
    assert "--warps" in training_command(config.replace(warps=True)).split()
    assert "--warps" not in training_command(config).split()
