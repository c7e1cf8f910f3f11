"""The one training loop. It yields typed records and knows no file and no terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from consingan.errors import DivergedError
from consingan.methods.consingan import draws, saturation
from consingan.methods.consingan.draws import Randomness, SeededRandomness
from consingan.methods.consingan.engine import (
    LOSSES,
    Engine,
    EngineFactory,
    PlainEngine,
    StageTask,
)
from consingan.methods.consingan.model import Anchor, Model, measure_amplitude
from consingan.methods.consingan.networks import Generator
from consingan.methods.consingan.tasks import MODES
from consingan.methods.consingan.training import learning_rate_factor, recipe_of, set_learning_rate
from consingan.nn.discriminator import Discriminator
from consingan.nn.optimizers import all_finite, dump_optimizer, load_optimizer, moments, part
from consingan.settings.config import Config
from consingan.training.records import Record, StageRecord, StageRestarted, StageStarted, StepRecord

CHECK_EVERY = 20  # iterations between looks at the losses where looking stalls the device
ATTEMPTS = 3  # at a stage


class Trainer:
    """Trains one model; `run` yields what happens, `state` and `load_state` stop and go on.

    Args:
        config: the settings.
        reals: the image pyramid, coarsest first, (1, 3, h, w) in [-1, 1] each, on the device.
        make_engine: how iterations are executed.
        randomness: where random numbers come from; by default `config.manual_seed`.
        start: a trained model and its discriminator to fine-tune from the last stage on; its
            anchors are kept, and `source_image`, the user's own picture at stage 0, takes the
            place of the training image as the source of z_0.
    """

    def __init__(
        self,
        config: Config,
        reals: list[Tensor],
        make_engine: EngineFactory = PlainEngine,
        randomness: Randomness | None = None,
        start: tuple[Model, Discriminator] | None = None,
        source_image: Tensor | None = None,
    ) -> None:
        self.config = config
        self.reals = reals
        self.make_engine = make_engine
        self.device = reals[0].device
        mode = MODES[config.train_mode]
        self.randomness = randomness or SeededRandomness(config.manual_seed, mode, self.device)
        self.source_image = reals[0] if source_image is None else source_image
        self._source = self.source_image.cpu()
        self.stage, self.iteration, self.attempt = 0, 0, 0
        self.curves: list[Tensor] = []
        self._optimizer_state: dict[str, Tensor] = {}
        self._begin: dict[str, Tensor] = {}  # weights at the beginning of the present stage
        self._factor: float | None = None  # in the present learning rates
        if start is None:
            generator = Generator(config.shape, mode.border)
            self.discriminator = Discriminator(config.shape)
            self.randomness.initialize(generator, "generator")
            self.randomness.initialize(self.discriminator, "discriminator")
            self.model = Model(config, generator.to(self.device))
        else:
            trained, self.discriminator = start
            self.model = replace(trained, config=config)
            self.stage = config.train_stages - 1
        self.discriminator.to(self.device)
        self.engine: Engine | None = None

    @property
    def iterations(self) -> int:
        """Iterations of the present stage."""
        return self.iterations_of(min(self.stage, len(self.reals) - 1))

    def iterations_of(self, stage: int) -> int:
        """Iterations of `stage`."""
        return self.config_of(stage).niter

    def config_of(self, stage: int) -> Config:
        """The settings of `stage`."""
        return self.config.at_stage(stage, [real.shape[-2] * real.shape[-1] for real in self.reals])

    def run(self) -> Iterator[Record]:
        """Train all stages that are not finished yet.

        Raises:
            DivergedError: a loss, a weight or a moment stopped being finite.
        """
        while self.stage < self.config.train_stages:
            self._set_up_stage()
            yield StageStarted(self.stage)
            while True:
                if self._may_restart() and self._is_collapsed():
                    yield self._restart_stage()
                if self.iteration >= self.iterations:
                    break
                losses = self._step()
                self.iteration += 1
                yield StepRecord(self.stage, self.iteration - 1, losses)
            self.check_finite()
            yield StageRecord(self.stage, self.loss_curves())
            self.stage, self.iteration, self.attempt = self.stage + 1, 0, 0
            self.curves = []

    def _step(self) -> Tensor:
        assert self.engine is not None
        factor = learning_rate_factor(self.iteration, self.iterations, self.config.gamma)
        if factor != self._factor:
            self._factor = factor
            for optimizer in (self.engine.optimizer_g, self.engine.optimizer_d):
                for group in optimizer.param_groups:
                    set_learning_rate(group, group["initial_lr"] * factor)
        number = self.iteration + self.attempt * self.iterations
        draws = self.randomness.draws(self.stage, number, self._shapes, self._source, self._d_steps)
        losses = self.engine.step(draws, self.iteration)
        self.curves.append(losses)
        if self.device.type == "cpu" or (self.iteration + 1) % CHECK_EVERY == 0:
            self._check_losses()
        return losses

    def _may_restart(self) -> bool:
        """Whether now is the time to look, and there is somewhere to go back to."""
        if self.iteration == 0 or self.attempt + 1 >= ATTEMPTS or not self._begin:
            return False
        if self.config.alpha == 0 or self.config.niter < saturation.ENOUGH:
            return False
        return self.iteration % saturation.ENOUGH == 0 or self.iteration >= self.iterations

    def _is_collapsed(self) -> bool:
        real, alpha = self.reals[self.stage], self.config.alpha
        return saturation.is_collapsed(self.curves, real, alpha, self.model.reconstruction)

    def _restart_stage(self) -> StageRestarted:
        """Go back to the beginning of the stage; its draws will be others."""
        self.model.generator.load_state_dict(part(self._begin, "generator"))
        self.discriminator.load_state_dict(part(self._begin, "discriminator"))
        lost, self.iteration, self.curves = self.iteration, 0, []
        self.attempt += 1
        self._set_up_stage()
        return StageRestarted(self.stage, lost, self.attempt)

    def _set_up_stage(self) -> None:
        """Grow the generator, draw and measure the stage's anchor, make new optimizers."""
        model, stage = self.model, self.stage
        while model.generator.stages <= stage:
            model.generator.grow()
        # As loaded weights lie in memory, so that a resumed run rounds alike.
        model.generator.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        if self.iteration == 0 and self.attempt == 0:
            self._begin = {name: tensor.clone() for name, tensor in self._weights().items()}
        recipe = recipe_of(self.config_of(stage))
        self._shapes, self._d_steps = self.shapes(stage), recipe.d_steps
        if len(model.anchors) <= stage:
            model.anchors.append(self._new_anchor())
        task = StageTask(
            generator=model.generator,
            discriminator=self.discriminator,
            real=model.anchors[stage].real,
            fixed_noises=model.fixed_noises[: stage + 1],
            amplitudes=model.amplitudes[: stage + 1],
            recipe=recipe,
        )
        self.engine = None  # gives back what the last stage's holds, on a GPU its graphs' memory
        self.engine = self.make_engine(task)
        self._factor = None
        for optimizer in (self.engine.optimizer_g, self.engine.optimizer_d):
            for group in optimizer.param_groups:
                group["initial_lr"] = float(group["lr"])
        if self._optimizer_state:
            load_optimizer(self.engine.optimizer_g, self._optimizer_state, "optimizer_g")
            load_optimizer(self.engine.optimizer_d, self._optimizer_state, "optimizer_d")
            self._optimizer_state = {}

    def shapes(self, stage: int) -> list[tuple[int, ...]]:
        """Shapes of z_0..z_stage."""
        sizes = [(r.shape[-2], r.shape[-1]) for r in self.reals[: stage + 1]]
        frame = self.model.generator.frame
        return list(draws.noise_shapes(sizes, self.config.nfc, self.config.nc_im, frame))

    def _new_anchor(self) -> Anchor:
        stage, model, real = self.stage, self.model, self.reals[self.stage]
        fixed = self.randomness.fixed_noise(stage, self._shapes[stage], self.reals[0]).contiguous()
        amplitude = 1.0
        if stage > 0:
            amplitude = measure_amplitude(
                model.generator,
                [*model.fixed_noises, fixed],
                model.amplitudes,
                real,
                self.config.noise_amp,
            )
        if not math.isfinite(amplitude):
            raise DivergedError(stage, 0, "the noise amplitude")
        return Anchor(real, fixed, amplitude)

    def loss_curves(self) -> Tensor:
        """Losses of the present stage so far, (iterations, 5) on the CPU."""
        if not self.curves:
            return torch.zeros(0, len(LOSSES))
        return torch.stack([c.detach().float() for c in self.curves]).cpu()

    def _check_losses(self) -> None:
        recent = torch.stack(self.curves[-CHECK_EVERY:]).cpu()
        bad = (~torch.isfinite(recent)).nonzero()
        if len(bad):
            row, column = bad[0].tolist()
            first = len(self.curves) - len(recent) + row
            raise DivergedError(self.stage, first, f"the loss {LOSSES[column]}")

    def check_finite(self) -> None:
        """Look at every loss of late, every weight and every moment.

        A moment that is not finite stays so to the end of the stage: infinite, it stops its weight
        for good or makes it NaN in the next step.

        Raises:
            DivergedError: one of them is not finite.
        """
        if self.curves:
            self._check_losses()
        networks = {"generator": self.model.generator, "discriminator": self.discriminator}
        for name, network in networks.items():
            if not all_finite(list(network.parameters())):
                raise DivergedError(self.stage, self.iteration, f"a weight of the {name}")
        if self.engine is None:
            return
        optimizers = {
            "generator": self.engine.optimizer_g,
            "discriminator": self.engine.optimizer_d,
        }
        for name, optimizer in optimizers.items():
            if not all_finite(moments(optimizer)):
                raise DivergedError(self.stage, self.iteration, f"a moment of the {name}'s Adam")

    def state(self) -> dict[str, Tensor]:
        """Everything that `load_state` needs to go on from here, as plain tensors."""
        tensors = self._weights() | {f"begin.{k}": v for k, v in self._begin.items()}
        tensors["curves"] = self.loss_curves()
        tensors["position"] = torch.tensor([self.stage, self.iteration])
        tensors["attempt"] = torch.tensor(self.attempt)
        if self.engine is not None:
            tensors |= dump_optimizer(self.engine.optimizer_g, "optimizer_g")
            tensors |= dump_optimizer(self.engine.optimizer_d, "optimizer_d")
        return tensors

    def _weights(self) -> dict[str, Tensor]:
        generator, discriminator = self.model.generator, self.discriminator
        tensors = {f"generator.{k}": v for k, v in generator.state_dict().items()}
        return tensors | {f"discriminator.{k}": v for k, v in discriminator.state_dict().items()}

    def load_state(self, tensors: Mapping[str, Tensor], anchors: list[Anchor]) -> None:
        """Take up the state that `state` gave, on any device.

        `anchors` are those of the stages begun so far, on the trainer's device.
        """
        self.stage, self.iteration = (int(i) for i in tensors["position"])
        self.attempt = int(tensors["attempt"]) if "attempt" in tensors else 0
        self._begin = {k: v.to(self.device) for k, v in part(tensors, "begin").items()}
        generator = self.model.generator
        weights = part(tensors, "generator")
        while any(key.startswith(f"body.{generator.stages}.") for key in weights):
            generator.grow()
        generator.load_state_dict(weights)
        self.discriminator.load_state_dict(part(tensors, "discriminator"))
        self.model.anchors[:] = anchors
        self.curves = list(tensors["curves"].to(self.device)) if "curves" in tensors else []
        self._optimizer_state = {k: v for k, v in tensors.items() if k.startswith("optimizer_")}
