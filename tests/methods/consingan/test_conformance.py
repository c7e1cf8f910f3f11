"""Agreement with numbers that the authors' program computed.

The folder named by CONFORMANCE_DIR is read, else the project's own copy. Sizes, channels, seeds and
settings are taken from the files, so that other files of the same kind can be put through.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import trainer_on
from torch import Tensor

from consingan.images import masks
from consingan.images.resize import resize, resize_to
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.draws import Draws
from consingan.methods.consingan.engine import PlainEngine
from consingan.methods.consingan.fast_engine import FastEngine
from consingan.methods.consingan.method import LOSSES
from consingan.methods.consingan.networks import Generator
from consingan.methods.consingan.pyramid import stage_sizes
from consingan.methods.consingan.sampling import animation_walk
from consingan.methods.consingan.tasks import TASKS
from consingan.nn import losses
from consingan.nn.architecture import Architecture
from consingan.nn.discriminator import Discriminator
from consingan.training.loop import Trainer
from consingan.training.records import StageRecord, StageStarted, StepRecord

FOLDER = Path(os.environ.get("CONFORMANCE_DIR", Path(__file__).parents[2] / "data" / "conformance"))
RTOL, ATOL = 1e-4, 1e-5
BORDERS = {"generation": "noise", "retarget": "zero"}
ACTIVATIONS = ("lrelu", "prelu", "elu", "selu")
GENERATORS = [f"generator_{b}_{a}" for b in BORDERS for a in ACTIVATIONS] + [
    f"generator_{b}_lrelu_bn" for b in BORDERS
]
TRACES = ["training_generation", "training_animation", "training_retarget_bn"]
ENGINES: dict[str, Callable[..., Any]] = {"plain": PlainEngine, "fast": FastEngine}

Arrays = dict[str, Tensor]


def load(name: str) -> Arrays:
    path = FOLDER / f"{name}.npz"
    assert path.is_file(), f"{path} is missing"
    with np.load(path) as file:
        return {key: torch.from_numpy(np.asarray(file[key])) for key in file.files}


def part(arrays: Mapping[str, Tensor], prefix: str) -> Arrays:
    """Arrays under `prefix.`, without it and without running statistics, which we do not keep."""
    start = f"{prefix}."
    return {
        key[len(start) :]: value
        for key, value in arrays.items()
        if key.startswith(start) and "running_" not in key and "num_batches" not in key
    }


def shape_of(weights: Arrays, slope: float = 0.05, activation: str = "lrelu") -> Architecture:
    """The networks' numbers, read off a set of generator weights."""
    layers = {key.split(".")[2] for key in weights if key.startswith("body.0.")}
    channels, image_channels, kernel, _ = weights["head.conv.weight"].shape
    return Architecture(
        channels=channels,
        layers=len(layers),
        kernel=kernel,
        image_channels=image_channels,
        activation=activation,  # type: ignore[arg-type]
        slope=slope,
        norm="head.norm.weight" in weights,
    )


def grown(shape: Architecture, border: str, weights: Arrays) -> Generator:
    generator = Generator(shape, border)  # type: ignore[arg-type]
    while f"body.{generator.stages}.0.conv.weight" in weights:
        generator.grow()
    generator.load_state_dict(weights)
    return generator


def close(actual: Tensor, expected: Tensor, rtol: float = RTOL, atol: float = ATOL) -> None:
    torch.testing.assert_close(actual.detach(), expected, rtol=rtol, atol=atol, check_dtype=False)


def test_pyramid_sizes() -> None:
    cases = json.loads((FOLDER / "pyramid.json").read_text())
    assert cases
    for case in cases:
        sizes = stage_sizes(
            (case["height"], case["width"]),
            case["train_stages"],
            case["min_size"],
            case["max_size"],
            TASKS[case["mode"]].spacing,
        )
        assert [list(size) for size in sizes] == case["sizes"], case


