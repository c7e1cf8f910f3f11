"""Agreement with numbers that the authors' program of cascaded refinement computed."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from conformance_others import case, near
from torch import Tensor

from consingan.methods.crn.networks import Cascade, LayerNorm, enlarged, shrunk
from consingan.methods.crn.rule import diversity_loss, label_losses

MEAN = torch.tensor([123.68, 116.779, 103.939])[None, :, None, None]  # of VGG19's pictures


def cascade(arrays: dict[str, Tensor]) -> Cascade:
    height = arrays["label"].shape[2]
    sizes = [n for n in (4, 8, 16, 32, 64, 128, 256) if n <= height]
    weights = [arrays[f"weights.g_{n}_conv1.weights"] for n in sizes]
    outputs = len(arrays["output"])
    network = Cascade(arrays["label"].shape[1], [len(w) for w in weights], outputs)
    state = {}
    for k, n in enumerate(sizes):
        for i in (1, 2):
            name = f"weights.g_{n}_conv{i}"
            state[f"cascade.{k}.conv{i}.weight"] = arrays[f"{name}.weights"]
            state[f"cascade.{k}.norm{i}.gamma"] = arrays[f"{name}.LayerNorm.gamma"]
            state[f"cascade.{k}.norm{i}.beta"] = arrays[f"{name}.LayerNorm.beta"]
    state["last.weight"] = arrays[f"weights.g_{height}_conv100.weights"]
    state["last.bias"] = arrays[f"weights.g_{height}_conv100.biases"]
    network.load_state_dict(state)
    return network


def features(arrays: dict[str, Tensor], image: Tensor) -> list[Tensor]:
    """The picture of 0..255 less a mean, and after each convolution."""
    found = [image - MEAN]
    x = found[0]
    for k in range(3):
        x = F.relu(F.conv2d(x, arrays[f"features.{k}"], padding=1))
        found.append(x)
        x = F.avg_pool2d(x, 2)
    return found


@pytest.mark.parametrize("name", ["crn_k1", "crn_k9"])
def test_pictures_losses_and_gradients_are_as_recorded(name: str) -> None:
    arrays = case(name)
    network = cascade(arrays)
    made = (network(arrays["label"]) + 1) / 2 * 255
    near(made, arrays["output"], atol=1e-3)
    pairs = (features(arrays, made), features(arrays, arrays["real"]))
    losses = label_losses(*pairs, arrays["label"])
    weighted = [weight * loss for weight, loss in zip(arrays["lambdas"], losses, strict=True)]
    for k, loss in enumerate(weighted):
        near(loss, arrays[f"loss.p{k}"])
    content = torch.stack(weighted).sum(0)
    near(content, arrays["loss.content"])
    total = diversity_loss(content)
    near(total, arrays["loss.total"])
    total.backward()
    near(network.cascade[0].conv1.weight.grad, arrays["grad.g_4_conv1.weights"], atol=1e-3)
    near(network.cascade[0].norm2.gamma.grad, arrays["grad.g_4_conv2.LayerNorm.gamma"], atol=1e-3)
    last = f"grad.g_{arrays['label'].shape[2]}_conv100"
    near(network.last.weight.grad, arrays[f"{last}.weights"], atol=1e-3)
    near(network.last.bias.grad, arrays[f"{last}.biases"], atol=1e-3)


def test_layer_norm_up_sampling_and_layouts_are_as_recorded() -> None:
    arrays = case("crn_k1")
    norm = LayerNorm(4)
    norm.load_state_dict({"gamma": arrays["ln_gamma"], "beta": arrays["ln_beta"]})
    near(norm(arrays["ln_x"]), arrays["ln_output"])
    near(enlarged(arrays["up_x"], (6, 10)), arrays["up_output"])
    near(shrunk(arrays["label"], (16, 32)), arrays["label_half"])


def test_the_published_cascades_have_the_published_numbers_of_weights() -> None:
    with torch.device("meta"):
        nine = Cascade(20, [1024] * 5 + [512] * 2, 9)
        larger = Cascade(20, [1024] * 5 + [512] * 2 + [128], 1)
    assert sum(p.numel() for p in nine.parameters()) == 97_875_483
    assert sum(p.numel() for p in larger.parameters()) == 98_622_851
