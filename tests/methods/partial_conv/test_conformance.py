"""Agreement with numbers that the reference programs of partial convolutions computed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
import torch.nn.functional as F
from conformance_others import case, near
from torch import Tensor

from consingan.methods.partial_conv.config import PartialConvConfig
from consingan.methods.partial_conv.layers import (
    PartialConv2d,
    RegionConv2d,
    RegionNormB,
    RegionNormInstance,
    RegionNormL,
)
from consingan.methods.partial_conv.losses import gram, terms
from consingan.methods.partial_conv.networks import UNet
from consingan.methods.partial_conv.training import factors_of


def convolution(arrays: dict[str, Tensor], bias: Tensor | None) -> PartialConv2d:
    weight = arrays["weight"]
    outputs, inputs, kernel, _ = weight.shape
    stride, padding = int(arrays["stride"]), int(arrays["padding"])
    conv = PartialConv2d(inputs, outputs, kernel, stride, padding, bias=bias is not None)
    conv.load_state_dict({"weight": weight} | ({} if bias is None else {"bias": bias}))
    return conv


def under(arrays: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {k.removeprefix(f"{name}."): v for k, v in arrays.items() if k.startswith(f"{name}.")}


@pytest.mark.parametrize("kind", ["single", "multi"])
@pytest.mark.parametrize("name", ["k3", "k7s2", "nobias"])
def test_partial_convolution_is_the_reference_s(name: str, kind: str) -> None:
    arrays = under(case("partial_conv"), f"{name}.{kind}")
    conv = convolution(arrays, arrays.get("bias"))
    x = arrays["x"].clone().requires_grad_()
    output, mask = conv(x, arrays["mask"])
    near(output, arrays["output"])
    assert torch.equal(mask, arrays["mask_out"])
    output.backward(arrays["grad_output"])
    near(x.grad, arrays["grad_x"])
    near(conv.weight.grad, arrays["grad_weight"])
    if conv.bias is not None:
        near(conv.bias.grad, arrays["grad_bias"])


def test_without_a_mask_only_the_frame_is_missing() -> None:
    arrays = under(case("partial_conv"), "nomask")
    output, _ = convolution(arrays, arrays["bias"])(arrays["x"])
    near(output, arrays["output"])


def test_basic_region_norm_is_the_reference_s() -> None:
    arrays = case("region_norm")
    norm = RegionNormB(5)
    norm.load_state_dict({
        "hole_gain": arrays["b.foreground_gamma"], "hole_bias": arrays["b.foreground_beta"],
        "known_gain": arrays["b.background_gamma"], "known_bias": arrays["b.background_beta"],
    })  # fmt: skip
    x = arrays["b.x"].clone().requires_grad_()
    output = norm(x, 1 - arrays["b.mask"])
    near(output, arrays["b.output"])
    output.backward(arrays["b.grad_output"])
    near(x.grad, arrays["b.grad_x"])
    near(norm(arrays["b_empty.x"], torch.ones(1, 1, 6, 6)), arrays["b_empty.output"])


def test_learnable_region_norm_is_the_reference_s() -> None:
    arrays = case("region_norm")
    norm = RegionNormL(5, float(arrays["l.threshold"]))
    norm.load_state_dict({
        "look.weight": arrays["l.sa.conv1.weight"], "gain.weight": arrays["l.sa.gamma_conv.weight"],
        "gain.bias": arrays["l.sa.gamma_conv.bias"],
        "bias.weight": arrays["l.sa.beta_conv.weight"], "bias.bias": arrays["l.sa.beta_conv.bias"],
    })  # fmt: skip
    near(norm.importance(arrays["l.x"]), arrays["l.importance"])
    near(norm(arrays["l.x"]), arrays["l.output"])


def test_region_wise_layers_are_the_reference_s() -> None:
    arrays = case("region_wise")
    norm = RegionNormInstance(4)
    norm.load_state_dict({
        "gain": torch.stack([arrays["norm.gamma_valid"], arrays["norm.gamma_mask"]]),
        "bias": torch.stack([arrays["norm.beta_valid"], arrays["norm.beta_mask"]]),
    })  # fmt: skip
    near(norm(arrays["x"], arrays["mask"]), arrays["norm.output"])
    conv = RegionConv2d(4, 6, 3, padding=1)
    conv.load_state_dict({
        f"{ours}.{what}": arrays[f"conv.{theirs}.{what}"]
        for ours, theirs in (("valid", "valid_conv"), ("missing", "mask_conv"))
        for what in ("weight", "bias")
    })  # fmt: skip
    near(conv(arrays["x"], arrays["mask"])[0], arrays["conv.output"])


def test_the_six_terms_and_their_gradient_are_the_reference_s() -> None:
    arrays = case("pconv_loss")

    def features(x: Tensor) -> Sequence[Tensor]:
        maps = []
        for k in range(3):
            weight, bias = (arrays[f"features.c.{k}.{what}"] for what in ("weight", "bias"))
            x = F.max_pool2d(F.relu(F.conv2d(x, weight, bias, padding=1)), 2)
            maps.append(x)
        return maps

    output = arrays["output"].clone().requires_grad_()
    found = terms(output, arrays["gt"], arrays["mask"], features)
    names = {"valid": "valid", "hole": "hole", "perceptual": "prc", "style_output": "style_out",
             "style_composite": "style_comp", "variation": "tv"}  # fmt: skip
    for ours, theirs in names.items():
        near(found[ours], arrays[f"loss.{theirs}"])
    published = PartialConvConfig(mask="x.png", vgg_weights="vgg16.pth")
    total = sum(f * value for f, value in zip(factors_of(published), found.values(), strict=True))
    near(total, arrays["loss.total"])
    total.backward()
    near(output.grad, arrays["grad_output_image"], atol=1e-6)
    near(gram(features(arrays["gt"])[0]), arrays["gram0"])


@pytest.mark.parametrize(("levels", "weights"), [(5, 11_619_924), (6, 18_699_860),
                                                 (7, 25_779_796), (8, 32_859_732)])  # fmt: skip
def test_the_published_network_has_the_published_number_of_weights(
    levels: int, weights: int
) -> None:
    with torch.device("meta"):
        network = UNet(levels)
    assert sum(p.numel() for p in network.parameters()) == weights