def test_resize_away_from_the_borders() -> None:
    arrays = load("resize")
    image = arrays.pop("image").permute(2, 0, 1)[None].double()
    height, width = image.shape[-2:]
    compared = 0
    for key, expected in arrays.items():
        kind, value = key.split("_")
        if kind == "scale":
            scale = float(value)
            output = resize(image, scale)
        else:
            rows, columns = (int(n) for n in value.split("x"))
            scale = min(rows / height, columns / width)
            output = resize_to(image, (rows, columns))
        expected = expected.permute(2, 0, 1)[None]
        assert output.shape == expected.shape, key
        border = math.ceil(2 * max(scale, 1))
        inner = (..., slice(border, -border), slice(border, -border))
        compared += expected[inner].numel()
        assert (output - expected)[inner].abs().numpy().max(initial=0) < 1e-3, key
    assert compared > 1000


@pytest.mark.parametrize("name", GENERATORS)
def test_generator_output(name: str) -> None:
    arrays = load(name)
    _, mode, activation, *_ = name.split("_")
    slope = float(arrays.get("lrelu_alpha", torch.tensor(0.05)))
    depth = 0
    while f"depth{depth}.output_train" in arrays:
        weights = part(arrays, f"depth{depth}.weights")
        generator = grown(shape_of(weights, slope, activation), BORDERS[mode], weights)
        noises = [arrays[f"noise.{k}"] for k in range(depth + 1)]
        with torch.no_grad():
            output = generator(noises, arrays["noise_amp"].tolist())
        assert output.shape[-2:] == tuple(arrays["sizes"][depth].tolist()[-2:])
        close(output, arrays[f"depth{depth}.output_train"])
        depth += 1
    assert depth >= 3


def discriminator_of(weights: Arrays, slope: float = 0.05) -> Discriminator:
    channels, image_channels, kernel, _ = weights["head.conv.weight"].shape
    layers = len({key.split(".")[1] for key in weights if key.startswith("body.")})
    discriminator = Discriminator(
        Architecture(channels, layers, kernel, image_channels=image_channels, slope=slope)
    )
    discriminator.load_state_dict(weights)
    return discriminator


def test_discriminator_scores_and_penalty() -> None:
    arrays = load("discriminator")
    discriminator = discriminator_of(part(arrays, "weights"))
    close(discriminator(arrays["real"]), arrays["output_real"])
    penalty = arrays["lambda_grad"] * losses.gradient_penalty(
        discriminator, arrays["real"], arrays["fake"], arrays["alpha"]
    )
    penalty.backward()
    close(penalty, arrays["gradient_penalty"])
    for name, parameter in discriminator.named_parameters():
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        close(gradient, arrays[f"penalty_grad.{name}"])


