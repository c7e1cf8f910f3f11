"""Harmonization does what it is for: the pasted object takes on the painting's patches."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import consingan
from consingan.images.resize import resize_to
from consingan.metrics.swd import sliced_wasserstein
from consingan.nn.noise import gaussian, stream
from consingan.outputs.composed import Composite
from consingan.outputs.composite import compose
from consingan.outputs.requests import CompositeRequest

SIZE = (48, 64)
BOX = (slice(12, 36), slice(20, 46))  # where the object lies


def painting() -> Tensor:
    """Short oblique strokes in blues and yellows, (1, 3, 48, 64) in [-1, 1]."""
    rng = stream(1, "painting")
    height, width = SIZE
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    large = resize_to(gaussian((1, 1, 6, 8), rng), SIZE)
    strokes = torch.sin((rows + columns) * 1.3 + 3 * resize_to(gaussian((1, 1, 12, 16), rng), SIZE))
    blue = torch.cat([-0.6 + 0.3 * large, -0.2 + 0.3 * large, 0.4 + 0.3 * large], 1)
    return (blue + 0.35 * strokes * torch.tensor([1.0, 0.9, 0.4]).view(1, 3, 1, 1)).clamp(-1, 1)


def pasted(image: Tensor) -> tuple[Tensor, Tensor]:
    """The image with a smoothly shaded orange ball in it, and the ball's mask."""
    height, width = SIZE
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    square = ((rows - 24.0) / 9).square() + ((columns - 33.0) / 10).square()
    mask = (square < 1).float()[None, None]
    shade = (1 - square).clamp(0, 1).sqrt()
    ball = torch.stack([0.2 + 0.8 * shade, -0.5 + 0.8 * shade, -1 + 0.4 * shade])[None]
    return image * (1 - mask) + ball * mask, mask


@pytest.fixture(scope="module")
def harmonized() -> tuple[Tensor, Composite]:
    real = painting()
    naive, mask = pasted(real)
    model = consingan.train(
        real,
        train_mode="harmonization",
        min_size=32,
        niter=30,
        nfc=8,
        manual_seed=2,
        device="cpu",
        precision="float32",
    )
    request = CompositeRequest(mask_dilation=1, mask_feather=1.0)
    return real, compose(model.model, naive, mask, request)


def distance(real: Tensor, picture: Tensor) -> float:
    """Sliced Wasserstein distance of the patches around the object to those of the painting."""
    part = picture[(..., *BOX)]
    return float(sliced_wasserstein((real + 1) / 2, (part + 1) / 2, levels=2))


def test_object_comes_closer_to_the_painting(harmonized: tuple[Tensor, Composite]) -> None:
    real, made = harmonized
    before, after = distance(real, made.naive), distance(real, made.full_blended)
    assert after < 0.8 * before


def test_object_stays_visible(harmonized: tuple[Tensor, Composite]) -> None:
    """Pasting the background over the object would be closest of all, and useless."""
    real, made = harmonized
    assert (made.full_blended - real)[..., 16:32, 26:40].abs().mean() > 0.1


def test_nothing_changes_away_from_the_object(harmonized: tuple[Tensor, Composite]) -> None:
    _, made = harmonized
    changed = (made.full_blended != made.naive).any(1)[0]
    assert changed.any()
    assert not changed[:, -1].any()
    assert changed.float().mean() < 0.5
