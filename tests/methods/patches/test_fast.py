"""The fast engine: matches, candidates, what it gives."""

from __future__ import annotations

import pytest
import torch

from consingan.methods.patches.fast import Propagated, carried, nearest
from consingan.methods.patches.index import build_index
from consingan.methods.patches.recipe import PAPER, hastened
from consingan.methods.patches.sampling import Canvas
from consingan.methods.patches.windows import Windows, cut


def picture(height: int = 24, width: int = 30, seed: int = 0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.rand(3, height, width, generator=rng) * 2 - 1


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def identity(windows: Windows, columns: int) -> torch.Tensor:
    rows, across = windows.grid
    row = torch.arange(rows) * windows.stride
    column = torch.arange(across) * windows.stride
    return row[:, None] * columns + column[None]


def test_the_picture_matches_itself() -> None:
    x = picture()
    index, windows = build_index(x, 5, rng()), Windows((24, 30), 5)
    assert torch.equal(nearest(x, windows, index), identity(windows, 26))


def test_of_a_large_picture_a_canvas_is_matched_some_patches_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = picture()
    monkeypatch.setattr(
        "consingan.methods.patches.index.LARGE", 100
    )  # half precision, half as many
    monkeypatch.setattr("consingan.methods.patches.fast.ASKED", 97)
    monkeypatch.setattr("consingan.methods.patches.fast.STRIP", 31)
    index, windows = build_index(x, 5, rng()), Windows((24, 30), 5)
    assert index.features.dtype == torch.float16
    assert torch.equal(nearest(x, windows, index), identity(windows, 26))


def test_the_index_gives_whole_patches_and_their_means() -> None:
    x = picture()
    index, patches = build_index(x, 5, rng()), cut(x, 5)
    chosen = torch.tensor([[3, 40, 77], [0, 1, 519]])
    whole = index.lines.whole(chosen).transpose(2, 3).flatten(2)  # channel by channel, as `cut`
    torch.testing.assert_close(whole, patches[chosen])
    weights = torch.tensor([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    expected = (weights[..., None] * patches[chosen]).sum(1).view(2, 3, 5, 5).permute(0, 2, 3, 1)
    torch.testing.assert_close(index.means(chosen, weights), expected)


def test_a_clean_canvas_that_is_matched_comes_back() -> None:
    x = picture(25, 31)
    index, windows = build_index(x, 5, rng()), Windows((25, 31), 5, 2)
    denoise = Propagated(index, windows, identity(windows, 27), rng())
    torch.testing.assert_close(denoise(x, 1.0, 1e-4), x, rtol=0, atol=1e-4)


def test_matches_spread_to_neighbors() -> None:
    x = picture()
    index, windows = build_index(x, 5, rng()), Windows((24, 30), 5)
    right = identity(windows, 26)
    start = torch.zeros_like(right)
    start[10, 10] = right[10, 10]
    denoise = Propagated(index, windows, start, rng())
    for _ in range(30):
        denoise(x, 1.0, 0.005)
    assert float((denoise.matches == right).float().mean()) > 0.99


def test_matches_are_carried_to_the_same_place_of_the_finer_scale() -> None:
    coarse, fine = Windows((20, 24), 5), Windows((40, 48), 5)
    found = carried(identity(coarse, 20), coarse, fine, ((16, 20), (36, 44)))
    off = (found - identity(fine, 44)).abs()
    assert int((off // 44).max()) <= 2
    inner = found[4:-4, 4:-4] - identity(fine, 44)[4:-4, 4:-4]
    assert bool((inner == 0).all())


def test_at_the_end_of_an_endless_canvas_matches_are_carried_from_its_other_end() -> None:
    both = (True, True)
    coarse, fine = Windows((20, 24), 5, wrap=both), Windows((40, 48), 5, 2, wrap=both)
    grids = ((60, 64), (124, 132))  # of a larger picture, so that nothing is cut off
    number = torch.arange(20)[:, None] * 64 + torch.arange(24) + 20 * 64 + 20
    found = carried(number, coarse, fine, grids)
    first = found[0, 0] // 132, found[0, 0] % 132
    assert (int(first[0]), int(first[1])) == (40 + 40, 40 + 48)


def test_finer_scales_begin_later_and_take_fewer_steps() -> None:
    """The samples of all runs that were made by this engine depend on it."""
    canvas = Canvas([(48, 48), (36, 36), (24, 24)], hastened(PAPER["generation"]))
    levels = [canvas.levels(scale) for scale in (2, 1, 0)]
    assert [round(each.sigma[-1], 6) for each in levels] == [1.0, 0.7, 0.7]
    assert [each.last for each in levels] == [10, 6, 5]
