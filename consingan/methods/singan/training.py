"""The training rule of SinGAN as the loop calls it: one scale after the other (section 3.2)."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from consingan.errors import DivergedError
from consingan.machine.execution import Execution
from consingan.methods.contract import Rehearsal, Size
from consingan.methods.singan import saturation
from consingan.methods.singan.below import Below
from consingan.methods.singan.chain import Scale
from consingan.methods.singan.draws import SeededRandomness
from consingan.methods.singan.engine import (
    Draws,
    Engine,
    Recipe,
    ScaleTask,
    counts_a_picture,
    learning_rate_factor,
    set_rates,
)
from consingan.methods.singan.engines import choose_engine, choose_runner
from consingan.methods.singan.memory import estimate_training_memory, relative_cost
from consingan.methods.singan.method import LOSSES
from consingan.methods.singan.model import SinGAN, scales_from, with_own_amplitude
from consingan.methods.singan.networks import Discriminator, Generator, frame
from consingan.methods.singan.rehearsal import parameters, rehearse
from consingan.nn.optimizers import all_finite, dump_optimizer, load_optimizer, moments, part


class SinGANTraining:
    """Trains one pyramid, see `contract.Training`.

    A training for paint in few colors (`config.fine_tune`) has all scales trained already and one
    of them trained anew; it counts as the last one.

    Args:
        model: with the scales that are trained already.
        execution: where and how to compute.
    """

    losses = LOSSES

    def __init__(self, model: SinGAN, execution: Execution) -> None:
        self.config, self._finished, self.execution = model.config, model, execution
        self.device, seed = model.device, self.config.manual_seed
        self.margin = self.config.architecture.frame
        self.make_engine = choose_engine(execution)
        self.randomness = SeededRandomness(seed, self.sizes, model.edge, self.device)
        self.amplitudes = {n: scale.amplitude for n, scale in enumerate(model.scales)}
        self.base = dict(model.weights()) if self.config.fine_tune else {}
        self.first = self.stages - 1 if self.config.fine_tune else 0
        self.stage, self.attempt = self.first, 0
        self.generator: Generator | None = None
        self.discriminator: Discriminator | None = None
        self.engine: Engine | None = None
        self.fixed_noise: Tensor | None = None  # of the present scale
        self._loaded: dict[str, Tensor] = {}  # state of a scale that is gone on with

    @property
    def model(self) -> SinGAN:
        """The finished scales and, as it is now, the one that is being trained."""
        if self.generator is None or not self.generator.training:
            return self._finished
        n = self.scale(self.stage)
        real, generator = self._finished.reals[n], copy.deepcopy(self.generator).eval()
        still = torch.zeros_like(frame(real, self.margin))
        fixed = still if self.fixed_noise is None else self.fixed_noise.contiguous()
        present = Scale(generator, real, fixed, self.amplitudes[n], self.config.wraps)
        scales = self._finished.scales
        return replace(self._finished, scales=[*scales[:n], present, *scales[n + 1 :]])

    @property
    def stages(self) -> int:
        """How many scales there are."""
        return self._finished.stages

    @property
    def sizes(self) -> list[Size]:
        """(h, w) in px of every scale."""
        return [(real.shape[-2], real.shape[-1]) for real in self._finished.reals]

    def scale(self, stage: int) -> int:
        """The scale that is trained as `stage`."""
        return self.config.paint_start_scale if self.config.fine_tune else stage

    def iterations(self, stage: int) -> int:  # noqa: ARG002
        """Iterations of a scale."""
        return self.config.niter

    def begin(self, stage: int, attempt: int) -> None:
        """Set a scale up: its networks, what the fixed noises give, its amplitude, optimizers."""
        self.stage, self.attempt = stage, attempt
        n = self.scale(stage)
        self.generator, self.discriminator = self._first_networks(n)
        real, below = self._finished.reals[n], self._finished.scales[:n]
        run = choose_runner(self.execution, below)
        factor, palette = self._finished.factor, self._finished.palette
        self.below = Below(below, real, factor, self.margin, run, palette, self.config.wraps)
        if n not in self.amplitudes or (self.config.fine_tune and not self._loaded):
            self.amplitudes[n] = self.below.amplitude(self.config.noise_amp)
            if not math.isfinite(self.amplitudes[n]):
                raise DivergedError(stage, 0, "the noise amplitude")
        task = ScaleTask(
            self.generator.train(),
            self.discriminator,
            real,
            self.below.reconstructed(),
            self.amplitudes[n],
            self.recipe,
        )
        self.engine = None  # gives back what the last scale's holds
        self.engine = self.make_engine(task)
        self._factor: float | None = None
        self._take_up_state(self.engine)

    @property
    def recipe(self) -> Recipe:
        """The numbers of the training rule."""
        names = Recipe.__dataclass_fields__
        return Recipe(**{name: getattr(self.config, name) for name in names})

    def _first_networks(self, n: int) -> tuple[Generator, Discriminator]:
        """Those of the scale before if they are as wide, else drawn."""
        architecture = self.config.architecture.at_scale(n)
        pair = Generator(architecture), Discriminator(architecture)
        before = (self._finished.scales[n - 1].generator if n else None, self.discriminator)
        for network, old, name in zip(pair, before, ("generator", "discriminator"), strict=True):
            self.randomness.initialize(network, n, name)
            if old is not None and old.architecture == architecture and not self.config.fine_tune:
                network.load_state_dict(old.state_dict())
            network.to(self.device)
        return pair

    def step(self, iteration: int) -> Tensor:
        """One iteration; the losses of its last steps, (5,) in the order of `LOSSES`."""
        assert self.engine is not None
        self._set_rate(iteration)
        n, iterations = self.scale(self.stage), self.iterations(self.stage)
        draws = self._draws(n, iteration + self.attempt * iterations)
        self.fixed_noise = draws.fixed
        losses = self.engine.step(draws).last
        if counts_a_picture(iteration, iterations):
            self.engine.reconstruct(draws.fixed)
        if iteration == iterations - 1:
            self._finish_scale(n)
        return losses

    def _set_rate(self, iteration: int) -> None:
        factor = learning_rate_factor(iteration, self.config.gamma)
        if factor == self._factor or self.engine is None:
            return
        self._factor = factor
        set_rates(self.engine, self.recipe, factor)

    def _draws(self, n: int, number: int) -> Draws:
        drawn = self.randomness.draw(n, number, self.config.d_steps)
        fixed = torch.zeros_like(drawn.noise) if drawn.fixed is None else drawn.fixed
        previous = self.below.previous(drawn.coarser).expand(self.config.d_steps, -1, -1, -1)
        return Draws(drawn.noise, fixed, previous, drawn.mixing)

    def _finish_scale(self, n: int) -> None:
        """Let the trained generator become part of the model."""
        assert self.generator is not None
        assert self.fixed_noise is not None
        fixed = self.fixed_noise.contiguous()
        done, real = self.generator.eval(), self._finished.reals[n]
        scale = Scale(done, real, fixed, self.amplitudes[n], self.config.wraps)
        scales = self._finished.scales
        self._finished = replace(self._finished, scales=[*scales[:n], scale, *scales[n + 1 :]])

    def saturated(self, recent: Tensor) -> bool:  # noqa: ARG002
        """Normalization keeps scales from getting stuck."""
        return False

    def flat(self, stage: int, losses: Tensor) -> bool:
        """Whether a finished scale gives the image back no better than one flat color does."""
        curve = losses[:, LOSSES.index("g_reconstruction")]
        return saturation.is_flat(curve, self._finished.reals[self.scale(stage)], self.config.alpha)

    def check_finite(self, stage: int, iteration: int) -> None:
        """Look at every weight and every moment.

        Raises:
            DivergedError: one of them is not finite.
        """
        if self.engine is None or self.generator is None or self.discriminator is None:
            return
        optimizer_g, optimizer_d = self.engine.optimizer_g, self.engine.optimizer_d
        watched: dict[str, list[Tensor]] = {
            "a weight of the generator": [*self.generator.parameters()],
            "a weight of the discriminator": [*self.discriminator.parameters()],
            "a moment of the generator's Adam": moments(optimizer_g),
            "a moment of the discriminator's Adam": moments(optimizer_d),
        }
        for what, tensors in watched.items():
            if not all_finite(tensors):
                raise DivergedError(stage, iteration, what)

    def fixed(self) -> dict[str, Tensor]:
        """The images of all scales, and the colors of a paint."""
        tensors = {f"real.{n}": real for n, real in enumerate(self._finished.reals)}
        if self._finished.palette is not None:
            tensors["palette"] = self._finished.palette.centers
        return tensors

    def start(self) -> dict[str, Tensor]:
        """For paint in few colors the scales that are trained already; else nothing."""
        return self.base

    def anchor(self, stage: int) -> dict[str, Tensor]:
        """The amplitude of a scale's noise."""
        if stage not in self.amplitudes:
            return {}
        amplitude = torch.tensor(self.amplitudes[stage], dtype=torch.float64)
        return {f"anchor.{stage}.amplitude": amplitude}

    def scalars(self, stage: int) -> dict[str, float]:
        """The amplitude of a scale's noise."""
        return {"noise_amplitude": self.amplitudes[self.scale(stage)]}

    def weights(self) -> dict[str, Tensor]:
        """The generators of all finished scales and the present discriminator."""
        found = self._finished.weights()
        found.pop("palette", None)
        if self.config.fine_tune:
            own = self.amplitudes[self.config.paint_start_scale]
            found["amplitude"] = torch.tensor(own, dtype=torch.float64)
        if self.discriminator is not None:
            found |= {f"discriminator.{k}": v for k, v in self.discriminator.state_dict().items()}
        return found

    def state(self) -> dict[str, Tensor]:
        """Beside the finished scales the networks of the present one and its optimizers."""
        tensors = self.weights()
        if self.generator is None or self.engine is None:
            return tensors
        tensors |= {f"present.{k}": v for k, v in self.generator.state_dict().items()}
        if self.fixed_noise is not None:
            tensors["present_fixed"] = self.fixed_noise.contiguous()
        tensors |= dump_optimizer(self.engine.optimizer_g, "optimizer_g")
        return tensors | dump_optimizer(self.engine.optimizer_d, "optimizer_d")

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up the state that `state` gave, with the anchors of the scales begun so far."""
        tensors = with_own_amplitude(self.config, tensors)
        names = {n: f"anchor.{n}.amplitude" for n in range(self.stages)}
        self.amplitudes = {n: float(tensors[k]) for n, k in names.items() if k in tensors}
        reals = {f"real.{n}": real for n, real in enumerate(self._finished.reals)}
        scales = scales_from(self.config, {**tensors, **reals}, self.device)
        self._finished = replace(self._finished, scales=scales)
        self._loaded = dict(tensors) if part(tensors, "present") else {}
        if weights := part(tensors, "discriminator"):
            # Between two scales it is still that of the one before.
            n = self.scale(int(tensors["position"][0]) - (not self._loaded))
            self.discriminator = Discriminator(self.config.architecture.at_scale(n)).to(self.device)
            self.discriminator.load_state_dict(weights)
        if "present_fixed" in tensors:
            self.fixed_noise = tensors["present_fixed"].to(self.device)

    def _take_up_state(self, engine: Engine) -> None:
        """Give the networks and optimizers back what the state of a resumed scale had."""
        if not self._loaded:
            return
        assert self.generator is not None
        assert self.discriminator is not None
        self.generator.load_state_dict(part(self._loaded, "present"))
        self.discriminator.load_state_dict(part(self._loaded, "discriminator"))
        load_optimizer(engine.optimizer_g, self._loaded, "optimizer_g")
        load_optimizer(engine.optimizer_d, self._loaded, "optimizer_d")
        engine.take_up()
        self._loaded = {}

    def facts(self) -> Iterator[str]:
        """The sizes of the pyramid, the numbers of weights."""
        yield "pyramid: " + ", ".join(f"{w}x{h}" for h, w in self.sizes)
        if self.config.fine_tune:
            yield f"scale {self.scale(0)} (0 is the coarsest) alone is trained, as the last stage"
        yield parameters(self.config.architecture, self.stages)

    def cost(self, stage: int) -> float:
        """Relative time of one of a scale's iterations."""
        return relative_cost(self.config.architecture, self.sizes, self.scale(stage))

    def peak_memory(self, checkpointing: bool | None = None) -> int | None:
        """Bytes that the step of the finest scale to be trained takes beside the program."""
        sizes = self.sizes[: self.scale(self.stages - 1) + 1]
        peak = estimate_training_memory(self.config.architecture, sizes, self.execution)
        return None if checkpointing else peak

    def rehearse(self, stage: int) -> Rehearsal:
        """Iterations of a scale with fresh networks; the training is left as it is."""
        return rehearse(self, self.scale(stage))
