"""DeepSIM's VGG term: its maps and weights, and that a training goes by it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from helpers import picture
from torch import Tensor
from vgg_cases import small_vgg

from consingan.machine.execution import Execution
from consingan.methods.contract import Inputs
from consingan.methods.pix2pix.compared import perceptual_of
from consingan.methods.pix2pix.config import Pix2PixConfig
from consingan.methods.pix2pix.method import PIX2PIX
from consingan.methods.pix2pix.training import Pix2PixTraining
from consingan.nn.vgg import names_of

CPU = torch.device("cpu")
IMAGE = picture(32, 36)


@pytest.fixture
def weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    return small_vgg(monkeypatch, tmp_path)


def maps_of(x: Tensor, state: dict[str, Tensor]) -> list[Tensor]:
    """pix2pixHD's: after the first ReLU of each block, of a picture that is not normalized."""
    found = []
    for number, names in enumerate(names_of(19, 5)):
        x = F.max_pool2d(x, 2) if number else x
        for place, name in enumerate(names):
            x = F.relu(F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], padding=1))
            found += [] if place else [x]
    return found


def test_the_term_is_the_mean_difference_of_relu1_1_to_relu5_1_by_their_weights(
    weights: Path,
) -> None:
    term = perceptual_of(Pix2PixConfig(vgg_weights=str(weights)), CPU)
    state = torch.load(weights, weights_only=True)
    pairs = zip(maps_of(IMAGE, state), maps_of(-IMAGE, state), strict=True)
    apart = [float((x - y).abs().mean()) for x, y in pairs]
    expected = sum(x * w for x, w in zip(apart, (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1), strict=True))
    assert term is not None
    assert float(term(IMAGE, -IMAGE)) == pytest.approx(expected)


def test_a_picture_too_small_for_five_blocks_is_compared_by_fewer(weights: Path) -> None:
    term = perceptual_of(Pix2PixConfig(vgg_weights=str(weights)), CPU)
    assert term is not None
    assert [len(term.maps(IMAGE[..., :side])) for side in (1, 2, 15, 16)] == [1, 2, 4, 5]


def begun(**settings: object) -> Pix2PixTraining:
    config = Pix2PixConfig(input_name="x.png", manual_seed=1, **{**PIX2PIX.trial, **settings})
    training = PIX2PIX.load().begin(config, Inputs(IMAGE), Execution(CPU), None)
    assert isinstance(training, Pix2PixTraining)
    return training


def test_a_training_goes_by_the_term_where_there_is_a_file(weights: Path) -> None:
    plain, by_vgg = begun(), begun(vgg_weights=str(weights))
    assert float(plain.step(0)[-1]) == 0
    assert float(by_vgg.step(0)[-1]) > 0
    assert not torch.equal(*(t.model.network.up[0][1].weight for t in (plain, by_vgg)))
    facts = list(by_vgg.facts())
    assert any(fact.startswith("features: VGG19 of vgg19.pth, SHA-256 ") for fact in facts)
    plain_bytes, bytes_by_vgg = plain.peak_memory(), by_vgg.peak_memory()
    assert plain_bytes is not None
    assert bytes_by_vgg is not None
    assert bytes_by_vgg > plain_bytes
