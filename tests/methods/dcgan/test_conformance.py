"""Agreement with numbers that the reference program of DCGAN computed."""

from __future__ import annotations

import torch
from conformance_others import case, near
from torch import Tensor, nn

from consingan.methods.dcgan.networks import Critic, Generator
from consingan.methods.dcgan.rule import step

GENERATOR = {f"convs.{k}": f"main.{3 * k}" for k in range(5)} | {
    f"norms.{k}": f"main.{3 * k + 1}" for k in range(4)
}
CRITIC = {f"convs.{k}": f"main.{(0, 2, 5, 8, 11)[k]}" for k in range(5)} | {
    f"norms.{k}": f"main.{3 * k}" for k in (1, 2, 3)
}


def networks() -> tuple[Generator, Critic, dict[str, Tensor]]:
    arrays = case("dcgan")
    generator = Generator(64, arrays["z"].shape[1], arrays["g0.main.9.weight"].shape[1])
    critic = Critic(64, arrays["d0.main.0.weight"].shape[0])
    for network, names, which in ((generator, GENERATOR, "g0"), (critic, CRITIC, "d0")):
        state = network.state_dict()
        for ours in state:
            layer, _, what = ours.rpartition(".")
            if what != "num_batches_tracked":
                state[ours] = arrays[f"{which}.{names[layer]}.{what}"]
        network.load_state_dict(state)
    return generator, critic, arrays


def real_of(arrays: dict[str, Tensor]) -> Tensor:
    return arrays["real"].float() / 127


def test_running_statistics_give_the_recorded_pictures_and_scores() -> None:
    generator, critic, arrays = networks()
    generator.eval()
    critic.eval()
    near(generator(arrays["z"][:1]), arrays["g_output_eval"])
    near(torch.sigmoid(critic(real_of(arrays))), arrays["d_output_eval"])


def test_a_batch_gives_the_recorded_pictures_and_scores() -> None:
    generator, critic, arrays = networks()
    made = generator(arrays["z"])
    near(made[:2], arrays["g_output"])
    near(torch.sigmoid(critic(real_of(arrays))), arrays["d_output_real"])
    near(torch.sigmoid(critic(made)), arrays["d_output_fake"])


def test_one_step_gives_the_recorded_losses_and_weights() -> None:
    generator, critic, arrays = networks()
    adam = {"lr": 2e-4, "betas": (0.5, 0.999)}
    optimizers = [torch.optim.Adam(n.parameters(), **adam) for n in (generator, critic)]
    losses = step(generator, critic, optimizers, real_of(arrays), arrays["z"])
    for loss, name in zip(losses, ("d_real", "d_fake", "g"), strict=True):
        near(loss, arrays[f"loss.{name}"])
    for network, names, which in ((generator, GENERATOR, "g1"), (critic, CRITIC, "d1")):
        for ours, weight in network.named_parameters():
            layer, _, what = ours.rpartition(".")
            near(weight, arrays[f"{which}.{names[layer]}.{what}"], atol=1e-6)


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_the_published_networks_have_the_published_numbers_of_weights() -> None:
    with torch.device("meta"):
        assert count(Generator(64, 100, 64)) == 3_576_704
        assert count(Critic(64, 64)) == 2_765_568
        assert count(Generator(64, 100, 32)) == 1_100_224
        assert count(Critic(64, 32)) == 694_656
