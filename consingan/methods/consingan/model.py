"""A trained (or partly trained) model: the generator and what ties each stage to the image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from consingan.machine.execution import Execution
from consingan.machine.memory import refuse_beyond_free
from consingan.machine.precision import Arithmetic
from consingan.methods.consingan import effort, filling, sampling
from consingan.methods.consingan.anchors import Anchor, anchors_from, check_anchors
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.networks import Generator
from consingan.methods.consingan.rows import rows_of
from consingan.methods.consingan.strips import Strips
from consingan.methods.consingan.tasks import TASKS, Mode
from consingan.methods.consingan.tiles import Around, resized_around
from consingan.methods.contract import Size, Walk
from consingan.methods.holes import Holed, holed_from
from consingan.nn.noise import stream
from consingan.nn.noise_field import NoiseField
from consingan.nn.optimizers import part
from consingan.nn.regions import EVERYTHING, Region


@dataclass
class ConSinGAN:
    """A generator with its anchors, one for each stage, and the settings it was trained with.

    `arithmetic` is that of sampling; `holed` is the picture with what the training left out.
    """

    config: ConSinGANConfig
    generator: Generator
    anchors: list[Anchor] = field(default_factory=list)
    arithmetic: Arithmetic = field(default_factory=Arithmetic)
    holed: Holed | None = None
    saw_known = True

    @property
    def task(self) -> Mode:
        """The row of the task that it was trained for."""
        return TASKS[self.config.train_mode]

    @property
    def stages(self) -> int:
        """How many stages a whole training has."""
        return self.config.train_stages

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return next(self.generator.parameters()).device

    @property
    def sizes(self) -> list[Size]:
        """(h, w) in px of the image at each stage."""
        return [(a.real.shape[-2], a.real.shape[-1]) for a in self.anchors]

    @property
    def amplitudes(self) -> list[float]:
        """Noise factor of each stage."""
        return [a.amplitude for a in self.anchors]

    @property
    def fixed_noises(self) -> list[Tensor | NoiseField]:
        """The fixed z of each stage."""
        return [a.noise for a in self.anchors]

    @property
    def real(self) -> Tensor:
        """The training image at the newest stage, (1, 3, h, w) in [-1, 1]."""
        return self.anchors[-1].real

    @property
    def finite(self) -> bool:
        """Whether all weights, fixed noises and amplitudes are finite."""
        stored = [z for z in self.fixed_noises if isinstance(z, Tensor)]
        numbers = [*self.generator.state_dict().values(), *stored]
        numbers.append(torch.tensor(self.amplitudes))
        return all(bool(torch.isfinite(tensor).all()) for tensor in numbers)

    def weights(self) -> dict[str, Tensor]:
        """The generator's."""
        return {f"generator.{k}": v for k, v in self.generator.state_dict().items()}

    def to(self, device: torch.device | str) -> ConSinGAN:
        """The same model on another device (the generator is moved, not copied)."""
        anchors = [a.to(device) for a in self.anchors]
        return replace(self, generator=self.generator.to(device), anchors=anchors)

    @torch.no_grad()
    def reconstruction(self) -> Tensor:
        """What the fixed noise gives: (1, 3, h, w) in [-1, 1], to be compared with `real`.

        Nothing is asked of it where the training left something out: there it is `real`.
        """
        if part := self.trained_part:
            return resized_around(part.reconstruction(), self.sizes[-1], self.config.wraps)
        output = made_of(self.generator, self.fixed_noises, self.amplitudes)
        if self.holed is None:
            return output
        return torch.where(self.holed.at(self.sizes[-1]).to(output) > 0, self.real, output)

    def sample(self, indices: Sequence[int], size: Size | None = None, seed: int = 0) -> Tensor:
        """See `contract.Samples`."""
        if part := self.trained_part:
            return sampling.enlarged(self, part, indices, size, seed)
        return sampling.sample(self, indices, size, seed)

    def at_a_time(self, size: Size | None = None) -> int:
        """How many pictures of `size` (h, w) are best made together."""
        largest = size or self.sizes[-1]
        return self.arithmetic.batch_size(largest, self.device, self.config.nfc)

    def picture_memory(self, size: Size | None, pictures: int) -> int:
        """See `contract.Foresees`."""
        if part := self.trained_part:
            return sampling.enlarged_memory(self, part, size, pictures)
        return sampling.picture_memory(self, size, pictures)

    def unrolls(self, size: Size | None) -> bool:
        """See `contract.Unrolls`."""
        return not self.sketched and sampling.by_strips(self, size or self.sizes[-1])

    def unroll(self, index: int, size: Size | None, seed: int) -> Iterator[Tensor]:
        """See `contract.Unrolls`."""
        return sampling.unroll(self, size, seed, index)

    def strip_memory(self, size: Size | None) -> int:
        """See `contract.Unrolls`."""
        return sampling.strip_memory(self, size)

    def frame_memory(self, size: Size | None) -> int:
        """See `contract.Foresees`."""
        return sampling.frame_memory(self, size)

    @property
    def sketched(self) -> Size | None:
        """See `contract.Sketches`."""
        return effort.sketched(self.config, self.sizes)

    @property
    def trained_part(self) -> ConSinGAN | None:
        """The stages that were trained where finer ones were only begun; None: all were."""
        whole = effort.layout_stages(self.config, self.sizes)
        return replace(self, anchors=self.anchors[:whole]) if whole else None

    @property
    def least_size(self) -> Size:
        """The smallest (h, w) px whose coarsest stage still has some pixels."""
        return sampling.least_size(self.sizes)

    def frames(self, count: int, walk: Walk) -> Iterator[Tensor]:
        """See `contract.Walks`; `sampling.animation_walk` has the formula."""
        return sampling.animation_frames(self, count, walk)

    def fill(self, image: Tensor, mask: Tensor, seed: int = 0) -> Tensor:
        """See `contract.Fills`."""
        return filling.fill(self, image, mask, seed)

    def enter(self, image: Tensor, stage: int = 0, seed: int = 0) -> Tensor:
        """See `contract.Enters`."""
        return sampling.from_image(self, image, stream(seed, "entry"), stage).cpu()

    @property
    def starts(self) -> range:
        """Stages that a film or a picture of the user's own can start at."""
        return range(len(self.anchors))

    @property
    def first_start(self) -> int:
        """Where a picture of the user's own enters if nobody says."""
        return 0

    def check_start(self, stage: int) -> None:
        """Refuse a start stage that the model does not have."""
        sampling.check_start_stage(self, stage)


