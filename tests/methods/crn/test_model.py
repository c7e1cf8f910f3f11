"""A cascade's layouts: what they are read from, and what they are refused of."""

from __future__ import annotations

import pytest
import torch
from helpers import picture

from consingan.errors import UserError
from consingan.images.conditions import made_from
from consingan.machine.execution import Execution
from consingan.methods.crn.config import CRNConfig
from consingan.methods.crn.model import colors_of, layout_of, new_model
from consingan.methods.crn.training import CRNTraining
from consingan.methods.pairing import Pair

IMAGE = picture(32, 36)
NONE = torch.zeros(0, 3)


def test_a_picture_of_thousands_of_colors_is_no_layout() -> None:
    pair = Pair(IMAGE, IMAGE, NONE)
    with pytest.raises(UserError, match="too many colors to be names of things"):
        new_model(CRNConfig(), pair, Execution(torch.device("cpu")))


def test_a_drawing_is_a_layout_of_two_with_gray_taken_for_the_nearer() -> None:
    drawing = made_from(IMAGE, "edges")
    pair = Pair(drawing, IMAGE, NONE)
    assert len(colors_of(pair)) == 2
    gray = torch.full_like(drawing, 0.2)
    layout = layout_of(pair, gray)
    assert layout.shape == (1, 2, 32, 36)
    assert bool((layout[:, 1] == 1).all())  # white


def test_each_layout_becomes_as_many_pictures_as_were_asked_for() -> None:
    condition = made_from(IMAGE, "colors", 4)
    palette = condition[0].flatten(1).T.unique(dim=0)
    pair = Pair(condition, IMAGE, palette)
    model = new_model(CRNConfig(width=4, num_outputs=3), pair, Execution(torch.device("cpu")))
    assert model.translate(condition[..., :20]).shape == (3, 3, 32, 20)
    assert model.reconstruction().shape == (1, 3, 32, 36)


def test_jitter_leaves_a_drawing_its_two_names() -> None:
    losses = []
    for jitter in (0.0, 1.0):
        config = CRNConfig(width=2, ndf=2, features=0.0, jitter=jitter, manual_seed=1)
        drawing = Pair(made_from(IMAGE, "edges"), IMAGE, NONE)
        execution = Execution(torch.device("cpu"))
        losses.append(CRNTraining(new_model(config, drawing, execution), execution).iterate(0))
    assert torch.equal(*losses)
