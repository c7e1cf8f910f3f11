"""The same training rule with less work: one fake per iteration, gradients by hand, fewer copies.

What is saved, and why nothing changes:
- G does not change during the discriminator's steps, so one fake serves them all and is then
  back-propagated in the generator's step.
- Stages that are no longer trained give the same features for the fixed noise in every iteration
  that sees the whole picture; they are computed once.
- The penalty's gradient needs no second-order graph where D is piecewise linear (linear_critic.py).
- Of small pictures the one from random noise and the one from fixed noise go through G together.
- Up-sampling is a linear map along each axis, done as two matrix products (kernels.py).
- On a GPU the gradients of weights are computed side by side (lanes.py), sums over pixels and
  Adam's steps in pieces that keep all of its processors busy.
- Channels-last memory and, if asked for, bfloat16 arithmetic with float32 weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from consingan.machine.memory import keep_freed_memory
from consingan.machine.precision import Arithmetic
from consingan.methods.consingan.draws import Draws, Sight
from consingan.methods.consingan.engine import StageTask
from consingan.nn import losses
from consingan.nn.fused.choice import usable
from consingan.nn.fused.generator import FusedOperations
from consingan.nn.kernels import applied, is_small, seeded
from consingan.nn.optimizers import Adam, ChunkedAdam, has_fused
from consingan.nn.sliced import empty_directions


class FastEngine:
    """Executes `PlainEngine`'s iteration in fewer operations.

    Args:
        task: what is trained.
        arithmetic: of convolutions and up-sampling; the weights, the sums of their gradients and
            the optimizers stay in the format of the weights.
        checkpointing: compute the trained stages' activations again in the backward pass instead
            of keeping them.
        capturable: let the optimizers take part in a CUDA graph (graphs.py): their learning rates
            are tensors, which a graph reads anew each time.
    """

    def __init__(
        self,
        task: StageTask,
        arithmetic: Arithmetic | None = None,
        checkpointing: bool = False,
        capturable: bool = False,
    ) -> None:
        task.freeze()
        if task.real.device.type == "cpu":
            keep_freed_memory()
        self.task = task
        self.arithmetic = (arithmetic or Arithmetic()).lasting(task.real.device)
        self.checkpointing = checkpointing
        self.dtype = self.arithmetic.dtype(task.real.dtype)
        shape, real = task.generator.shape, task.real
        # Triton's kernels are launched by a graph: one by one, they would wait for Python.
        if capturable and usable(real.device, self.dtype, shape, real[0, 0].numel()):
            self.arithmetic = replace(self.arithmetic, fused=True)
        self.operations = FusedOperations(self.dtype) if self.arithmetic.fused else None
        recipe = task.recipe
        groups = task.generator_groups()
        critic = [{"params": list(task.discriminator.parameters()), "lr": recipe.lr_d}]
        self.optimizer_g = self._adam(groups, capturable)
        self.optimizer_d = self._adam(critic, capturable)
        self.critic = task.region.critic(task.discriminator, task.real, self.arithmetic)
        self.sight = task.sight
        self.pairs: list[Tensor] = []
        self.in_one_batch = is_small(task.real)
        self.first = task.generator.first_trained(recipe.train_depth)
        if not task.windowed:
            self._look_at(task.sight)

    def _look_at(self, sight: Sight) -> None:
        """Take up what the next iterations see."""
        if sight.region is not self.sight.region:
            discriminator = self.task.discriminator
            self.critic = sight.region.critic(discriminator, sight.real, self.arithmetic)
        self.sight, self.critic.real = sight, sight.real
        self.fixed = [self._local(z) for z in sight.fixed]
        self.fixed_start = self._frozen_part(self.fixed)

    def _pair(self, fixed: Tensor) -> Tensor:
        """Room for noise before the fixed one."""
        return torch.cat([fixed, fixed]).contiguous(memory_format=torch.channels_last)

    def _local(self, x: Tensor) -> Tensor:
        """`x` on this engine's device, in its number format and memory order."""
        return x.to(self.task.real.device, self.dtype, memory_format=torch.channels_last)

    def _adam(self, groups: list[dict[str, Any]], capturable: bool) -> Adam:
        # Parameters stay contiguous: with another order of memory than its moments' (those of a
        # resumed run, say) the fused Adam mixes up elements without a word.
        if capturable:
            device = self.task.real.device
            groups = [{**group, "lr": torch.tensor(group["lr"], device=device)} for group in groups]
        betas, fused = self.task.recipe.betas, has_fused(self.task.real.device)
        return ChunkedAdam(groups, betas=betas, fused=fused, capturable=capturable)

    def step(self, draws: Draws, iteration: int) -> Tensor:
        """One iteration, see `PlainEngine.step`."""
        if draws.sight is not None:
            self._look_at(draws.sight)
        noises = [self._local(z) for z in draws.noises]
        return self.iterate(replace(draws, noises=noises), self.kind(iteration))

    def iterate(self, draws: Draws, weights: Sequence[float]) -> Tensor:
        """One iteration with the penalty's weight at each step of the discriminator.

        Args:
            draws: as `empty_draws` has them: on this engine's device, in its format and order.
            weights: from `Recipe.penalty_weights`.
        """
        recipe, real = self.task.recipe, self.sight.real
        with self.arithmetic.scope(real.device):
            start = self._frozen_part(draws.noises)
            if self.in_one_batch:
                fake, output = self._generate_both(start, draws.noises)
            else:
                fake, output = self._generate(start, draws.noises), None
            for mixing, weight in zip(draws.mixing.unbind(), weights, strict=True):
                d_losses = self.critic.descend(fake.detach(), mixing, weight)
                self.optimizer_d.step()
            adversarial, gradient = self.critic.judge(fake.detach())
            sliced, gradient = self._with_sliced(fake, gradient, draws.directions)
            self.optimizer_g.zero_grad()
            if output is None:
                seeded(fake, gradient).backward()
                output = self._generate(self.fixed_start, self.fixed)
                compared = self.sight.region.pixels(output, real)
                reconstruction = recipe.alpha * losses.reconstruction(*compared)
                reconstruction.backward()
            else:
                compared = self.sight.region.pixels(output, real)
                reconstruction = recipe.alpha * losses.reconstruction(*compared)
                torch.autograd.backward([seeded(fake, gradient), reconstruction])
            for _ in range(recipe.g_steps):  # several steps on one gradient, see PlainEngine
                self.optimizer_g.step()
        return torch.stack([*d_losses, adversarial, reconstruction.detach(), *sliced])

    def _with_sliced(
        self, fake: Tensor, gradient: Tensor, directions: Tensor | None
    ) -> tuple[list[Tensor], Tensor]:
        """The weighted sliced Wasserstein distance, its gradient added to the critic's."""
        picture = fake.detach().to(self.task.real.dtype).requires_grad_()
        sliced = self.task.sliced(picture, self.sight, directions)
        if not sliced:
            return [], gradient
        (own,) = torch.autograd.grad(sliced, picture)
        return [loss.detach() for loss in sliced], gradient + own.to(gradient.dtype)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.task.real.device

    def kind(self, iteration: int) -> tuple[float, ...]:
        """The penalty's weights: where one is 0, its kernels are left out."""
        return self.task.recipe.penalty_weights(iteration)

    def fill(self, buffers: Draws, draws: Draws) -> None:
        """Copy into `buffers`, which casts to their format and order."""
        for buffer, drawn in zip(buffers.noises, draws.noises, strict=True):
            buffer.copy_(drawn)
        buffers.mixing.copy_(draws.mixing)
        if buffers.directions is not None:
            assert draws.directions is not None
            buffers.directions.copy_(draws.directions)

    def empty_draws(self) -> Draws:
        """Room for what an iteration draws, as `iterate` wants it."""
        mixing = self.task.real.new_empty(self.task.recipe.d_steps)
        directions = empty_directions(self.task.real) if self.task.recipe.sw_weight else None
        self.pairs = [self._pair(z) for z in self.fixed] if self.in_one_batch else []
        rooms = [pair[:1] for pair in self.pairs] or [torch.empty_like(z) for z in self.fixed]
        return Draws(rooms, mixing, directions)

    @torch.no_grad()
    def _frozen_part(self, noises: Sequence[Tensor]) -> Tensor | None:
        """Features after the stages that are no longer trained; None where all are trained."""
        if self.first == 0:
            return None
        with applied(self.arithmetic, self.task.generator, self.operations):
            return self.sight.passes.features(noises[: self.first], self.task.amplitudes)

    def _generate(self, start: Tensor | None, noises: Sequence[Tensor]) -> Tensor:
        """Picture from the features of the frozen part and the noises of the trained stages."""
        passes, amplitudes = self.sight.passes, self.task.amplitudes
        x = self._trained(passes.first_features, noises[0]) if start is None else start
        for stage in range(max(self.first, 1), len(noises)):
            refine = partial(passes.refine, stage, amplitude=amplitudes[stage])
            x = self._trained(refine, x, noises[stage])
        with applied(self.arithmetic, self.task.generator, self.operations):
            return passes.render(x)

    def _generate_both(
        self, start: Tensor | None, noises: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Pictures from the random and the fixed noise, in one batch."""
        if start is not None:
            assert self.fixed_start is not None
            start = torch.cat([start, self.fixed_start])
        both = [
            self._both(stage, z) if stage >= self.first else z for stage, z in enumerate(noises)
        ]
        fake, output = self._generate(start, both).split(1)
        return fake, output

    def _both(self, stage: int, noise: Tensor) -> Tensor:
        """Random and fixed noise of a stage; nothing is copied where they lie side by side."""
        if self.pairs and noise.data_ptr() == self.pairs[stage].data_ptr():
            return self.pairs[stage]
        return torch.cat([noise, self.fixed[stage]])

    def _trained(self, piece: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
        """Run a piece of the generator; with checkpointing what it keeps is its arguments.

        The second computation happens in the midst of the backward pass, when the generator's
        operations are its own again, so the arithmetic is set inside.
        """

        def run(*tensors: Tensor) -> Tensor:
            with applied(self.arithmetic, self.task.generator, self.operations):
                return piece(*tensors)

        if not self.checkpointing:
            return run(*tensors)
        # Nothing in there is random; saving the random state would stall a GPU.
        return checkpoint(  # type: ignore[no-any-return]
            run, *tensors, use_reentrant=False, preserve_rng_state=False
        )