def made_of(
    generator: Generator, fixed: Sequence[Tensor | NoiseField], amplitudes: Sequence[float]
) -> Tensor:
    """The picture of fixed noises, (1, 3, h, w); in strips where one of them is never stored."""
    stored = [z for z in fixed if isinstance(z, Tensor)]
    if len(stored) == len(fixed):
        made: Tensor = generator(stored, amplitudes)
        return made
    if any(generator.wraps):
        sizes = [(z.shape[-2], z.shape[-1]) for z in fixed]
        return Around(generator, stored[0], fixed[1:], amplitudes, sizes).picture()
    return Strips(generator, stored[0], rows_of(fixed[1:]), amplitudes).picture()


def measure_amplitude(
    generator: Generator,
    fixed: Sequence[Tensor | NoiseField],
    amplitudes: Sequence[float],
    real: Tensor,
    factor: float,
    region: Region = EVERYTHING,
) -> float:
    """Noise amplitude of a new stage: factor * RMSE(G(fixed noise without the new one's), real).

    Args:
        generator: already grown by the new stage.
        fixed: z_0..z_d with the new stage's z_d.
        amplitudes: of the stages before, d of them.
        real: (1, 3, h, w) in [-1, 1], the image at the new stage.
        factor: `noise_amp`, 0.1 as published.
        region: where the error is measured.
    """
    with torch.no_grad():
        output = made_of(generator, fixed, [*amplitudes, 0.0])
        made, wanted = region.pixels(output, real)
        return factor * float((made - wanted).square().mean().sqrt())


def restore(
    config: ConSinGANConfig, tensors: Mapping[str, Tensor], execution: Execution
) -> ConSinGAN:
    """A model from `real.<k>`, `anchor.<k>.noise`, `anchor.<k>.amplitude` and `generator.*`.

    Raises:
        KeyError: a tensor is missing.
        RuntimeError: one does not fit the settings.
    """
    device = execution.device
    anchors = anchors_from(tensors, device)
    check_anchors(config, anchors)
    refuse_huge(config, len(anchors))
    generator = Generator(config.architecture, config.border)
    while generator.stages < len(anchors):
        generator.grow()
    generator.load_state_dict(part(tensors, "generator"))
    generator = generator.to(device)
    return ConSinGAN(config, generator, anchors, execution.arithmetic, holed_from(tensors))


def refuse_huge(config: ConSinGANConfig, stages: int) -> None:
    """Refuse networks that do not fit into memory, before they are made.

    Raises:
        UserError: they do not.
    """
    numbers = config.architecture
    layer = numbers.channels**2 * numbers.kernel**2
    needed = 4 * layer * numbers.layers * (stages + 1)
    instead = "the settings that it was trained with"
    refuse_beyond_free(needed, torch.device("cpu"), "The networks of these settings", instead)
