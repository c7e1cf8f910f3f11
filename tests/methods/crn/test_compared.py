"""What a cascade is compared by: VGG19 from a file, told with its checksum, or built-in filters."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from helpers import picture
from vgg_cases import small_vgg

from consingan.errors import UserError
from consingan.machine.execution import Execution
from consingan.methods.contract import Inputs
from consingan.methods.crn.compared import WEIGHTS, features_of
from consingan.methods.crn.config import CRNConfig
from consingan.methods.crn.method import CRN
from consingan.methods.crn.training import CRNTraining

IMAGE = picture(32, 36)


@pytest.fixture
def weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    return small_vgg(monkeypatch, tmp_path)


def test_maps_of_vgg19_weigh_alike_but_the_last(weights: Path) -> None:
    features = features_of(CRNConfig(vgg_weights=str(weights)), IMAGE)
    assert features is not None
    maps = features(IMAGE)
    assert [tuple(x.shape[-2:]) for x in maps] == [(32, 36), (16, 18), (8, 9), (4, 4), (2, 2)]
    torch.testing.assert_close(torch.stack([x.mean() for x in maps]), torch.tensor(WEIGHTS))


def test_the_file_is_told_with_its_checksum_and_is_trained_by(weights: Path) -> None:
    settings = {**CRN.trial, "vgg_weights": str(weights)}
    config = CRNConfig(input_name="x.png", **settings)
    training = CRN.load().begin(config, Inputs(IMAGE), Execution(torch.device("cpu")), None)
    assert isinstance(training, CRNTraining)
    checksum = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert f"features: VGG19 of vgg19.pth, SHA-256 {checksum}" in list(training.facts())
    assert float(training.step(0)[1]) > 0


def test_a_file_of_vgg16_is_refused(weights: Path) -> None:
    state = torch.load(weights, weights_only=True)
    del state["features.16.weight"]  # the fourth convolution of the third block, which VGG16 lacks
    torch.save(state, weights)
    with pytest.raises(UserError, match=r"weights of torchvision's VGG19: features\.16\.weight"):
        features_of(CRNConfig(vgg_weights=str(weights)), IMAGE)
