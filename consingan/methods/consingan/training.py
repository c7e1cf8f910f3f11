"""The training rule of ConSinGAN as the loop calls it (Hinz et al. 2021, section 3)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from consingan.errors import DivergedError
from consingan.images.picture import is_flat
from consingan.machine.execution import Execution
from consingan.methods.consingan import saturation
from consingan.methods.consingan.anchors import Anchor, anchors_from, check_anchors
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.crops import Crops
from consingan.methods.consingan.draws import Draws, Randomness
from consingan.methods.consingan.effort import layout_stages
from consingan.methods.consingan.engine import Engine, EngineFactory, Recipe, StageTask, recipe_of
from consingan.methods.consingan.engines import choose_engine
from consingan.methods.consingan.filling import regions_of
from consingan.methods.consingan.method import LOSSES, losses_of
from consingan.methods.consingan.model import ConSinGAN, measure_amplitude
from consingan.methods.consingan.planning import Planned
from consingan.methods.consingan.windows import part_of
from consingan.nn.discriminator import Discriminator
from consingan.nn.noise_field import NoiseField, whole
from consingan.nn.optimizers import all_finite, dump_optimizer, load_optimizer, moments, part


class ConSinGANTraining(Planned):
    """Trains one model, see `contract.Training`.

    Args:
        model: with no anchors yet, or a trained one to fine-tune from its last stage on, whose
            anchors are kept.
        discriminator: that goes with it.
        reals: the image pyramid, coarsest first, (1, 3, h, w) in [-1, 1] each, on the device.
        randomness: where random numbers come from.
        execution: where and how to compute.
        source_image: the user's own picture at stage 0, which takes the place of the training
            image as the source of z_0.
        make_engine: how iterations are executed; by default as `execution` says.
    """

    def __init__(
        self,
        model: ConSinGAN,
        discriminator: Discriminator,
        reals: list[Tensor],
        randomness: Randomness,
        execution: Execution,
        source_image: Tensor | None = None,
        make_engine: EngineFactory | None = None,
    ) -> None:
        self.config: ConSinGANConfig = model.config
        self.losses = losses_of(model.config)
        self.model, self.discriminator = model, discriminator
        self.reals, self.randomness, self.execution = reals, randomness, execution
        self.make_engine = make_engine or choose_engine(
            execution.engine, execution.arithmetic, execution.checkpointing
        )
        self.device = reals[0].device
        self.source_image = reals[0] if source_image is None else source_image
        self._source = self.source_image.cpu()
        self.regions = regions_of(model.holed, self.sizes, self.config.architecture, self.device)
        self.first = len(reals) - 1 if self.config.fine_tune else 0
        self.stage, self.attempt = self.first, 0
        self.engine: Engine | None = None
        self.crops: Crops | None = None  # of the present stage
        self._optimizer_state: dict[str, Tensor] = {}  # of a stage that is gone on with
        self._beginning: dict[str, Tensor] = {}  # weights at the beginning of the present stage
        self._factor: float | None = None  # in the present learning rates

    def begin(self, stage: int, attempt: int) -> None:
        """Grow the generator, draw and measure the stage's anchor, make new optimizers."""
        self.stage, self.attempt = stage, attempt
        if attempt and not self._optimizer_state:
            self._go_back()
        model = self.model
        while model.generator.stages <= stage:
            model.generator.grow()
        # As loaded weights lie in memory, so that a resumed run rounds alike.
        model.generator.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        if attempt == 0 and not self._optimizer_state:
            self._beginning = {name: tensor.clone() for name, tensor in self.weights().items()}
        recipe = recipe_of(self.config_of(stage))
        self._shapes, self._d_steps = self.shapes(stage), recipe.d_steps
        self.crops = self.crops_of(stage)
        if len(model.anchors) <= stage:
            model.anchors.append(self._new_anchor())
        task = self._task(recipe)
        self.engine = None  # gives back what the last stage's holds, on a GPU its graphs' memory
        self.engine = self.make_engine(task)
        self._set_up_optimizers(self.engine)

    def _task(self, recipe: Recipe) -> StageTask:
        stage, model, crops = self.stage, self.model, self.crops
        real = model.anchors[stage].real
        return StageTask(
            generator=model.generator,
            discriminator=self.discriminator,
            real=part_of(real, crops.window(0)) if crops else real,
            fixed_noises=[] if crops else [whole(z) for z in model.fixed_noises[: stage + 1]],
            amplitudes=model.amplitudes[: stage + 1],
            recipe=recipe,
            region=self.regions[stage],
            windowed=crops is not None,
        )

    def _go_back(self) -> None:
        self.model.generator.load_state_dict(part(self._beginning, "generator"))
        self.discriminator.load_state_dict(part(self._beginning, "discriminator"))

    def _set_up_optimizers(self, engine: Engine) -> None:
        self._factor = None
        for optimizer in (engine.optimizer_g, engine.optimizer_d):
            for group in optimizer.param_groups:
                group["initial_lr"] = float(group["lr"])
        if self._optimizer_state:
            load_optimizer(engine.optimizer_g, self._optimizer_state, "optimizer_g")
            load_optimizer(engine.optimizer_d, self._optimizer_state, "optimizer_d")
            self._optimizer_state = {}

    def _new_anchor(self) -> Anchor:
        stage, model, real = self.stage, self.model, self.reals[self.stage]
        shape = self._shapes[stage]
        fixed = (
            self.crops.fixed_noise(shape, self.device)
            if self.crops
            else self.randomness.fixed_noise(stage, shape, self.reals[0]).contiguous()
        )
        amplitude = 1.0
        if stage > 0:
            amplitude = measure_amplitude(
                model.generator,
                [*model.fixed_noises, fixed],
                model.amplitudes,
                real,
                self.config.noise_amp,
                self.regions[stage],
            )
        if not math.isfinite(amplitude):
            raise DivergedError(stage, 0, "the noise amplitude")
        return Anchor(real, fixed, amplitude)

    def step(self, iteration: int) -> Tensor:
        """One iteration; its losses in the order of `losses`."""
        assert self.engine is not None
        iterations = self.iterations(self.stage)
        factor = learning_rate_factor(iteration, iterations, self.config.gamma)
        if factor != self._factor:
            self._factor = factor
            for optimizer in (self.engine.optimizer_g, self.engine.optimizer_d):
                for group in optimizer.param_groups:
                    set_learning_rate(group, group["initial_lr"] * factor)
        number = iteration + self.attempt * iterations
        return self.engine.step(self._draws(number), iteration)

    def _draws(self, number: int) -> Draws:
        """What is random in the stage's iteration `number`, counted through all attempts."""
        stage, steps, crops, model = self.stage, self._d_steps, self.crops, self.model
        if crops is None:
            return self.randomness.draws(stage, number, self._shapes, self._source, steps)
        fixed = model.fixed_noises[: stage + 1]
        real, region = self.reals[stage], self.regions[stage]
        sight = crops.sight(model.generator, real, fixed, number, region)
        shapes = crops.shapes(sight)
        drawn = self.randomness.draws(stage, number, shapes, self._source, steps)
        return replace(drawn, noises=crops.spread(drawn.noises, sight), sight=sight)

    def saturated(self, recent: Tensor) -> bool:
        """Whether the stage gives one flat color and is stuck there."""
        alpha = self.config.alpha
        if not self._beginning or alpha == 0 or self.config.niter < saturation.ENOUGH:
            return False
        curve = recent[:, LOSSES.index("g_reconstruction")]
        real = self.reals[self.stage]
        return saturation.is_stuck(curve, real, alpha, self.model.reconstruction)

    def flat(self, stage: int, losses: Tensor) -> bool:
        """Whether a finished stage gives the image back no better than one flat color does.

        Of an image that has one color itself that tells nothing.
        """
        alpha, whole = self.config.alpha, layout_stages(self.config, self.sizes)
        if whole and stage >= whole:  # it was only begun
            return False
        # The first stage's count, which no later one exceeds.
        few = self.config.niter < saturation.ENOUGH
        if alpha == 0 or few or is_flat(self.reals[stage]):
            return False
        curve = losses[:, LOSSES.index("g_reconstruction")]
        flat = saturation.flat_loss(self.reals[stage], alpha) + saturation.SEEN * alpha
        return curve[-len(curve) // 10 :].median().item() > flat

    def check_finite(self, stage: int, iteration: int) -> None:
        """Look at every weight and every moment.

        A moment that is not finite stays so to the end of the stage: infinite, it stops its weight
        for good or makes it NaN in the next step.

        Raises:
            DivergedError: one of them is not finite.
        """
        networks = {"generator": self.model.generator, "discriminator": self.discriminator}
        for name, network in networks.items():
            if not all_finite(list(network.parameters())):
                raise DivergedError(stage, iteration, f"a weight of the {name}")
        if self.engine is None:
            return
        optimizers = {
            "generator": self.engine.optimizer_g,
            "discriminator": self.engine.optimizer_d,
        }
        for name, optimizer in optimizers.items():
            if not all_finite(moments(optimizer)):
                raise DivergedError(stage, iteration, f"a moment of the {name}'s Adam")

    def fixed(self) -> dict[str, Tensor]:
        """The pyramid, and of a fine-tuning the user's own picture at stage 0."""
        tensors = {f"real.{i}": real for i, real in enumerate(self.reals)}
        if self.source_image is not self.reals[0]:
            tensors["source"] = self.source_image
        return tensors | (self.model.holed.tensors() if self.model.holed else {})

    def start(self) -> dict[str, Tensor]:
        """Of a fine-tuning, the weights that it starts from; else nothing."""
        return self.weights() if self.config.fine_tune else {}

    def anchor(self, stage: int) -> dict[str, Tensor]:
        """The fixed noise and amplitude of a stage."""
        if stage >= len(self.model.anchors):
            return {}
        anchor = self.model.anchors[stage]
        amplitude = torch.tensor(anchor.amplitude, dtype=torch.float64)
        name = f"anchor.{stage}"
        noise = anchor.noise
        kept = noise.numbers() if isinstance(noise, NoiseField) else noise
        return {f"{name}.noise": kept, f"{name}.amplitude": amplitude}

    def scalars(self, stage: int) -> dict[str, float]:
        """The amplitude of a stage's noise."""
        return {"noise_amplitude": self.model.anchors[stage].amplitude}

    def weights(self) -> dict[str, Tensor]:
        """Both networks."""
        generator, discriminator = self.model.generator, self.discriminator
        tensors = {f"generator.{k}": v for k, v in generator.state_dict().items()}
        return tensors | {f"discriminator.{k}": v for k, v in discriminator.state_dict().items()}

    def state(self) -> dict[str, Tensor]:
        """Weights, now and at the stage's beginning, and the optimizers."""
        tensors = self.weights() | {f"begin.{k}": v for k, v in self._beginning.items()}
        if self.engine is not None:
            tensors |= dump_optimizer(self.engine.optimizer_g, "optimizer_g")
            tensors |= dump_optimizer(self.engine.optimizer_d, "optimizer_d")
        return tensors

    def reopened(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Both networks; Adam begins anew, as it does at every stage."""
        return dict(weights)

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up the state that `state` gave, with the anchors of the stages begun so far."""
        self._beginning = {k: v.to(self.device) for k, v in part(tensors, "begin").items()}
        generator, weights = self.model.generator, part(tensors, "generator")
        while any(key.startswith(f"body.{generator.stages}.") for key in weights):
            generator.grow()
        generator.load_state_dict(weights)
        self.discriminator.load_state_dict(part(tensors, "discriminator"))
        reals = {f"real.{i}": real for i, real in enumerate(self.reals)}
        self.model.anchors[:] = anchors_from({**reals, **tensors}, self.device)
        check_anchors(self.config, self.model.anchors)
        self._optimizer_state = {k: v for k, v in tensors.items() if k.startswith("optimizer_")}


def learning_rate_factor(iteration: int, iterations: int, gamma: float) -> float:
    """1 during the first 80 % of a stage, then `gamma`."""
    return gamma if 5 * iteration >= 4 * iterations else 1.0


def set_learning_rate(group: dict[str, Any], lr: float) -> None:
    """Set the rate of a parameter group, in place where it is a tensor (a captured graph's)."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(lr)
    else:
        group["lr"] = lr
