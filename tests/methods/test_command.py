"""The command that repeats a training gives the settings that it had, of the same picture."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from commands import save, scene
from PIL import Image
from torch import Tensor

from consingan.cli.training import train
from consingan.methods import command
from consingan.methods.choose import choose_settings
from consingan.methods.command import training_command
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.setup import fitted

LARGE = (1000, 1024)  # px, (h, w): windows where nobody says otherwise
COLORS = torch.tensor([-1.0, 0.0, 1.0]).view(1, 3, 1, 1)


def typed_by(words: str) -> dict[str, Any]:
    """What a command says, by the fields of the settings."""
    params = train.make_context("train", shlex.split(words)[2:]).params
    names = {field.name for field in dataclasses.fields(ConSinGANConfig)}
    return {k: v for k, v in params.items() if k in names and v is not None}


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"crop": 0},
        {"train_stages": 6},
        {"crop": 0, "preset": "fast"},
        {"train_mode": "editing", "batch_norm": True},
        {"train_mode": "editing", "crop": 0, "train_stages": 4},
    ],
)
def test_what_a_large_picture_would_be_given_is_said_otherwise(typed: dict[str, Any]) -> None:
    asked = {"input_name": "a.png", "max_size": max(LARGE), **typed}
    config = fitted(choose_settings(asked), LARGE)[0].config
    words = training_command(config, real=COLORS.expand(1, 3, *LARGE))
    assert fitted(choose_settings(typed_by(words)), LARGE)[0].config == config


@pytest.mark.parametrize(
    ("pixels", "channels"),
    [
        (np.asarray(Image.fromarray(scene()).convert("L")), "rgb"),
        (np.dstack([scene(), np.eye(*scene().shape[:2], dtype=np.uint8) * 255]), "rgb"),
        (scene(), None),
    ],
)
def test_a_picture_that_was_trained_in_colors_is_again(
    tmp_path: Path, pixels: np.ndarray, channels: str | None
) -> None:
    config = ConSinGANConfig(input_name=str(save(tmp_path / "a.png", pixels)))
    assert typed_by(training_command(config)).get("channels") == channels


@pytest.mark.parametrize(("real", "channels"), [(COLORS.expand(1, 3, 30, 40), None),
                                                (torch.zeros(1, 3, 30, 40), "rgb")])  # fmt: skip
def test_of_a_picture_that_is_gone_the_trained_one_tells(real: Tensor, channels: str) -> None:
    config = ConSinGANConfig(input_name="gone.png", value_range="full,8")
    typed = typed_by(training_command(config, real=real))
    assert typed.get("channels") == channels
    assert typed["value_range"] == "full,8"


def test_no_picture_is_read_whose_run_says_how_it_was_trained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a faintly colored one a smaller copy could be gray."""
    monkeypatch.setattr(command, "read_picture", lambda *_: pytest.fail("it was read"))
    config = ConSinGANConfig(input_name="a.png", max_size=max(LARGE))
    manifest = {"origin": {"channels": "default"}, "execution": {"device": "cpu"}}
    words = training_command(config, manifest, torch.zeros(1, 3, 1, 1).expand(1, 3, *LARGE))
    typed = typed_by(words)
    assert "channels" not in typed
    assert typed["crop"] == 0
    assert "--device cpu" in words


@pytest.mark.parametrize(("kind", "said"), [(np.uint8, None), (np.uint16, "full,8")])
def test_how_1_0_read_is_said_of_deep_pictures_alone(
    tmp_path: Path, kind: type[np.generic], said: str | None
) -> None:
    levels = np.linspace(0, 250, 32 * 40).astype(kind).reshape(32, 40)
    Image.fromarray(levels).save(tmp_path / "a.png")
    config = ConSinGANConfig(input_name=str(tmp_path / "a.png"), value_range="full,8")
    assert typed_by(training_command(config)).get("value_range") == said
