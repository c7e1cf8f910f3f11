"""Up-sampling by narrow matrices against torch's own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from consingan.nn import upsampling
from consingan.nn.noise import stream
from consingan.nn.ring import ring
from consingan.nn.upsampling import (
    bicubic,
    bicubic_around,
    bicubic_by_matrices,
    bicubic_rows,
    bicubic_window,
    sources,
)

SIZES = {
    "along one axis": ((9, 13), (17, 13)),
    "alike": ((9, 13), (9, 13)),
    "larger": ((9, 13), (30, 41)),
    "smaller": ((9, 13), (5, 7)),
    "thrice a block wide": ((70, 90), (75, 200)),
    "far smaller": ((100, 150), (7, 66)),
    "from one pixel": ((1, 1), (5, 70)),
    "to one pixel": ((9, 70), (1, 1)),
    "by an integer": ((33, 65), (65, 129)),
}


def numbers(size: tuple[int, int], dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(2, 4, *size, generator=stream("up", *size), dtype=torch.float64).to(dtype)


@pytest.mark.parametrize(("before", "after"), SIZES.values(), ids=SIZES)
def test_it_and_its_gradient_equal_torchs_own(
    before: tuple[int, int], after: tuple[int, int]
) -> None:
    x, seed = numbers(before).requires_grad_(), numbers(after)
    outcomes = []
    for upsample in (bicubic, bicubic_by_matrices):
        y = upsample(x, after)
        outcomes.append((y, *torch.autograd.grad(y, x, seed)))
    torch.testing.assert_close(outcomes[1], outcomes[0])


@pytest.mark.parametrize(("before", "after"), SIZES.values(), ids=SIZES)
def test_bf16_is_that_of_dense_matrices(before: tuple[int, int], after: tuple[int, int]) -> None:
    x = numbers(before, torch.bfloat16)
    exact = bicubic(x.double(), after)
    made = bicubic_by_matrices(x, after)
    assert made.dtype == torch.bfloat16
    torch.testing.assert_close(made.double(), exact, rtol=0.02, atol=0.03)


@pytest.mark.parametrize("rows", [(0, 1), (0, 40), (37, 75), (74, 75)])
def test_rows_are_those_of_the_whole(rows: tuple[int, int]) -> None:
    x, size = numbers((70, 90)), (75, 200)
    first, last = sources(70, size[0], *rows)
    part = bicubic_rows(x[:, :, first:last], size, rows, 70, first)
    whole = bicubic_by_matrices(x, size)
    torch.testing.assert_close(part, whole[:, :, rows[0] : rows[1]])


@pytest.mark.parametrize("matrix", [ring, upsampling._whole])
def test_large_matrices_are_not_kept_and_the_same_again(matrix: Callable[..., Tensor]) -> None:
    kind = (torch.float32, torch.device("cpu"))
    assert matrix(8, 12, *kind) is matrix(8, 12, *kind)
    first, second = matrix(1500, 1501, *kind), matrix(1500, 1501, *kind)
    assert first is not second
    assert torch.equal(first, second)


@pytest.mark.parametrize("transposed", [False, True])
def test_matrices_grow_with_the_pixels(transposed: bool) -> None:
    def weights(n: int) -> int:
        kind = (torch.float32, torch.device("cpu"))
        return sum(b.weights.numel() for b in upsampling._blocks(n, n + n // 4, transposed, *kind))

    assert weights(4000) < 1.1 * 10 * weights(400)


@pytest.mark.parametrize("wraps", [(True, True), (True, False), (False, True)])
def test_around_a_ring_a_shifted_map_gives_the_shifted_result(wraps):
    x = torch.randn(2, 3, 6, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    shift = (2 * wraps[0], 2 * wraps[1])
    made = bicubic_around(x, (15, 20), wraps)
    moved = bicubic_around(x.roll(shift, (2, 3)), (15, 20), wraps)
    wanted = made.roll((5 * wraps[0], 5 * wraps[1]), (2, 3))
    assert torch.allclose(moved, wanted, atol=1e-12)


def test_around_a_ring_far_from_the_ends_it_is_torchs_own():
    x = torch.randn(1, 2, 16, 12, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    own = torch.nn.functional.interpolate(x, size=(40, 30), mode="bicubic")
    made = bicubic_around(x, (40, 30), (True, True))
    assert torch.allclose(made[:, :, 8:-8, 8:-8], own[:, :, 8:-8, 8:-8], atol=1e-12)


def test_across_an_axis_that_ends_it_is_as_ever():
    x = torch.randn(1, 2, 9, 12, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    made = bicubic_around(x, (20, 12), (False, True))
    assert torch.allclose(made, bicubic(x, (20, 12)), atol=1e-12)


@pytest.mark.parametrize("box", [((0, 75), (0, 200)), ((37, 41), (199, 200)), ((0, 9), (60, 90))])
def test_windows_and_their_gradients_are_those_of_the_whole(
    box: tuple[tuple[int, int], tuple[int, int]],
) -> None:
    x, size = numbers((70, 90)).requires_grad_(), (75, 200)
    known = (sources(70, 75, *box[0]), sources(90, 200, *box[1]))
    (a, b), (c, d) = known
    part = bicubic_window(x[:, :, a:b, c:d], size, box, (70, 90), known)
    whole = bicubic(x, size)[:, :, slice(*box[0]), slice(*box[1])]
    torch.testing.assert_close(part, whole)
    outcomes = [torch.autograd.grad(y.square().sum(), x) for y in (part, whole)]
    torch.testing.assert_close(*outcomes)
