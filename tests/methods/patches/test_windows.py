"""Windows of a canvas: what is cut is folded back."""

from __future__ import annotations

import pytest
import torch

from consingan.methods.patches.windows import Windows

CASES = [
    ((20, 27), 1, (False, False)),
    ((20, 27), 2, (False, False)),
    ((21, 26), 3, (True, False)),
    ((21, 27), 2, (True, True)),
]


@pytest.mark.parametrize(("size", "stride", "wrap"), CASES)
def test_folding_what_was_cut_gives_the_canvas_back(
    size: tuple[int, int], stride: int, wrap: tuple[bool, bool]
) -> None:
    x = torch.rand(3, *size)
    windows = Windows(size, 7, stride, wrap=wrap)
    torch.testing.assert_close(windows.fold(windows.cut(x)), x, rtol=0, atol=1e-4)


def test_strips_of_windows_sum_to_the_fold() -> None:
    windows = Windows((19, 23), 5, 2)
    x = torch.rand(3, 19, 23)
    rows, columns = windows.grid
    clean = windows.cut(x).view(-1, 3, 5, 5).permute(0, 2, 3, 1)
    total = torch.zeros(3, *windows.padded)
    for top in range(rows):
        strip = clean[top * columns : (top + 1) * columns]
        total[:, 2 * top : 2 * top + 5] += windows.summed(strip.contiguous(), 1)
    torch.testing.assert_close(
        windows.normalized(windows.unpad(total)), windows.fold(windows.cut(x)), rtol=0, atol=1e-5
    )


def test_windows_that_must_not_overhang_leave_zeros() -> None:
    windows = Windows((10, 10), 7, 2, whole=False)
    folded = windows.fold(windows.cut(torch.ones(3, 10, 10)))
    assert bool((folded[:, :9, :9] > 0.99).all())
    assert bool((folded[:, 9] == 0).all())
