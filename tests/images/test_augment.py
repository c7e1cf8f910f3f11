from __future__ import annotations

import colorsys
import itertools
import math
from collections import Counter
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from consingan.images import augment

AUGMENTATIONS = [augment.recolor, augment.cut_out, augment.shuffle_tiles]
Augmentation = Callable[[Tensor, torch.Generator], Tensor]

# Statistical tolerances are at least four standard deviations wide for this many draws.
DRAWS = 4000


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def picture(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.rand((1, 3, height, width), generator=seeded(seed)) * 2 - 1


def flat(*rgb: float, side: int = 4) -> Tensor:
    return (torch.tensor(rgb) * 2 - 1).view(1, 3, 1, 1).expand(1, 3, side, side).contiguous()


def box(changed: Tensor) -> tuple[slice, slice]:
    """Smallest rectangle around what is True in (H, W)."""
    rows, columns = changed.any(dim=1).nonzero(), changed.any(dim=0).nonzero()
    return (
        slice(int(rows[0]), int(rows[-1]) + 1),
        slice(int(columns[0]), int(columns[-1]) + 1),
    )


def deviation(probability: float, draws: int) -> float:
    return 4.5 * math.sqrt(probability * (1 - probability) / draws)


class TestEveryAugmentation:
    @pytest.mark.parametrize("change", AUGMENTATIONS)
    @settings(max_examples=60, deadline=None)
    @given(
        height=st.integers(1, 90),
        width=st.integers(1, 90),
        seed=st.integers(0, 2**32),
        dtype=st.sampled_from([torch.float32, torch.float64]),
        channels_last=st.booleans(),
    )
    def test_keeps_shape_type_range_and_input(
        self,
        change: Augmentation,
        height: int,
        width: int,
        seed: int,
        dtype: torch.dtype,
        channels_last: bool,
    ) -> None:
        image = picture(height, width).to(dtype)
        if channels_last:
            image = image.contiguous(memory_format=torch.channels_last)
        before = image.clone()
        result = change(image, seeded(seed))
        assert result.shape == image.shape
        assert result.dtype == dtype
        assert result.is_contiguous()
        assert result.data_ptr() != image.data_ptr()
        assert result.isfinite().all()
        assert result.abs().max() <= 1
        assert torch.equal(image, before)
        assert torch.equal(result, change(image, seeded(seed)))

    @pytest.mark.parametrize("change", AUGMENTATIONS)
    def test_other_seeds_give_other_results(self, change: Augmentation) -> None:
        image = picture(40, 50)
        results = [change(image, seeded(seed)) for seed in range(30)]
        assert any(not torch.equal(a, b) for a, b in itertools.pairwise(results))

    @pytest.mark.parametrize("change", AUGMENTATIONS)
    @pytest.mark.parametrize("size", [(1, 1), (5, 7), (1, 9), (2, 2)])
    @pytest.mark.parametrize("level", [-1.0, 0.0, 1.0])
    def test_tiny_images_of_extreme_colors(
        self, change: Augmentation, size: tuple[int, int], level: float
    ) -> None:
        image = torch.full((1, 3, *size), level)
        rng = seeded(1)
        for _ in range(100):
            result = change(image, rng)
            assert result.isfinite().all()
            assert result.abs().max() <= 1

    def test_the_rng_is_advanced(self) -> None:
        rng = seeded(3)
        first, second = (augment.shuffle_tiles(picture(40, 40), rng) for _ in range(2))
        assert not torch.equal(first, second)


RGB = (0.75, 0.55, 0.35)


def family_of(result: Tensor) -> str:
    """Tell from a uniform picture of the color RGB what was done to it."""
    result = (result + 1) / 2
    if result.amax((2, 3)).sub(result.amin((2, 3))).max() > 1e-4:
        return "noise"
    color = result[0, :, 0, 0]
    original = torch.tensor(RGB)

    def same(other: Tensor) -> bool:
        return torch.allclose(color, other, atol=1e-5)

    if same(original):
        return "none"
    if same(1 - original) or same((torch.tensor(augment.SEPIA) @ original).clamp(0, 1)):
        return "negative or sepia"
    orders = [torch.tensor(order) for order in itertools.permutations(RGB)]
    if same(original * (color > 0.01)) or any(same(order) for order in orders):
        return "channels"
    return "hsv"


class TestRecolor:
    def test_probability_and_equally_likely_families(self) -> None:
        rng = seeded(11)
        seen = Counter(family_of(augment.recolor(flat(*RGB), rng)) for _ in range(DRAWS))
        assert abs(seen["none"] / DRAWS - 0.75) < deviation(0.75, DRAWS)
        for family in ("noise", "negative or sepia", "channels", "hsv"):
            assert abs(seen[family] / DRAWS - 0.0625) < deviation(0.0625, DRAWS), family
        assert seen.total() == DRAWS

    def test_unchanged_is_bit_for_bit(self) -> None:
        image = picture(6, 6)
        rng = seeded(5)
        same = sum(torch.equal(augment.recolor(image, rng), image) for _ in range(DRAWS))
        assert abs(same / DRAWS - 0.75) < deviation(0.75, DRAWS)

    def test_pixel_noise_is_multiplicative_or_additive(self) -> None:
        rng = seeded(2)
        gray = torch.full((1, 3, 40, 40), 0.5)
        multiplied, spreads = 0, []
        for _ in range(400):
            factor = augment._pixel_noise(gray, rng) / gray
            if factor.std() > 0.2:
                multiplied += 1
                assert factor.min() >= 0.5
                assert factor.max() <= 1.5
                assert abs(factor.mean() - 1) < 0.03
                assert abs(factor.std() - 1 / math.sqrt(12)) < 0.02
            else:
                spreads.append(float(factor.std()) * 0.5)
        assert abs(multiplied / 400 - 0.5) < deviation(0.5, 400)
        low, high = augment.ADDITIVE_NOISE_STD
        assert low * 0.95 < min(spreads) < low * 1.2
        assert high * 0.9 < max(spreads) < high * 1.05

    def test_noise_differs_between_pixels_and_channels(self) -> None:
        noisy = augment._pixel_noise(torch.full((1, 3, 8, 8), 0.5), seeded(0))
        assert noisy.unique().numel() == noisy.numel()

    def test_negative_and_sepia(self) -> None:
        image = (picture(5, 6) + 1) / 2
        rng = seeded(4)
        negatives = 0
        for _ in range(400):
            result = augment._invert_or_sepia(image, rng)
            if torch.equal(result, 1 - image):
                negatives += 1
            else:
                # Sepia is a fixed hue: red over green over blue everywhere.
                assert (result[:, 0] >= result[:, 1]).all()
                assert (result[:, 1] >= result[:, 2]).all()
        assert abs(negatives / 400 - 0.5) < deviation(0.5, 400)

    def test_channels_are_dropped_or_shuffled(self) -> None:
        color = torch.tensor([0.2, 0.5, 0.8]).view(1, 3, 1, 1)
        rng = seeded(6)
        seen = Counter(
            tuple(
                round(value, 3)
                for value in augment._drop_or_shuffle_channels(color, rng).flatten().tolist()
            )
            for _ in range(DRAWS)
        )
        dropped = {(0.0, 0.5, 0.8), (0.2, 0.0, 0.8), (0.2, 0.5, 0.0)}
        shuffled = set(itertools.permutations((0.2, 0.5, 0.8))) - {(0.2, 0.5, 0.8)}
        assert set(seen) == dropped | shuffled
        for outcome, count in seen.items():
            expected = 0.5 / (3 if outcome in dropped else 5)
            assert abs(count / DRAWS - expected) < deviation(expected, DRAWS)

    def test_hsv_shift_stays_within_and_reaches_its_limits(self) -> None:
        before = (0.45, 0.5, 0.6)
        rgb = torch.tensor(colorsys.hsv_to_rgb(*before)).view(1, 3, 1, 1)
        rng = seeded(7)
        limits = torch.tensor([20 / 180, 30 / 255, 20 / 255])
        shifts = []
        for _ in range(DRAWS // 2):
            after = colorsys.rgb_to_hsv(*augment._shift_hsv(rgb, rng).flatten().tolist())
            shifts.append(torch.tensor(after) - torch.tensor(before))
        relative = torch.stack(shifts) / limits
        assert relative.abs().max() <= 1 + 1e-4
        assert (relative.amin(0) < -0.98).all()
        assert (relative.amax(0) > 0.98).all()
        # Uniform on -1..1: mean 0, standard deviation 1/sqrt(3); the three drawn apart.
        error = 4.5 / math.sqrt(3 * len(shifts))
        assert relative.mean(0).abs().max() < error
        assert (relative.T.corrcoef() - torch.eye(3)).abs().max() < 4.5 / math.sqrt(len(shifts))


class TestHsv:
    @settings(max_examples=200, deadline=None)
    @given(st.tuples(*[st.integers(0, 255)] * 3))
    def test_agrees_with_the_standard_library_and_inverts(self, levels: tuple[int, ...]) -> None:
        rgb = torch.tensor(levels, dtype=torch.float64) / 255
        hsv = augment.rgb_to_hsv(rgb.view(1, 3, 1, 1))
        expected = torch.tensor(colorsys.rgb_to_hsv(*rgb.tolist()), dtype=torch.float64)
        assert torch.allclose(hsv.flatten(), expected, atol=1e-12)
        assert torch.allclose(augment.hsv_to_rgb(hsv).flatten(), rgb, atol=1e-12)

    def test_whole_pictures_and_whole_turns(self) -> None:
        rgb = (picture(17, 23) + 1) / 2
        hsv = augment.rgb_to_hsv(rgb)
        turned = hsv + torch.tensor([-2.0, 0, 0]).view(1, 3, 1, 1)
        assert torch.allclose(augment.hsv_to_rgb(turned), rgb, atol=1e-5)


class TestCutOut:
    def test_probability_and_number(self) -> None:
        image = torch.full((1, 3, 120, 120), -1.0)
        rng = seeded(21)
        draws = 1500
        seen = Counter(len(filled(augment.cut_out(image, rng))) for _ in range(draws))
        assert set(seen) == {0, 1, 2}
        assert abs(seen[0] / draws - 0.1) < deviation(0.1, draws)
        # Of two, the second seldom hides the first.
        assert abs(seen[1] / draws - 0.45) < deviation(0.45, draws) + 0.01

    def test_sides_and_places(self) -> None:
        height, width = 130, 150
        image = torch.full((1, 3, height, width), -1.0)
        rng = seeded(22)
        large: list[tuple[slice, slice]] = []
        small: list[tuple[slice, slice]] = []
        for _ in range(800):
            areas = filled(augment.cut_out(image, rng))
            boxes = [box(area) for area in areas]
            if len(areas) == 1 and not is_small(boxes[0]):
                assert areas[0][boxes[0]].all()
                large.append(boxes[0])
            elif len(areas) == 2:
                # One of them may hide a part of the other.
                whole = [b for a, b in zip(areas, boxes, strict=True) if a[b].all()]
                assert whole
                small += whole
                assert all(b.stop - b.start <= 30 for pair in boxes for b in pair)
        assert sides(large) == set(range(30, 61))
        assert sides(small) >= set(range(16, 31))
        assert max(sides(small)) == 30
        for boxes in (large, small):
            assert min(rows.start for rows, _ in boxes) == 0
            assert max(rows.stop for rows, _ in boxes) == height
            assert max(columns.stop for _, columns in boxes) == width

    def test_colors_span_the_cube(self) -> None:
        rng = seeded(23)
        image = torch.full((1, 3, 80, 80), -1.0)
        colors = torch.stack(
            [augment.cut_out(image, rng)[0].flatten(1).amax(dim=1) for _ in range(300)]
        )
        colors = colors[(colors > -1).all(dim=1)]
        assert colors.amin() < -0.9
        assert colors.amax() > 0.9
        assert (colors.T.corrcoef() - torch.eye(3)).abs().max() < 0.3

    @settings(max_examples=100, deadline=None)
    @given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 2**32))
    def test_at_least_half_of_the_picture_stays(self, height: int, width: int, seed: int) -> None:
        image = picture(height, width)
        changed = (augment.cut_out(image, seeded(seed)) != image).any(dim=1)
        assert changed.sum() <= height * width / 2

    def test_small_pictures_are_cut_too(self) -> None:
        image = picture(5, 7)
        rng = seeded(24)
        changed = [(augment.cut_out(image, rng) != image).any(dim=1)[0] for _ in range(200)]
        assert sum(bool(c.any()) for c in changed) > 150
        assert {tuple(c[box(c)].shape) for c in changed if c.sum() == 6} >= {(2, 3)}

    def test_one_pixel_stays_itself(self) -> None:
        image = picture(1, 1)
        assert all(torch.equal(augment.cut_out(image, seeded(s)), image) for s in range(50))


