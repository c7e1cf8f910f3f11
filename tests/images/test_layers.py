"""What a picture that is transparent in part means: a layer, or a piece that was erased."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pictures import texture
from PIL import Image

from consingan.images.io import read_image, read_picture
from consingan.images.layers import own_picture
from consingan.images.resize import resize, training_scale
from consingan.methods.singan.resize import resize as singan_resize

H, W = 24, 32
OBJECT = (slice(6, 14), slice(8, 20))


def smooth() -> np.ndarray:
    rows, columns = np.mgrid[:H, :W]
    return np.stack([rows * 10, columns * 7, 120 + rows * 0], 2).astype(np.uint8)


def real(tmp_path, pixels):
    Image.fromarray(pixels).save(tmp_path / "real.png")
    return read_image(tmp_path / "real.png")


def own(tmp_path, rgba, image):
    Image.fromarray(rgba).save(tmp_path / "own.png")
    return own_picture(read_picture(tmp_path / "own.png"), image, "own.png")


def layer(opacity: int = 255) -> np.ndarray:
    rgba = np.zeros((H, W, 4), np.uint8)
    rgba[OBJECT] = (250, 20, 200, opacity)
    return rgba


def erased(pixels: np.ndarray) -> np.ndarray:
    rgba = np.dstack([pixels, np.full((H, W), 255, np.uint8)])
    rgba[OBJECT] = (255, 40, 200, 0)
    return rgba


def test_a_layer_lies_over_the_training_image_and_covers_the_mask(tmp_path):
    image = real(tmp_path, smooth())
    found = own(tmp_path, layer(), image)
    mask = found.mask.values[0, 0].bool()
    assert mask[OBJECT].all()
    assert int(mask.sum()) == 8 * 12
    assert torch.equal(found.image[:, :, ~mask], image[:, :, ~mask])
    assert torch.allclose(
        found.image[0, :, 7, 9], torch.tensor([250, 20, 200]) / 127.5 - 1, atol=1e-6
    )
    assert found.notes == (
        "own.png: a layer that covers 12 %; it is laid over the training image.",
    )


def test_a_layer_that_shows_through_is_mixed(tmp_path):
    image = real(tmp_path, smooth())
    found = own(tmp_path, layer(51), image)
    expected = 0.2 * torch.tensor([250, 20, 200]) + 0.8 * (image[0, :, 7, 9] + 1) * 127.5
    assert torch.allclose((found.image[0, :, 7, 9] + 1) * 127.5, expected, atol=0.01)
    assert abs(float(found.mask.values[0, 0, 7, 9]) - 0.2) < 1e-6


@pytest.mark.parametrize("pixels", [smooth(), texture(H, W)])
def test_what_is_erased_is_the_mask(tmp_path, pixels):
    image = real(tmp_path, pixels)
    found = own(tmp_path, erased(pixels), image)
    mask = found.mask.values[0, 0].bool()
    assert mask[OBJECT].all()
    assert int(mask.sum()) == 8 * 12
    assert torch.allclose(found.image[:, :, ~mask], image[:, :, ~mask], atol=1e-6)
    assert "12 % of it is erased" in found.notes[0]


def test_most_of_a_picture_may_be_erased(tmp_path):
    pixels = texture(H, W)
    rgba = np.dstack([pixels, np.zeros((H, W), np.uint8)])
    rgba[: H // 4, :, 3] = 255
    assert "75 % of it is erased" in own(tmp_path, rgba, real(tmp_path, pixels)).notes[0]


def test_an_erased_place_takes_the_colors_of_its_rim(tmp_path):
    pixels = smooth()
    pixels[...] = (10, 200, 90)
    pixels[OBJECT] = (255, 0, 0)  # what is to go
    image = real(tmp_path, pixels)
    rgba = erased(pixels)
    found = own(tmp_path, rgba, image)
    assert torch.allclose(found.image[0, :, 9, 12], torch.tensor([10, 200, 90]) / 127.5 - 1)


def test_erased_in_a_picture_of_another_size(tmp_path):
    pixels = smooth()
    image = real(tmp_path, pixels)
    large = np.asarray(Image.fromarray(erased(pixels)).resize((2 * W, 2 * H), Image.Resampling.BOX))
    found = own(tmp_path, large, image)
    assert found.image.shape[-2:] == (2 * H, 2 * W)
    assert "erased" in found.notes[0]


@pytest.mark.parametrize("size", [(H, W), (31, 40), (48, 64)])
@pytest.mark.parametrize("longer", [16, 23])
def test_erased_in_a_picture_whose_grain_the_training_size_lost(tmp_path, size, longer):
    pixels = texture(*size)
    image = real(tmp_path, pixels)
    small = resize(image, training_scale(size, longer)).clamp(-1, 1)
    rgba = np.dstack([pixels, np.full(size, 255, np.uint8)])
    rgba[OBJECT] = 0
    found = own(tmp_path, rgba, small)
    mask = found.mask.values[0, 0].bool()
    assert mask[OBJECT].all()
    assert int(mask.sum()) == 8 * 12
    assert torch.allclose(found.image[:, :, ~mask], image[:, :, ~mask], atol=1e-6)


def test_erased_in_a_picture_that_singan_made_smaller_by_its_own_rounding(tmp_path):
    pixels = texture(26, 35)
    small = singan_resize(real(tmp_path, pixels), 29 / 35)
    assert small.shape[-2:] == (22, 30)
    rgba = np.dstack([pixels, np.full((26, 35), 255, np.uint8)])
    rgba[OBJECT] = 0
    assert "is erased" in own(tmp_path, rgba, small).notes[0]


def test_a_layer_stays_one_over_a_small_training_image(tmp_path):
    image = real(tmp_path, texture(H, W))
    found = own(tmp_path, layer(), resize(image, 0.5).clamp(-1, 1))
    assert "a layer that covers 12 %" in found.notes[0]


def test_an_opaque_picture_stays_and_has_no_mask(tmp_path):
    image = real(tmp_path, smooth())
    found = own(tmp_path, np.dstack([texture(H, W), np.full((H, W), 255, np.uint8)]), image)
    assert found.mask is None
    assert found.notes == ()


def test_an_erased_place_with_a_soft_edge_takes_none_of_what_it_was_laid_over(tmp_path):
    pixels = np.empty((H, W, 3), np.uint8)
    pixels[...] = (10, 200, 90)
    image = real(tmp_path, pixels)
    rgba = np.dstack([pixels, np.full((H, W), 255, np.uint8)])
    rgba[4:16, 6:22, 3] = 140  # a soft eraser
    rgba[OBJECT] = (255, 0, 0, 0)
    found = own(tmp_path, rgba, image).image
    assert torch.allclose(found, image.expand_as(found), atol=0.02)
