from __future__ import annotations

import io
import os
import unicodedata
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data, filters, morphology
from torch import Tensor

from consingan.errors import UserError
from consingan.images import mask_files, masks
from consingan.images.difference import mask_from_difference

CONFORMANCE = Path(
    os.environ.get("CONFORMANCE_DIR", str(Path(__file__).parents[1] / "data" / "conformance"))
)
Pixels = npt.NDArray[np.uint8]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def disk_mask(height: int, width: int, center: tuple[float, float], radius: float) -> Tensor:
    y = torch.arange(height).view(-1, 1) - center[0]
    x = torch.arange(width).view(1, -1) - center[1]
    return (y**2 + x**2 <= radius**2).float()[None, None]


def photograph(name: str, height: int, width: int) -> Pixels:
    image = Image.fromarray(getattr(data, name)())
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS))


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def to_tensor(pixels: Pixels) -> Tensor:
    return torch.from_numpy(pixels / 127.5 - 1).permute(2, 0, 1)[None].float()


def overlap(first: Tensor, second: Tensor) -> float:
    a, b = first > 0.5, second > 0.5
    return float((a & b).sum() / (a | b).sum())


class TestReadMask:
    @pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "gif", "webp", "jpg"])
    def test_white_is_one_and_black_is_zero(self, tmp_path: Path, suffix: str) -> None:
        pixels = np.zeros((40, 56), np.uint8)
        pixels[:, 24:] = 255
        path = tmp_path / f"a mask.v2.{suffix}"
        Image.fromarray(pixels).save(path)
        mask = mask_files.read_mask(path)
        assert mask.shape == (1, 1, 40, 56)
        assert mask.dtype == torch.float32
        assert torch.allclose(mask[0, 0], torch.from_numpy(pixels / 255).float(), atol=0.02)

    def test_gray_between_black_and_white_stays(self, tmp_path: Path) -> None:
        pixels = np.zeros((2, 3), np.uint8)
        pixels[0, 1], pixels[0, 2], pixels[1, 2] = 90, 255, 128
        Image.fromarray(pixels).save(tmp_path / "m.png")
        mask = mask_files.read_mask(tmp_path / "m.png")
        expected = torch.tensor([[0, 90 / 255, 1], [0, 0, 128 / 255]])
        assert torch.allclose(mask[0, 0], expected, atol=1e-6)

    @pytest.mark.parametrize("color", [(255, 255, 255), (0, 0, 0), (200, 30, 30)])
    @pytest.mark.parametrize("hidden", [0, 255])
    @pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
    def test_one_color_on_transparency_is_its_opacity(
        self, tmp_path: Path, color: tuple[int, int, int], hidden: int, suffix: str
    ) -> None:
        alpha = np.zeros((20, 30), np.uint8)
        alpha[5:15, 10:20] = 255
        alpha[5:15, 20] = 128
        rgba = np.full((20, 30, 4), hidden, np.uint8)
        rgba[alpha > 0, :3] = color
        rgba[..., 3] = alpha
        path = tmp_path / f"m.{suffix}"
        Image.fromarray(rgba).save(path, lossless=True)
        mask = mask_files.read_mask(path)
        assert torch.allclose(mask[0, 0], torch.from_numpy(alpha / 255).float(), atol=1e-6)

    def test_several_colors_on_transparency_lie_over_black(self, tmp_path: Path) -> None:
        rgba = np.zeros((2, 2, 4), np.uint8)
        rgba[0, 0] = 255
        rgba[0, 1] = (0, 0, 0, 255)
        rgba[1, 0] = (255, 255, 255, 51)
        rgba[1, 1] = (255, 255, 255, 0)
        Image.fromarray(rgba).save(tmp_path / "m.png")
        mask = mask_files.read_mask(tmp_path / "m.png")
        assert torch.allclose(mask[0, 0], torch.tensor([[1, 0], [0.2, 0]]), atol=1e-6)

    def test_opaque_alpha_changes_nothing(self, tmp_path: Path) -> None:
        gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
        rgba = np.dstack([gray, gray, gray, np.full_like(gray, 255)])
        Image.fromarray(rgba).save(tmp_path / "rgba.png")
        Image.fromarray(gray).save(tmp_path / "gray.png")
        with_alpha = mask_files.read_mask_file(tmp_path / "rgba.png").values
        assert torch.equal(with_alpha, mask_files.read_mask_file(tmp_path / "gray.png").values)

    @pytest.mark.parametrize("opacity", [0, 255])
    def test_uniform_files(self, tmp_path: Path, opacity: int) -> None:
        Image.new("RGBA", (6, 5), (255, 255, 255, opacity)).save(tmp_path / "m.png")
        assert (mask_files.read_mask(tmp_path / "m.png") == opacity / 255).all()

    def test_transparent_palette(self, tmp_path: Path) -> None:
        picture = Image.new("P", (8, 4))
        picture.putpalette([255, 255, 255, 0, 0, 0])
        picture.paste(1, (4, 0, 8, 4))
        picture.save(tmp_path / "m.gif", transparency=1)
        mask = mask_files.read_mask(tmp_path / "m.gif")
        assert (mask[..., :4] == 1).all()
        assert (mask[..., 4:] == 0).all()

    @settings(max_examples=40, deadline=None)
    @given(height=st.integers(1, 60), width=st.integers(1, 60))
    def test_any_size(
        self, tmp_path_factory: pytest.TempPathFactory, height: int, width: int
    ) -> None:
        path = tmp_path_factory.mktemp("masks") / "m.png"
        pixels = np.zeros((33, 52), np.uint8)
        pixels[:, 26:] = 255
        Image.fromarray(pixels).save(path)
        mask = mask_files.read_mask(path, (height, width))
        assert mask.shape == (1, 1, height, width)
        assert mask.min() >= 0
        assert mask.max() <= 1
        assert abs(mask.mean() - 0.5) < 0.02
        if width > 4:
            assert (mask[..., : width // 2 - 1] == 0).all()
            assert (mask[..., width // 2 + 2 :] == 1).all()

    def test_missing_and_unreadable(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"no_mask\.png"):
            mask_files.read_mask(tmp_path / "no_mask.png")
        (tmp_path / "text.png").write_text("no picture")
        with pytest.raises(UserError, match=r"text\.png"):
            mask_files.read_mask(tmp_path / "text.png")


class TestFindMask:
    @pytest.mark.parametrize(
        ("naive", "mask"),
        [
            ("photo.jpg", "photo_mask.png"),
            ("photo.jpeg", "photo_mask.JPEG"),
            ("my-photo.v2.jpeg", "my-photo.v2_mask.Png"),
            ("x.webp", "x_mask.webp"),
            ("dos arboles y un avion.tif", "dos arboles y un avion_mask.gif"),
            ("árbol ñandú.PNG", "árbol ñandú_mask.tiff"),
            ("a[1]*.png", "a[1]*_mask.bmp"),
            ("no suffix", "no suffix_mask.png"),
        ],
    )
    def test_names(self, tmp_path: Path, naive: str, mask: str) -> None:
        folder = tmp_path / "a folder.with dots"
        folder.mkdir()
        assert mask_files.find_mask(folder / naive) is None
        (folder / mask).touch()
        assert mask_files.find_mask(folder / naive) == folder / mask

    def test_order_of_preference(self, tmp_path: Path) -> None:
        order = ["png", "jpg", "jpeg", "webp", "tif", "tiff", "bmp", "gif"]
        for suffix in reversed(order):
            path = tmp_path / f"photo_mask.{suffix}"
            path.touch()
            assert mask_files.find_mask(tmp_path / "photo.jpg") == path

    def test_what_is_no_mask(self, tmp_path: Path) -> None:
        for name in ("photo_mask.txt", "photo_mask", "other_mask.png", "photo.png"):
            (tmp_path / name).touch()
        (tmp_path / "photo_mask.png").mkdir()
        assert mask_files.find_mask(tmp_path / "photo.jpg") is None
        assert mask_files.find_mask(tmp_path / "no folder" / "photo.jpg") is None

    def test_accents_however_they_are_stored(self, tmp_path: Path) -> None:
        stored = tmp_path / unicodedata.normalize("NFD", "café_mask.png")
        stored.touch()
        naive = tmp_path / unicodedata.normalize("NFC", "café.jpg")
        found = mask_files.find_mask(naive)
        assert found is not None
        assert found.samefile(stored)


class TestSoften:
    @pytest.mark.parametrize(("mode", "radius"), [("harmonization", 7), ("editing", 20)])
    def test_reproduces_the_authors(self, mode: str, radius: int) -> None:
        with np.load(CONFORMANCE / "mask_dilation.npz") as arrays:
            pixels, expected = arrays["mask"], arrays[mode]
        mask = torch.from_numpy(pixels / 255).mean(dim=2)[None, None].float()
        result = masks.soften(mask, radius)[0, 0].numpy()
        np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("radius", [0, 1, 4, 9])
    def test_dilation_equals_scikit_image(self, radius: int) -> None:
        mask = torch.rand((1, 1, 23, 31), generator=seeded(radius)).double() ** 8
        expected = morphology.dilation(mask[0, 0].numpy(), morphology.disk(radius))
        assert np.array_equal(masks.soften(mask, radius, feather=0)[0, 0].numpy(), expected)

    def test_feather_equals_scikit_image(self) -> None:
        mask = disk_mask(60, 70, (30, 30), 8).double()
        blurred = filters.gaussian(mask[0, 0].numpy(), sigma=3)
        expected = (blurred - blurred.min()) / (blurred.max() - blurred.min())
        result = masks.soften(mask, dilation=0, feather=3)[0, 0].numpy()
        np.testing.assert_allclose(result, expected, atol=1e-12)

    @pytest.mark.parametrize("sigma", [30, 100, 900])
    @pytest.mark.parametrize("size", [(60, 70), (1, 50), (33, 1)])
    def test_wide_feathers_equal_scikit_image(self, size: tuple[int, int], sigma: float) -> None:
        sigma = min(sigma, 4 * max(size))
        mask = torch.rand((1, 1, *size), generator=seeded(1)).double()
        blurred = filters.gaussian(mask[0, 0].numpy(), sigma=sigma)
        low, high = float(mask.min()), float(mask.max())
        expected = (blurred - blurred.min()) / (blurred.max() - blurred.min())
        result = masks.soften(mask, dilation=0, feather=sigma)[0, 0].numpy()
        np.testing.assert_allclose(result, low + (high - low) * expected, atol=1e-6)

    @pytest.mark.parametrize("feather", [300, 1e9])
    def test_a_large_mask_is_softened_on_a_smaller_one(self, feather: float) -> None:
        mask = disk_mask(1100, 2300, (500, 900), 300)
        soft = masks.soften(mask, dilation=0, feather=feather)[0, 0]
        assert (float(soft.min()), float(soft.max())) == (0, 1)
        assert 350 < int(soft.argmax()) // 2300 < 650 or feather > 1000

    @settings(max_examples=150, deadline=None)
    @given(
        height=st.integers(1, 60),
        width=st.integers(1, 60),
        dilation=st.one_of(st.integers(0, 30), st.just(10_000)),
        feather=st.floats(0, 40),
        level=st.sampled_from([0.0, 0.3, 1.0]),
    )
    def test_uniform_masks_stay(
        self, height: int, width: int, dilation: int, feather: float, level: float
    ) -> None:
        mask = torch.full((1, 1, height, width), level)
        assert torch.equal(masks.soften(mask, dilation, feather), mask)

    @settings(max_examples=150, deadline=None)
    @given(
        height=st.integers(1, 50),
        width=st.integers(1, 50),
        dilation=st.integers(0, 12),
        feather=st.floats(0, 60),
        scale=st.floats(0.1, 3),
        seed=st.integers(0, 2**32),
    )
    def test_stays_a_mask(
        self, height: int, width: int, dilation: int, feather: float, scale: float, seed: int
    ) -> None:
        mask = (torch.rand((1, 1, height, width), generator=seeded(seed)) > 0.97).float()
        before = mask.clone()
        soft = masks.soften(mask, dilation, feather, scale)
        assert torch.equal(mask, before)
        assert soft.shape == mask.shape
        assert soft.dtype == mask.dtype
        assert soft.isfinite().all()
        assert soft.min() == mask.min() or soft.min() == mask.max()
        assert soft.max() == mask.max()

    def test_reaches_as_far_as_it_says_and_no_further(self) -> None:
        mask = disk_mask(101, 101, (50, 50), 5)
        soft = masks.soften(mask, dilation=7, feather=2)
        assert (soft[disk_mask(101, 101, (50, 50), 5) == 1] > 0.99).all()
        # Outside disk + dilation + 4 sigma (along each axis) nothing is left, not even 1e-30.
        far = torch.ones_like(mask, dtype=torch.bool)
        far[..., 30:71, 30:71] = False
        assert (soft[far] == 0).all()

    def test_gray_stays_gray(self) -> None:
        mask = 0.5 * disk_mask(80, 80, (40, 40), 12)
        soft = masks.soften(mask, 7)
        assert soft.max() == 0.5
        assert soft.min() == 0

    def test_scale_enlarges_both_lengths(self) -> None:
        small = masks.soften(disk_mask(100, 100, (50, 50), 10), 7)
        large = masks.soften(disk_mask(300, 300, (151, 151), 30), 7, scale=3)
        assert torch.allclose(large[..., 1::3, 1::3], small, atol=0.02)

    @pytest.mark.parametrize(
        ("dilation", "feather", "scale"),
        [(-1, 5, 1), (7, -0.1, 1), (7, 5, 0), (float("nan"), 5, 1), (7, float("inf"), 1)],
    )
    def test_impossible_lengths(self, dilation: float, feather: float, scale: float) -> None:
        with pytest.raises(UserError, match="give"):
            masks.soften(torch.ones(1, 1, 5, 5), dilation, feather, scale)


@pytest.mark.parametrize("strength", [1.0, 0.6])
def test_a_line_thinner_than_a_pixel_is_as_strong_in_the_smaller_mask(strength: float) -> None:
    line = torch.zeros(1, 1, 400, 600)
    line[..., 200:202, 50:550] = strength
    small = masks.shrunk_mask(line, (40, 60))
    soft = masks.soften(small, 2, 1.0)
    assert float(small.max()) == pytest.approx(strength)
    assert float(soft[..., 20, 8:52].min()) > 0.5 * strength  # no part of it vanishes
    assert float(soft[..., 30:, :].max()) < 0.05


def test_a_fainter_line_beside_what_is_white_keeps_its_own_strength() -> None:
    mask = torch.zeros(1, 1, 200, 200)
    mask[..., 20:80, 20:80] = 1
    mask[..., 150:152, 20:180] = 0.55
    small = masks.shrunk_mask(mask, (50, 50))
    assert float(small[..., 30:, :].max()) == pytest.approx(0.55)
    assert float(small[..., 37, 6:44].min()) == pytest.approx(0.55)
    assert float(small.max()) == 1


def test_a_mask_with_nothing_thin_is_shrunk_as_ever() -> None:
    rows, columns = torch.arange(200.0)[:, None], torch.arange(300.0)
    disk = (50 - ((rows - 100) ** 2 + (columns - 150) ** 2).sqrt()).clamp(0, 1)[None, None]
    for mask in (disk, masks.soften(disk, 5), disk * 0.3, 0 * disk):
        assert torch.equal(masks.shrunk_mask(mask, (40, 60)), masks.resize_mask(mask, (40, 60)))


def test_invert() -> None:
    mask = torch.tensor([0.0, 0.25, 1.0]).view(1, 1, 1, 3)
    assert masks.invert(mask).flatten().tolist() == [1.0, 0.75, 0.0]
    assert torch.equal(masks.invert(masks.invert(mask)), mask)


HEIGHT, WIDTH = 160, 200


class TestMaskFromDifference:
    @pytest.mark.parametrize("scene", ["coffee", "chelsea", "rocket"])
    @pytest.mark.parametrize("quality", [60, 75, 95])
    @pytest.mark.parametrize("radius", [15, 40])
    def test_finds_a_pasted_disk_under_jpeg_noise(
        self, scene: str, quality: int, radius: int
    ) -> None:
        real = photograph(scene, HEIGHT, WIDTH)
        true = disk_mask(HEIGHT, WIDTH, (70, 110), radius)
        texture = photograph("astronaut", HEIGHT, WIDTH) // 2 + np.array([120, 0, 60], np.uint8)
        naive = np.where(true[0, 0, :, :, None].numpy() > 0, texture, real)
        found = mask_from_difference(to_tensor(jpeg(naive, quality)), to_tensor(real))
        assert found.shape == (1, 1, HEIGHT, WIDTH)
        assert set(found.unique().tolist()) == {0.0, 1.0}
        assert overlap(found, true) > 0.9

    def test_finds_a_disk_in_a_large_picture(self) -> None:
        real = photograph("coffee", 500, 600)
        true = disk_mask(500, 600, (200, 300), 60)
        naive = np.where(true[0, 0, :, :, None].numpy() > 0, 255 - real, real)
        found = mask_from_difference(to_tensor(jpeg(naive, 75)), to_tensor(real))
        assert overlap(found, true) > 0.9

    @pytest.mark.parametrize("quality", [75, 90])
    @pytest.mark.parametrize("scene", ["coffee", "chelsea"])
    def test_jpeg_noise_alone_is_no_object(self, scene: str, quality: int) -> None:
        real = photograph(scene, HEIGHT, WIDTH)
        found = mask_from_difference(to_tensor(jpeg(real, quality)), to_tensor(real))
        assert found.mean() < 0.002

    @settings(max_examples=50, deadline=None)
    @given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32))
    def test_identical_images_give_an_empty_mask(self, height: int, width: int, seed: int) -> None:
        image = torch.rand((1, 3, height, width), generator=seeded(seed)) * 2 - 1
        found = mask_from_difference(image, image.clone())
        assert torch.equal(found, torch.zeros(1, 1, height, width))

    @settings(max_examples=50, deadline=None)
    @given(st.integers(1, 40), st.integers(1, 40))
    def test_wholly_different_images_give_a_full_mask(self, height: int, width: int) -> None:
        image = torch.ones((1, 3, height, width))
        assert (mask_from_difference(image, -image) == 1).all()

    def test_fills_small_holes_and_keeps_large_ones(self) -> None:
        real = torch.zeros(1, 3, 120, 120)
        for hole, filled in ((8, True), (30, False)):
            ring = disk_mask(120, 120, (60, 60), hole + 12) - disk_mask(120, 120, (60, 60), hole)
            found = mask_from_difference(real + ring, real)
            assert bool(found[0, 0, 60, 60] == 1) is filled

    def test_drops_specks(self) -> None:
        real = torch.zeros(1, 3, 200, 200)
        naive = real.clone()
        naive[..., 50, 50] = 1
        naive[..., 100, :] = 0.5
        assert mask_from_difference(naive, real).sum() == 0

    def test_a_change_that_is_hardly_visible_is_none(self) -> None:
        real = torch.zeros(1, 3, 60, 60)
        naive = real + 0.15 * disk_mask(60, 60, (30, 30), 15)
        assert mask_from_difference(naive, real).sum() == 0

    def test_sizes_must_agree(self) -> None:
        with pytest.raises(UserError, match="5x4 pixels but the training image has 6x4"):
            mask_from_difference(torch.zeros(1, 3, 4, 5), torch.zeros(1, 3, 4, 6))


class TestComposite:
    @settings(max_examples=80, deadline=None)
    @given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32))
    def test_bit_for_bit_where_the_mask_is_black_or_white(
        self, height: int, width: int, seed: int
    ) -> None:
        rng = seeded(seed)
        background, generated = torch.rand((2, 1, 3, height, width), generator=rng) * 2 - 1
        mask = (torch.rand((1, 1, height, width), generator=rng) * 3 - 1).clamp(0, 1)
        result = masks.composite(background, generated, mask)
        black, white = (mask == 0).expand_as(result), (mask == 1).expand_as(result)
        assert torch.equal(result[black], background[black])
        assert torch.equal(result[white], generated[white])
        expected = (1 - mask) * background + mask * generated
        assert torch.allclose(result, expected, atol=1e-6)
        assert result.abs().max() <= 1

    def test_broken_generator_leaves_the_background(self) -> None:
        background = torch.full((1, 3, 2, 2), -0.0)
        mask = torch.tensor([[0.0, 0.0], [1.0, 0.5]]).view(1, 1, 2, 2)
        result = masks.composite(background, torch.full((1, 3, 2, 2), float("nan")), mask)
        assert torch.equal(result[..., 0, :], background[..., 0, :])
        assert result[..., 0, :].signbit().all()
        assert result[..., 1, :].isnan().all()

    def test_sizes_must_agree(self) -> None:
        image, mask = torch.zeros(1, 3, 4, 5), torch.zeros(1, 1, 4, 6)
        with pytest.raises(UserError, match="mask has 6x4 pixels"):
            masks.composite(image, image, mask)
        with pytest.raises(UserError, match="generated picture"):
            masks.composite(image, torch.zeros(1, 3, 5, 5), mask)