def filled(result: Tensor) -> list[Tensor]:
    """Where each color lies on a black picture; random colors differ in every channel."""
    red = result[0, 0]
    return [red == value for value in red.unique() if value > -1]


def is_small(rectangle: tuple[slice, slice]) -> bool:
    return any(side.stop - side.start < 30 for side in rectangle)


def sides(rectangles: list[tuple[slice, slice]]) -> set[int]:
    return {side.stop - side.start for rectangle in rectangles for side in rectangle}


PERCENT = {
    1: ((20, 50), (5, 15)),
    2: ((15, 30), (5, 10)),
    3: ((10, 20), (5, 10)),
    4: ((10, 15), (5, 10)),
    5: ((10, 15), (5, 10)),
}


class TestShuffleTiles:
    def test_numbers_are_equally_likely(self) -> None:
        rng = seeded(31)
        seen = Counter(len(augment.plan_tiles(100, 100, rng)) for _ in range(DRAWS))
        assert set(seen) == set(PERCENT)
        for count in seen.values():
            assert abs(count / DRAWS - 0.2) < deviation(0.2, DRAWS)

    def test_sides_and_distances(self) -> None:
        rng = seeded(32)
        lengths = (100, 200)
        seen: dict[tuple[int, int], list[augment.Move]] = {}
        for _ in range(DRAWS):
            tiles = augment.plan_tiles(*lengths, rng)
            for tile in tiles:
                for axis, move in enumerate(tile):
                    seen.setdefault((len(tiles), axis), []).append(move)
        for (count, axis), moves in seen.items():
            length = lengths[axis]
            (low, high), (near, far) = PERCENT[count]
            extent = {100 * move.side / length for move in moves}
            shift = {100 * (move.target - move.source) / length for move in moves}
            assert (min(extent), max(extent)) == (low, high)
            assert min(abs(s) for s in shift) == near
            assert (min(shift), max(shift)) == (-far, far)
            forward = sum(move.target > move.source for move in moves) / len(moves)
            assert abs(forward - 0.5) < deviation(0.5, len(moves))
            assert {move.source for move in moves} >= {0, length - high * length // 100}

    @settings(max_examples=300, deadline=None)
    @given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 2**32))
    def test_tiles_stay_inside(self, height: int, width: int, seed: int) -> None:
        for tile in augment.plan_tiles(height, width, seeded(seed)):
            for length, move in zip((height, width), tile, strict=True):
                assert move.side >= 1
                assert min(move.source, move.target) >= 0
                assert max(move.source, move.target) + move.side <= length
                assert move.source != move.target or length == 1

    def test_the_picture_shows_what_was_planned(self) -> None:
        height, width = 60, 80
        image = coordinates(height, width)
        for seed in range(60):
            result = augment.shuffle_tiles(image, seeded(seed))
            expected = image.clone()
            for rows, columns in augment.plan_tiles(height, width, seeded(seed)):
                for y, x in itertools.product(range(rows.side), range(columns.side)):
                    expected[..., rows.target + y, columns.target + x] = image[
                        ..., rows.source + y, columns.source + x
                    ]
            assert torch.equal(result, expected)

    def test_measured_displacements(self) -> None:
        """Every changed pixel was taken from a place 5 to 15 % away in each axis."""
        height, width = 100, 160
        image = coordinates(height, width)
        rng = seeded(34)
        for _ in range(200):
            result = augment.shuffle_tiles(image, rng)
            changed = (result != image).any(dim=1)[0]
            assert changed.any()
            dy, dx = (result - image)[0, :2, changed]
            assert changed.float().mean() <= 0.26
            for shift, length in ((dy, height), (dx, width)):
                pixels = (shift * (length / 2)).abs().round()
                assert pixels.min() >= 0.05 * length
                assert pixels.max() <= 0.15 * length


def coordinates(height: int, width: int) -> Tensor:
    """A picture whose first two channels tell each pixel's place."""
    y = torch.arange(height, dtype=torch.float64).view(-1, 1).expand(height, width) * 2 / height
    x = torch.arange(width, dtype=torch.float64).expand(height, width) * 2 / width
    return torch.stack([y - 1, x - 1, y * 0])[None]
