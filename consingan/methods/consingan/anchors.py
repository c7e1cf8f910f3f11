"""What ties each stage of a model to the training image, and what was kept of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.draws import noise_shapes
from consingan.nn.noise_field import NoiseField
from consingan.nn.optimizers import part


@dataclass(frozen=True)
class Anchor:
    """What ties one stage to the training image.

    Attributes:
        real: (1, 3, h, w) in [-1, 1], the training image at this stage.
        noise: the fixed z of this stage; all fixed z together must give back `real`. Of a stage
            that is trained on windows it is never stored.
        amplitude: factor on the z of this stage (1 for stage 0).
    """

    real: Tensor
    noise: Tensor | NoiseField
    amplitude: float

    def to(self, device: torch.device | str) -> Anchor:
        """The same on another device."""
        return Anchor(self.real.to(device), self.noise.to(device), self.amplitude)


def check_anchors(config: ConSinGANConfig, anchors: Sequence[Anchor]) -> None:
    """What was kept of each stage must fit the settings.

    Raises:
        RuntimeError: something does not; its name is in the message.
    """
    numbers, border = config.architecture, config.border
    frame = numbers.layers * numbers.margin if border == "noise" else 0
    sizes = [(a.real.shape[-2], a.real.shape[-1]) for a in anchors]
    shapes = noise_shapes(sizes, numbers.channels, numbers.image_channels, frame) if sizes else []
    for stage, (anchor, shape) in enumerate(zip(anchors, shapes, strict=True)):
        if anchor.real.shape[1] != numbers.image_channels or min(sizes[stage]) < 1:
            raise RuntimeError(f"real.{stage} has the shape {tuple(anchor.real.shape)}")
        if tuple(anchor.noise.shape) != shape:
            raise RuntimeError(f"anchor.{stage}.noise has the shape {tuple(anchor.noise.shape)}")
        stored = isinstance(anchor.noise, Tensor)
        if stored and anchor.noise.dtype != anchor.real.dtype:
            raise RuntimeError(f"anchor.{stage}.noise is of type {anchor.noise.dtype}")


def anchors_from(tensors: Mapping[str, Tensor], device: torch.device | str) -> list[Anchor]:
    """The anchors of all stages that `tensors` have one of.

    Raises:
        KeyError: a tensor is missing.
        RuntimeError: an amplitude is no number, or something is not finite.
    """
    anchors: list[Anchor] = []
    while part(tensors, f"anchor.{len(anchors)}"):
        stage = len(anchors)
        real, noise = tensors[f"real.{stage}"], tensors[f"anchor.{stage}.noise"]
        amplitude = tensors[f"anchor.{stage}.amplitude"]
        if amplitude.numel() != 1 or amplitude.is_complex() or amplitude.dtype == torch.bool:
            raise RuntimeError(f"anchor.{stage}.amplitude is no number")
        if not all(bool(torch.isfinite(x).all()) for x in (noise, amplitude.double())):
            raise RuntimeError(f"anchor.{stage} is not finite")
        fixed = NoiseField.of(noise) if noise.dtype == torch.int64 else noise
        anchors.append(Anchor(real.to(device), fixed.to(device), float(amplitude)))
    return anchors
