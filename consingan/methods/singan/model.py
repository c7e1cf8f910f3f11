"""A trained (or partly trained) pyramid of generators, and what can be made with it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.machine.precision import Arithmetic
from consingan.methods.contract import Size, Walk
from consingan.methods.singan import sampling
from consingan.methods.singan.chain import Runner, Scale, Tiled, climb
from consingan.methods.singan.config import SinGANConfig
from consingan.methods.singan.draws import Edge, framed
from consingan.methods.singan.enlarging import enlarge_picture
from consingan.methods.singan.folded import FoldedRunner
from consingan.methods.singan.injection import entered, entered_quantized, fit_reference
from consingan.methods.singan.memory import estimate_sampling_memory, estimate_walk_memory
from consingan.methods.singan.networks import Generator
from consingan.methods.singan.pyramid import Enlargement, Pyramid, plan_enlargement
from consingan.methods.singan.quantization import Palette
from consingan.methods.singan.tasks import TASKS, SinGANTask
from consingan.methods.singan.walk import frame_noises
from consingan.nn import noise
from consingan.nn.optimizers import part


@dataclass(frozen=True)
class SinGAN:
    """Trained scales, the settings they were trained with, and the whole pyramid.

    Attributes:
        config: settings.
        reals: (1, 3, h, w) in [-1, 1], the training image at every scale, trained or not.
        scales: the trained ones, coarsest first.
        arithmetic: that pictures are made in.
        palette: of a scale that was trained for few colors.
        start: scale from which samples are random; coarser ones keep the fixed noise.
    """

    config: SinGANConfig
    reals: Sequence[Tensor]
    scales: list[Scale] = field(default_factory=list)
    arithmetic: Arithmetic = field(default_factory=Arithmetic)
    palette: Palette | None = None
    start: int = 0

    @property
    def task(self) -> SinGANTask:
        """The row of the task that it was trained for."""
        return TASKS[self.config.train_mode]

    @property
    def edge(self) -> Edge:
        """What lies around its noise."""
        margin = self.config.architecture.frame
        return Edge(margin, self.task.noise_to_border, self.config.wraps)

    @property
    def stages(self) -> int:
        """How many scales a whole training has."""
        return len(self.reals)

    @property
    def device(self) -> torch.device:
        """Where it lies."""
        return self.reals[0].device

    @property
    def sizes(self) -> list[Size]:
        """(h, w) in px of the trained scales."""
        return [scale.size for scale in self.scales]

    @property
    def real(self) -> Tensor:
        """The training image at the newest scale, (1, 3, h, w) in [-1, 1]."""
        return self.reals[max(len(self.scales) - 1, 0)]

    @cached_property
    def pyramid(self) -> Pyramid:
        """Sizes of all scales and the ratio between them."""
        return pyramid_of(self.config, self.reals)

    @property
    def finite(self) -> bool:
        """Whether all of its numbers are."""
        numbers = [t for s in self.scales for t in (*s.generator.state_dict().values(), s.fixed)]
        numbers.append(torch.tensor([scale.amplitude for scale in self.scales]))
        return all(bool(torch.isfinite(tensor).all()) for tensor in numbers)

    def weights(self) -> dict[str, Tensor]:
        """The generators of all trained scales, and the fixed noise of the first."""
        found = {
            f"generator.{n}.{name}": tensor
            for n, scale in enumerate(self.scales)
            for name, tensor in scale.generator.state_dict().items()
        }
        if self.scales:
            found["fixed.0"] = self.scales[0].fixed
        if self.palette is not None:
            found["palette"] = self.palette.centers
        return found

    @cached_property
    def run(self) -> Runner:
        """Runs the trained generators."""
        return Tiled(FoldedRunner([scale.generator for scale in self.scales], self.arithmetic))

    @property
    def factor(self) -> float:
        """By which pictures grow from one scale to the next."""
        return 1 / self.pyramid.ratio

    def reconstruction(self) -> Tensor:
        """What the fixed noises give, (1, 3, h, w) in [-1, 1], to be compared with `real`."""
        return sampling.reconstruct(self.scales, self.factor, self.run)

    def for_task(self, task: str) -> SinGAN:
        """The same model as one for another task; only animation is trained otherwise."""
        return replace(self, config=self.config.replace(train_mode=task))

    def beginning_at(self, stage: int) -> SinGAN:
        """The same model, whose samples keep the layout of the scales before `stage`.

        Raises:
            UserError: it has no such scale.
        """
        if not 0 <= stage < len(self.scales):
            raise UserError(
                f"--start_stage {stage} is beyond the model; use 0 to {len(self.scales) - 1}."
            )
        return replace(self, start=stage)

    def sample(self, indices: Sequence[int], size: Size | None = None, seed: int = 0) -> Tensor:
        """See `contract.Samples`."""
        sizes = sampling.sample_sizes(self.sizes, size)
        drawn = [self._noises(sizes, "sample", seed, index) for index in indices]
        noises = [torch.cat(scale) for scale in zip(*drawn, strict=True)]
        return sampling.sample(self.scales, noises, self.factor, self.start, self.run).float().cpu()

    def _noises(self, sizes: Sequence[Size], purpose: str, seed: int, index: int) -> list[Tensor]:
        rng = noise.stream(seed, purpose, index, device=self.device)
        return [framed(size, n, 1, self.edge, rng) for n, size in enumerate(sizes)]

    def at_a_time(self, size: Size | None = None) -> int:
        """How many pictures of `size` (h, w) are best made together."""
        widest = self.config.architecture.at_scale(len(self.scales) - 1).channels
        return self.arithmetic.batch_size(size or self.sizes[-1], self.device, widest)

    def picture_memory(self, size: Size | None, pictures: int) -> int:
        """See `contract.Foresees`."""
        widest = self.config.architecture.at_scale(len(self.scales) - 1)
        return estimate_sampling_memory(widest, size or self.sizes[-1], pictures)

    def frame_memory(self, size: Size | None) -> int:
        """See `contract.Foresees`."""
        return self.picture_memory(size, 1) + estimate_walk_memory(size or self.sizes[-1])

    @property
    def least_size(self) -> Size:
        """The smallest (h, w) px whose coarsest scale still has a pixel."""
        (height, width), (low, narrow) = self.sizes[-1], self.sizes[0]
        return -(-height // low), -(-width // narrow)

    @property
    def starts(self) -> range:
        """Scales that a film or a picture of the user's own can start at."""
        return range(1 if self.task.takes_naive else 0, len(self.scales))

    @property
    def first_start(self) -> int:
        """Where a picture of the user's own enters if nobody says."""
        if self.palette is not None:
            return self.config.paint_start_scale
        return max((len(self.scales) - 1) // 2, 1)

    def check_start(self, stage: int) -> None:
        """Refuse a start scale that it does not have."""
        if stage in self.starts:
            return
        if not self.starts:
            raise UserError("The model has one scale only; a picture cannot enter it.")
        raise UserError(
            f"--start_stage {stage} is not a scale of this model that can be started at; use "
            f"{self.starts[0]} to {self.starts[-1]}."
        )

    def enter(self, image: Tensor, stage: int, seed: int = 0) -> Tensor:
        """See `contract.Enters`; harmonization, editing and paint-to-image are the same."""
        self.check_start(stage)
        reference = fit_reference(image.to(self.device), self.pyramid)
        if self.palette is not None and stage == self.config.paint_start_scale:
            quantized = self.palette.quantize(reference)
            below = entered_quantized(quantized, self.pyramid, stage)
        else:
            below = entered(reference, self.pyramid, stage)
        noises = self._noises(self.sizes, "entry", seed, 0)
        return (
            climb(self.scales[stage:], noises[stage:], below, self.factor, self.run).float().cpu()
        )

    def frames(self, count: int, walk: Walk) -> Iterator[Tensor]:
        """See `contract.Walks`; at another size the walk goes around fresh noise."""
        self.check_start(walk.start_stage)
        at_training_size = walk.size in (None, self.sizes[-1])
        sizes = sampling.sample_sizes(self.sizes, walk.size)
        fixed = (
            [scale.fixed for scale in self.scales]
            if at_training_size
            else self._noises(sizes, "walk", walk.seed, -1)
        )
        noises = [self._endless(n, size, walk.seed) for n, size in enumerate(sizes)]
        steps = frame_noises(fixed, noises, walk.alpha, walk.beta, walk.start_stage)
        taken = itertools.islice(steps, count)
        moved = noise.led_back(taken, fixed, count) if walk.loop else taken
        blank = torch.zeros(1, 3, *sizes[0], device=self.device)
        for zs in moved:
            yield climb(self.scales, zs, blank, self.factor, self.run).float().cpu()

    def _endless(self, scale: int, size: Size, seed: int) -> Iterator[Tensor]:
        rng = noise.stream(seed, "walk", scale, device=self.device)
        while True:
            yield framed(size, scale, 1, self.edge, rng)

    @property
    def enlargement(self) -> Enlargement:
        """How super-resolution goes."""
        return plan_enlargement(self.config.sr_factor)

    @property
    def enlarged_size(self) -> Size:
        """(h, w) in px of the enlarged picture."""
        return self.enlargement.output(self.sizes[-1])

    def enlarge(self, seed: int = 0) -> Tensor:
        """The training image `sr_factor` times as large, (1, 3, h, w) in [-1, 1] on the CPU."""
        rng = noise.stream(seed, "enlargement", device=self.device)
        finest, plan = self.scales[-1], self.enlargement
        made = enlarge_picture(
            finest, finest.real, plan, lambda _, shape: noise.gaussian(shape, rng), self.run
        )
        return made.float().cpu()


def pyramid_of(config: SinGANConfig, reals: Sequence[Tensor]) -> Pyramid:
    """Sizes of `reals`, and the ratio that they were made with."""
    sizes = tuple((real.shape[-2], real.shape[-1]) for real in reals)
    ratio = (config.min_size / min(sizes[-1])) ** (1 / (len(sizes) - 1)) if len(sizes) > 1 else 1.0
    return Pyramid(1.0, ratio, sizes)


def scales_from(
    config: SinGANConfig, tensors: Mapping[str, Tensor], device: torch.device
) -> list[Scale]:
    """The trained scales that `tensors` hold, as `SinGAN.weights` and the anchors name them.

    Raises:
        KeyError: a tensor is missing.
        RuntimeError: one does not fit the settings.
    """
    scales: list[Scale] = []
    while weights := part(tensors, f"generator.{len(scales)}"):
        n = len(scales)
        generator = Generator(config.architecture.at_scale(n))
        generator.load_state_dict(weights)
        real = tensors[f"real.{n}"].to(device)
        margin = generator.architecture.frame
        still = real.new_zeros(1, 3, real.shape[-2] + 2 * margin, real.shape[-1] + 2 * margin)
        fixed = tensors["fixed.0"].to(device) if n == 0 else still
        amplitude = float(tensors[f"anchor.{n}.amplitude"])
        scales.append(Scale(generator.to(device).eval(), real, fixed, amplitude, config.wraps))
    return scales


def with_own_amplitude(config: SinGANConfig, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`tensors` with the amplitude of a scale that was trained anew in its anchor's place."""
    if "amplitude" not in tensors:
        return dict(tensors)
    return {**tensors, f"anchor.{config.paint_start_scale}.amplitude": tensors["amplitude"]}
