"""Up-sampling by narrow matrices against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from consingan.nn import upsampling
from consingan.nn.noise import stream
from consingan.nn.upsampling import bicubic, bicubic_by_matrices, bicubic_rows, sources

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


@pytest.mark.parametrize("transposed", [False, True])
def test_matrices_grow_with_the_pixels(transposed: bool) -> None:
    def weights(n: int) -> int:
        kind = (torch.float32, torch.device("cpu"))
        return sum(b.weights.numel() for b in upsampling._blocks(n, n + n // 4, transposed, *kind))

    assert weights(4000) < 1.1 * 10 * weights(400)
