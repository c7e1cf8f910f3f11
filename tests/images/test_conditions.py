"""The other picture of a pair: what is made of a photograph, and which colors are names."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from helpers import picture
from PIL import Image
from torch import Tensor

from consingan.images.conditions import (
    is_drawn,
    made_from,
    one_hot,
    palette_of,
    stray_share,
    two_colors,
)
from consingan.images.io import read_image
from consingan.images.picture import is_gray


def layout(colors: int, side: int = 24) -> Tensor:
    """Stripes of gray levels, (1, 3, side, side)."""
    numbers = torch.arange(side).remainder(colors).float()
    levels = (255 * numbers / max(colors - 1, 1)).round() / 127.5 - 1
    return levels.expand(1, 3, side, side).clone()


def test_k_colors_are_k_and_the_same_each_time() -> None:
    image = picture(40, 48)
    made = made_from(image, "colors", 5)
    palette = palette_of(made)
    assert palette is not None
    assert len(palette) == 5
    assert torch.equal(made, made_from(image, "colors", 5))
    assert stray_share(made, palette) == 0


def test_edges_are_white_lines_on_black() -> None:
    image = -torch.ones(1, 3, 32, 32)
    image[..., 8:24, 8:24] = 1
    made = made_from(image, "edges")
    assert set(made.unique().tolist()) == {-1.0, 1.0}
    assert is_drawn(made)
    assert made.mean() < 0


def test_gray_has_one_channel_in_all_and_blur_keeps_the_mean() -> None:
    image = picture(32, 32)
    assert is_gray(made_from(image, "gray"))
    assert not is_gray(image)
    blurred = made_from(image, "blur")
    assert blurred.std() < image.std()
    assert torch.isclose(blurred.mean(), image.mean(), atol=0.05)


@pytest.mark.parametrize(("colors", "names"), [(2, None), (3, 3), (12, 12)])
def test_few_colors_are_names_and_two_are_a_drawing(colors: int, names: int | None) -> None:
    found = palette_of(layout(colors))
    assert (None if found is None else len(found)) == names


def test_a_photograph_is_no_layout() -> None:
    assert palette_of(picture(64, 64)) is None


def test_soft_edges_leave_the_names() -> None:
    sharp = layout(4, 64).repeat_interleave(8, 3)[..., :64]
    soft = torch.nn.functional.avg_pool2d(sharp, 3, 1, 1, count_include_pad=False)
    found = palette_of(torch.cat([sharp, sharp, sharp, soft], 2))
    assert found is not None
    assert {round(float(c), 3) for c in palette_of(sharp)[:, 0]} <= {
        round(float(c), 3) for c in found[:, 0]
    }


@pytest.mark.parametrize(("colors", "names"), [(2, None), (3, 3), (4, 4)])
def test_colors_that_jpeg_wrote_in_several_ways_are_one_name(
    tmp_path: Path, colors: int, names: int | None
) -> None:
    y, x = torch.meshgrid(torch.arange(400.0), torch.arange(600.0), indexing="ij")
    numbers = ((x + 30 * torch.sin(y / 40)).clamp(0, 599) * colors / 600).long()
    shades = torch.tensor([[70, 130, 180], [200, 60, 40], [40, 160, 60], [230, 220, 90]])
    areas = shades[numbers]
    Image.fromarray(areas.byte().numpy()).save(tmp_path / "layout.jpg", quality=90)
    written = read_image(tmp_path / "layout.jpg")
    assert len(written[0].flatten(1).T.unique(dim=0)) > 64
    found = palette_of(written)
    assert (None if found is None else len(found)) == names


def test_two_colors_that_are_as_light_are_found() -> None:
    red, blue = torch.tensor([[1.0, -1.0, -1.0], [-1.0, -1.0, 1.0]])
    shares = torch.tensor([0.5, 0, 0.2, 1])[:, None]  # of blue, as at a soft edge
    found = two_colors((red + shares * (blue - red)).T[None, :, None])
    assert {tuple(color.tolist()) for color in found} == {(1, -1, -1), (-1, -1, 1)}


def test_a_layout_in_planes_is_one_of_them_at_each_pixel() -> None:
    condition = layout(5)
    palette = palette_of(condition)
    assert palette is not None
    planes = one_hot(condition, palette)
    assert planes.shape == (1, 5, 24, 24)
    assert torch.equal(planes.sum(1), torch.ones(1, 24, 24))