class Replay:
    """The random numbers of a recorded training."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays

    def initialize(self, network: torch.nn.Module, name: str) -> None:
        network.load_state_dict(part(self.arrays, f"stage0.{name[0]}_before"))

    def fixed_noise(self, stage: int, shape: Any, image: Tensor) -> Tensor:
        return self.arrays[f"stage{stage}.fixed_noise"]

    def draws(self, stage: int, iteration: int, shapes: Any, image: Tensor, steps: int) -> Draws:
        prefix = f"stage{stage}.iter{iteration}.noise"
        noises = [self.arrays[f"{prefix}.{k}"] for k in range(stage + 1)]
        for noise, shape in zip(noises, shapes, strict=True):
            assert tuple(noise.shape) == tuple(shape)
        mixing = self.arrays[f"stage{stage}.alphas"][iteration]
        assert len(mixing) == steps
        return Draws(noises, mixing)


def replayed(arrays: Arrays, mode: str, engine: Callable[..., Any]) -> Trainer:
    """A trainer that will repeat the recorded training."""
    weights = part(arrays, "stage0.g_before")
    shape = shape_of(weights)
    stages = 0
    while f"stage{stages}.real" in arrays:
        stages += 1
    config = ConSinGANConfig(
        train_mode=mode,
        train_stages=stages,
        nfc=shape.channels,
        num_layer=shape.layers,
        ker_size=shape.kernel,
        batch_norm=shape.norm,
        niter=int(arrays["niter"]),
        train_depth=int(arrays["train_depth"]),
        lr_scale=float(arrays["lr_scale"]),
        d_steps=arrays["stage0.alphas"].shape[1],
    )
    reals = [arrays[f"stage{k}.real"] for k in range(stages)]
    trainer = trainer_on(config, reals, engine, Replay(arrays))
    if reals[0].dtype == torch.float64:
        trainer.model.generator.double()
        trainer.training.discriminator.double()
        Replay(arrays).initialize(trainer.model.generator, "generator")
        Replay(arrays).initialize(trainer.training.discriminator, "discriminator")
    return trainer


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", TRACES)
def test_training_trace(name: str, engine: str) -> None:
    """Every loss, amplitude and weight of a recorded training.

    Computed in float64: Adam divides a gradient by its own size, so that a gradient which is zero
    but for rounding moves its weight by a whole step, in the recording as well as here. Each stage
    starts from the recorded weights for the same reason, and one weight in a thousand may differ.
    """
    arrays = {k: v.double() if v.is_floating_point() else v for k, v in load(name).items()}
    trainer = replayed(arrays, name.split("_")[1], ENGINES[engine])
    model = trainer.model
    for record in trainer.run():
        prefix = f"stage{record.stage}"
        if isinstance(record, StageStarted):
            amplitude = torch.tensor(model.anchors[record.stage].amplitude)
            close(amplitude, arrays[f"{prefix}.noise_amp"])
            assert_same_weights(trainer, arrays, prefix, "before")
            model.generator.load_state_dict(part(arrays, f"{prefix}.g_before"))
            trainer.training.discriminator.load_state_dict(part(arrays, f"{prefix}.d_before"))
        elif isinstance(record, StepRecord):
            for loss, value in zip(LOSSES, record.losses, strict=True):
                close(value, arrays[f"{prefix}.loss.{loss}"][record.iteration])
        elif isinstance(record, StageRecord):
            assert_same_weights(trainer, arrays, prefix, "after")
    assert trainer.stage == trainer.config.train_stages >= 2


def assert_same_weights(trainer: Trainer, arrays: Arrays, prefix: str, when: str) -> None:
    for letter, network in (("g", trainer.model.generator), ("d", trainer.training.discriminator)):
        expected = part(arrays, f"{prefix}.{letter}_{when}")
        actual = network.state_dict()
        assert actual.keys() == expected.keys()
        # The bias of a convolution that is normalized right after has no effect; its gradient is
        # rounding and nothing else.
        names = [
            n
            for n in actual
            if n.replace("conv.bias", "norm.bias") == n
            or n.replace("conv.bias", "norm.bias") not in actual
        ]
        off = torch.cat([(actual[n] - expected[n]).abs().flatten() for n in names])
        assert (off > ATOL).float().mean() < 1e-3, f"{prefix} {when}: {int((off > ATOL).sum())}"
        assert off.max() < 1e-3


@pytest.mark.parametrize("mode", ["harmonization", "editing"])
def test_mask_dilation(mode: str) -> None:
    arrays = load("mask_dilation")
    mask = arrays["mask"].float().mean(2)[None, None] / 255
    close(masks.soften(mask, TASKS[mode].mask_dilation)[0, 0], arrays[mode])


@pytest.mark.parametrize("start_stage", [0, 1])
def test_animation_walk(start_stage: int) -> None:
    arrays = load(f"animation_walk_start{start_stage}")
    stages = len([key for key in arrays if key.startswith("fixed.")])
    frames = len([key for key in arrays if key.startswith("frame.") and key.endswith(".0")])
    fixed = [arrays[f"fixed.{k}"] for k in range(stages)]
    draws = iter([[arrays[f"random.{t}.{k}"] for k in range(stages)] for t in range(frames + 1)])
    walk = animation_walk(
        fixed,
        lambda: next(draws),
        alpha=float(arrays["alpha"]),
        beta=float(arrays["beta"]),
        start_stage=int(arrays["start_stage"]),
    )
    for t in range(frames):
        for k, noise in enumerate(next(walk)):
            close(noise, arrays[f"frame.{t}.{k}"])
    assert frames >= 2
