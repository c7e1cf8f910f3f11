"""A trained method of one's own, a texture network: noise in, the image's patches out.

python examples/add_a_trained_method.py train --method texture_net --input_name PICTURE
python examples/add_a_trained_method.py evaluate --model_dir RUN --size 400x300
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from consingan.images.resize import resize, training_scale
from consingan.methods.contract import Method, Panel, Task
from consingan.methods.one_stage import OneStage, Rates
from consingan.methods.registry import METHODS
from consingan.nn.footprint import Pass
from consingan.nn.initial import draw_weights
from consingan.nn.noise import stream
from consingan.nn.optimizers import part
from consingan.nn.sliced import patch_directions, sliced_distance
from consingan.settings.config import Config
from consingan.settings.option import option

SCALES = 4  # noise comes in, and patches are compared, at 1, 1/2, 1/4 and 1/8 of the size
CHANNELS = 3 * SCALES  # of noise


@dataclass(frozen=True, kw_only=True)
class TextureConfig(Config):
    """The shared settings, some with another default, and the method's own."""

    method: str = option("texture_net", "How: see `consingan methods`.")
    niter: int = option(1000, "Iterations.", minimum=1)
    width: int = option(32, "Channels of the network: more learn richer textures.", minimum=4)
    lr: float = option(0.003, "Learning rate of Adam.", minimum=0.0)


class Network(nn.Module):
    """Noise (n, CHANNELS, h, w) to a picture (n, 3, h, w) in [-1, 1], from coarse to fine."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(block(width * (n > 0) + 3, width) for n in range(SCALES))
        self.last = nn.Conv2d(width, 3, 1)

    def forward(self, noise: Tensor) -> Tensor:
        """Each scale takes three channels of its own, thinned out to its size."""
        below: list[Tensor] = []
        for number, (layers, own) in enumerate(zip(self.blocks, noise.split(3, 1), strict=True)):
            step = 2 ** (SCALES - 1 - number)
            own = own[..., ::step, ::step]
            below = [
                layers(torch.cat([*(F.interpolate(x, own.shape[-2:]) for x in below), own], 1))
            ]
        return torch.tanh(self.last(below[0]))


def block(inputs: int, width: int) -> nn.Sequential:
    """Two convolutions."""
    layers: list[nn.Module] = []
    for channels in (inputs, width):
        conv = nn.Conv2d(channels, width, 3, padding=1, padding_mode="reflect")
        layers += [conv, nn.BatchNorm2d(width), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers)


@dataclass(frozen=True)
class Texture:
    """The trained network: it makes samples of any size (`contract.Samples`)."""

    config: TextureConfig
    network: Network
    real: Tensor
    stages = 1

    task = property(lambda self: METHODS["texture_net"].tasks[self.config.train_mode])
    device = property(lambda self: self.real.device)
    sizes = property(lambda self: [tuple(self.real.shape[-2:])])
    finite = property(lambda self: all(bool(x.isfinite().all()) for x in self.weights().values()))
    least_size = (2**SCALES, 2**SCALES)  # px, for reflections at the coarsest scale

    def weights(self) -> dict[str, Tensor]:
        """By the names that the training gives them."""
        return {f"generator.{k}": v for k, v in self.network.state_dict().items()}

    def at_a_time(self, size: Any) -> int:  # noqa: ARG002
        """One picture after the other."""
        return 1

    @torch.no_grad()
    def sample(self, indices: Sequence[int], size: Any = None, seed: int = 0) -> Tensor:
        """Sample i is that of (seed, i), whatever else is made; (n, 3, h, w) in [-1, 1]."""
        self.network.eval()
        made = []
        for index in indices:
            rng = stream(seed, "sample", index)
            noise = torch.randn(1, CHANNELS, *(size or self.sizes[0]), generator=rng)
            made.append(self.network(noise.to(self.device)).cpu())
        return torch.cat(made)


class TextureTraining(OneStage):
    """What is left to say when loop, state and resuming are there: how one iteration goes."""

    losses = ("patches",)

    def __init__(self, model: Texture, execution: Any) -> None:
        self.model, self.sizes = model, model.sizes
        rates = Rates(model.config.lr, model.config.lr, beta1=0.9, decay_from=0.5)
        super().__init__(model.config, {"generator": model.network}, rates, execution)
        self.draw_weights(0)

    def draw_weights(self, attempt: int) -> None:
        """Of an attempt."""
        draw_weights(self.model.network, stream(self.config.manual_seed, "weights", attempt))

    def iterate(self, iteration: int) -> Tensor:
        """Heitz et al. 2021, equation 2, of the pixels' patches at every scale."""
        rng, real = self.rng("iteration", iteration), self.model.real
        noise = torch.randn(1, CHANNELS, *self.sizes[0], generator=rng)
        made = self.model.network(noise.to(self.device))
        loss = made.new_zeros(())
        for scale in range(SCALES):
            directions = patch_directions(3, rng).to(self.device)
            smaller = [F.avg_pool2d(x, 2**scale, ceil_mode=True) for x in (made, real)]
            loss = loss + sliced_distance(smaller[0], smaller[1], directions)
        self.descend(loss)
        return loss[None]

    def passes(self) -> Iterator[Pass]:
        """What is kept for the gradients, for `--dry_run`."""
        yield Pass(self.model.network, (1, CHANNELS, *self.sizes[0]))

    def fixed(self) -> dict[str, Tensor]:
        """The image; the loop keeps everything else."""
        return {"real.0": self.model.real}


def fitted(chosen: Any, size: Any) -> Any:  # noqa: ARG001
    """Nothing depends on the size of the picture."""
    return chosen, []


def begin(config: TextureConfig, inputs: Any, execution: Any, base: Any = None) -> TextureTraining:  # noqa: ARG001
    """Bring the image to the training size."""
    scale = training_scale(tuple(inputs.image.shape[-2:]), config.max_size)
    real = resize(inputs.image, scale).clamp(-1, 1) if scale < 1 else inputs.image
    return take_up(config, {"real.0": real}, execution)


def take_up(
    config: TextureConfig, tensors: Mapping[str, Tensor], execution: Any
) -> TextureTraining:
    """The training as it was at its very start."""
    device = execution.device
    network = Network(config.width).to(device)
    return TextureTraining(Texture(config, network, tensors["real.0"].to(device)), execution)


def restore(config: TextureConfig, tensors: Mapping[str, Tensor], execution: Any) -> Texture:
    """The model of a finished run."""
    model = take_up(config, tensors, execution).model
    model.network.load_state_dict(part(tensors, "generator"))
    return model


METHODS["texture_net"] = Method(
    name="texture_net",
    title="Texture network",
    paper="Heitz et al.: A Sliced Wasserstein Loss for Neural Texture Synthesis, CVPR 2021",
    summary="noise to the image's patches, wherever they lie: textures of any size",
    config=TextureConfig,
    tasks={"generation": Task(output="samples", summary="textures of any size")},
    presets={"paper": {}},
    label=lambda config: f"texture_net_width_{config.width}",
    code=__name__,
    losses=TextureTraining.losses,
    in_short=lambda losses: f"patches {losses[0]:.4f}",
    panels=(Panel("loss", "Distance of the patches: it falls.", {"patches": ("patches",)}),),
    trial={"niter": 2, "width": 4, "max_size": 40},
)

if __name__ == "__main__":
    from consingan.cli import main

    main()
