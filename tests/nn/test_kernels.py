"""Pictures with planes of zeros, which a GPU's convolutions take sooner."""

from __future__ import annotations

import pytest
import torch

from consingan.nn import kernels
from consingan.nn.kernels import PLANES, FastOperations, planes_of, widened


@pytest.mark.parametrize("planes", [3, 8])
def test_planes_of_zeros_follow_the_colors(planes: int) -> None:
    x = torch.rand(2, 3, 4, 5)
    wide = widened(x, planes, torch.bfloat16)
    assert wide.shape == (2, planes, 4, 5)
    assert wide.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(wide[:, :3], x.to(torch.bfloat16))
    assert not wide[:, 3:].any()


@pytest.mark.parametrize(
    ("device", "dtype", "planes"),
    [("cpu", torch.bfloat16, 3), ("cuda", torch.float32, 3), ("cuda", torch.bfloat16, PLANES)],
)
def test_only_a_gpu_gets_them_and_only_in_bfloat16(
    device: str, dtype: torch.dtype, planes: int
) -> None:
    assert planes_of(3, torch.device(device), dtype) == planes


def test_a_picture_made_with_more_filters_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for planes in (3, 8):
        monkeypatch.setattr(kernels, "planes_of", lambda *_, planes=planes: planes)
        torch.manual_seed(0)
        tail = torch.nn.Conv2d(4, 3, 3).double()
        x = torch.rand(2, 4, 6, 7, dtype=torch.float64, requires_grad=True)
        picture = FastOperations(torch.float64).render(tail, x)
        picture.square().sum().backward()
        found.append([picture, x.grad, tail.weight.grad, tail.bias.grad])
    for narrow, wide in zip(*found, strict=True):
        torch.testing.assert_close(wide, narrow, rtol=1e-12, atol=1e-14)


@pytest.mark.skipif("dtype" not in torch.ops.aten.mm.overloads(), reason="an older torch")
def test_amd_s_gpus_are_not_asked_for_products_that_torch_lacks_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for hip, can in ((None, True), ("6.4", False)):
        monkeypatch.setattr(torch.version, "hip", hip)
        assert kernels._can_multiply_into_float32.__wrapped__() is can
