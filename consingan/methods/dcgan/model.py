"""A trained DCGAN: samples, calculation with their vectors, ways between them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.machine.execution import Execution
from consingan.machine.precision import Arithmetic
from consingan.methods.contract import Size, Walk
from consingan.methods.dcgan.config import DCGANConfig
from consingan.methods.dcgan.crops import cut
from consingan.methods.dcgan.networks import Generator, halvings
from consingan.methods.dcgan.tasks import TASKS
from consingan.methods.one_stage import OneNetwork
from consingan.nn.noise import stream
from consingan.nn.optimizers import part


@dataclass
class DCGAN(OneNetwork):
    """A generator and the image whose crops it learned."""

    config: DCGANConfig
    network: Generator
    real: Tensor
    arithmetic: Arithmetic = field(default_factory=Arithmetic)
    tasks = TASKS

    @property
    def sizes(self) -> list[Size]:
        """(h, w) px of a crop."""
        return [(self.config.side, self.config.side)]

    @property
    def least_size(self) -> Size:
        """Pictures are cut to size; a few px still are one."""
        return (8, 8)

    def at_a_time(self, size: Size | None) -> int:
        """How many pictures are best made together."""
        return self.arithmetic.batch_size(size or self.sizes[0], self.device, self.config.ngf)

    def sample(self, indices: Sequence[int], size: Size | None, seed: int) -> Tensor:
        """See `contract.Samples`; beyond the crops' size a field of vectors takes the place of one.

        For that it was not trained: neighbors do not know of each other.
        """
        height, width = size or self.sizes[0]
        unit = 2 ** (halvings(self.config.side) + 1)
        field_size = [max(1, math.ceil(n / unit) - 3) for n in (height, width)]
        drawn = [
            torch.randn(1, self.config.nz, *field_size, generator=stream(seed, "sample", i))
            for i in indices
        ]
        return self._made(torch.cat(drawn))[..., :height, :width]

    def crops(self, count: int, seed: int) -> Tensor:
        """See `contract.Crops`."""
        rng = stream(seed, "crops")
        return cut(self.real.cpu(), self.config.side, count, rng, self.config.flips)

    def latent(self, indices: Sequence[int], seed: int) -> Tensor:
        """See `contract.Latent`; the vectors of `sample`."""
        rows = [torch.randn(1, self.config.nz, 1, 1, generator=stream(seed, "sample", i)).flatten()
                for i in indices]  # fmt: skip
        return torch.stack(rows)

    def pictured(self, latent: Tensor) -> Tensor:
        """See `contract.Latent`."""
        return self._made(latent[:, :, None, None])

    @torch.no_grad()
    def _made(self, z: Tensor) -> Tensor:
        self.network.eval()
        with self.arithmetic.scope(self.device), self.arithmetic.autocast(self.device):
            made: Tensor = self.network(z.to(self.device))
        return made.float().cpu()

    def frames(self, count: int, walk: Walk) -> Iterator[Tensor]:
        """See `contract.Walks`: from random point to random point.

        A way takes 1 / (1 - beta) frames, in a loop about as many, or less: it has two ways at
        least, there and back. Alpha draws all points towards the first.
        """
        turn = max(1, round(1 / (1 - min(walk.beta, 0.999))))
        height, width = walk.size or self.sizes[0]
        first, points = self.latent([0], walk.seed), max(2, round(count / turn))
        for frame in range(count):
            at = frame * points / count if walk.loop else frame / turn
            step = int(at)
            ends = [
                between(self.latent([k % points if walk.loop else k], walk.seed), first,
                        walk.alpha, walk.straight)
                for k in (step, step + 1)
            ]  # fmt: skip
            z = between(ends[0], ends[1], at - step, walk.straight)
            yield self._grown(z, height, width)

    def _grown(self, z: Tensor, height: int, width: int) -> Tensor:
        """The picture of a vector, that vector everywhere where it is larger than a crop."""
        unit = 2 ** (halvings(self.config.side) + 1)
        rows, columns = (max(1, math.ceil(n / unit) - 3) for n in (height, width))
        whole = z[:, :, None, None].expand(-1, -1, rows, columns)
        return self._made(whole)[..., :height, :width]

    @property
    def starts(self) -> range:
        """See `contract.Walks`; a vector has no stages."""
        return range(1)

    def check_start(self, stage: int) -> None:
        """Refuse any start stage but the only one."""
        if stage not in self.starts:
            raise UserError(f"--start_stage {stage} is not there; the model has stage 0 only.")


def between(first: Tensor, second: Tensor, share: float, straight: bool = False) -> Tensor:
    """A point between vectors (1, d): on the line, or spherical, which keeps them as long.

    Args:
        first: where `share` is 0.
        second: where it is 1.
        share: 0 to 1.
        straight: as the paper has it; in the middle such vectors are too short by a third.
    """
    if not straight:
        a, b = (x / x.norm(dim=1, keepdim=True) for x in (first, second))
        angle = (a * b).sum(1, keepdim=True).clamp(-1, 1).arccos()
        if float(angle.abs().max()) > 1e-3:
            lengths = (1 - share) * angle, share * angle
            turned = lengths[0].sin() * first + lengths[1].sin() * second
            return torch.div(turned, angle.sin())
    line: Tensor = (1 - share) * first + share * second
    return line


def new_model(config: DCGANConfig, real: Tensor, execution: Execution) -> DCGAN:
    """With a generator whose weights are not drawn yet."""
    network = Generator(config.side, config.nz, config.ngf).to(execution.device)
    return DCGAN(config, network, real.to(execution.device), execution.arithmetic)


def restore(config: DCGANConfig, tensors: Mapping[str, Tensor], execution: Execution) -> DCGAN:
    """A trained model, see `contract.Code`."""
    model = new_model(config, tensors["real.0"], execution)
    model.network.load_state_dict(part(tensors, "generator"))
    return model
