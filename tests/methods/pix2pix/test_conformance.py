"""Agreement with numbers that the reference programs of pix2pix and pix2pixHD computed."""

from __future__ import annotations

import pytest
import torch
from conformance_others import case, near
from torch import Tensor, nn

from consingan.methods.pix2pix.networks import UNet
from consingan.methods.pix2pix.rule import Rule, generator_loss
from consingan.nn.gan import critics_step, cross_entropy, feature_matching, over_critics, squares
from consingan.nn.norms import BatchNorm
from consingan.nn.patch_critic import PatchCritic, PatchCritics

PUBLISHED = Rule(adversarial="bce", l1=100.0, features=0.0)


def unet_names(levels: int) -> dict[str, str]:
    """Our name of every layer of the U-Net -> the reference's, whose blocks lie in one another."""
    names, block = {}, "model"
    for k in range(levels):
        outer, inner = k == 0, k == levels - 1
        down = 0 if outer else 1
        up = 3 if outer or inner else 5
        names[f"down.{k}"] = f"{block}.model.{down}" if k else "model.model.0"
        names[f"up.{k}.0"] = f"{block}.model.{up}"
        if not outer and not inner:
            names[f"down_norms.{k}"] = f"{block}.model.2"
            names[f"up_norms.{k}"] = f"{block}.model.6"
        elif inner:
            names[f"up_norms.{k}"] = f"{block}.model.4"
        block += ".model.1" if outer else ".model.3"
    return names


def loaded(
    network: nn.Module, names: dict[str, str], arrays: dict[str, Tensor], which: str
) -> None:
    """Put the reference's weights into a network; those that it has must all be given."""
    network.load_state_dict(
        {
            ours: arrays[f"{which}.{names[layer]}.{what}"]
            for ours in network.state_dict()
            if not ours.endswith("num_batches_tracked")
            for layer, _, what in [ours.rpartition(".")]
        },
        strict=not any(isinstance(m, nn.BatchNorm2d) for m in network.modules()),
    )


CRITIC_NAMES = {f"convs.{k}": f"model.{(0, 2, 5, 8, 11)[k]}" for k in range(5)} | {
    f"norms.{k}": f"model.{(0, 3, 6, 9)[k]}" for k in (1, 2, 3)
}


def networks(kind: str) -> tuple[UNet, PatchCritic, dict[str, Tensor]]:
    arrays = case(f"pix2pix_{kind}")
    levels = int(arrays["downs"])
    generator = UNet(levels, int(arrays["ngf"]), kind)
    critic = PatchCritic(6, int(arrays["ndf"]), kind)
    loaded(generator, unet_names(levels), arrays, "g0")
    loaded(critic, CRITIC_NAMES, arrays, "d0")
    return generator, critic, arrays


@pytest.mark.parametrize("kind", ["batch", "instance"])
def test_the_networks_give_the_recorded_pictures_and_scores(kind: str) -> None:
    generator, critic, arrays = networks(kind)
    made = generator(arrays["A"])
    near(made, arrays["g_output"])
    near(critic(torch.cat([arrays["A"], arrays["B"]], 1))[-1], arrays["d_real"])
    near(critic(torch.cat([arrays["A"], made], 1))[-1], arrays["d_fake"], atol=1e-4)


@pytest.mark.parametrize("kind", ["batch", "instance"])
def test_running_statistics_give_the_recorded_picture(kind: str) -> None:
    generator, _, arrays = networks(kind)
    generator.eval()
    for module in generator.modules():
        if isinstance(module, BatchNorm):
            module.running = True
    near(generator(arrays["A"]), arrays["g_output_eval"], atol=1e-4)


@pytest.mark.parametrize("kind", ["batch", "instance"])
def test_one_step_gives_the_recorded_losses_and_weights(kind: str) -> None:
    generator, critic, arrays = networks(kind)
    critics = nn.Module()
    critics.forward = lambda x: [critic(x)]  # type: ignore[method-assign]
    adam = {"lr": 2e-4, "betas": (0.5, 0.999)}
    optimizers = [torch.optim.Adam(n.parameters(), **adam) for n in (generator, critic)]
    condition, image = arrays["A"], arrays["B"]
    made = generator(condition)
    pairs = [torch.cat([condition, other], 1) for other in (image, made)]
    real, fake = critics_step(cross_entropy, critics, optimizers[1], *pairs)
    near(real, arrays["loss.d_real"])
    near(fake, arrays["loss.d_fake"])
    losses = generator_loss(PUBLISHED, critics, condition, image, made)
    near(losses.adversarial, arrays["loss.g_gan"], atol=1e-4)
    near(100 * losses.l1, arrays["loss.g_l1"])
    optimizers[0].zero_grad()
    losses.total.backward()
    near(generator.down[0].weight.grad, arrays["g_grad.model.model.0.weight"])
    optimizers[0].step()
    if kind == "batch":
        names = unet_names(generator.levels)
        for network, known, which in ((generator, names, "g1"), (critic, CRITIC_NAMES, "d1")):
            for ours, weight in network.named_parameters():
                layer, _, what = ours.rpartition(".")
                near(weight, arrays[f"{which}.{known[layer]}.{what}"], atol=1e-6)


@pytest.mark.parametrize("kind", ["batch", "instance"])
def test_least_squares_are_as_recorded(kind: str) -> None:
    arrays = case(f"pix2pix_{kind}")
    near(squares(arrays["d_real"], 1), arrays["loss.lsgan_d_real"])
    near(squares(arrays["d_fake"], 0), arrays["loss.lsgan_d_fake"])
    near(cross_entropy(arrays["d_real"], 1), arrays["loss.d_real"])


def test_two_critics_and_their_features_are_as_recorded() -> None:
    arrays = case("multiscale_discriminator")
    critics = PatchCritics(6, 2, "instance", count=2, padding=2)
    for k, critic in enumerate(critics.critics):
        for j, conv in enumerate(critic.convs):
            name = f"weights.scale{1 - k}_layer{j}.0"
            conv.load_state_dict({w: arrays[f"{name}.{w}"] for w in ("weight", "bias")})
    fake, real = critics(arrays["fake"]), critics(arrays["real"])
    for k, maps in enumerate(fake):
        for j, values in enumerate(maps):
            near(values, arrays[f"pred_fake.{k}.{j}"], atol=1e-4)
    near(over_critics(squares, fake, 0), arrays["loss.fake"])
    near(over_critics(squares, real, 1), arrays["loss.real"])
    near(10 * feature_matching(fake, real), arrays["loss.feature_matching"])


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("levels", "width", "numbers"),
    [(8, 64, 54_413_955), (7, 64, 41_828_995), (8, 32, 13_608_259), (7, 16, 2_617_507)],
)
def test_the_u_net_has_the_published_number_of_weights(
    levels: int, width: int, numbers: int
) -> None:
    with torch.device("meta"):
        assert count(UNet(levels, width)) == numbers


def test_the_critics_have_the_published_numbers_of_weights() -> None:
    with torch.device("meta"):
        assert count(PatchCritic(6, 64)) == 2_768_705
        assert count(PatchCritic(6, 16)) == 176_081
        assert count(PatchCritics(6, 64, "instance", 2, 2)) == 5_535_618
