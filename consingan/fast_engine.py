"""The same training rule with less work: one fake per iteration, gradients by hand, fewer copies.

What is saved, and why nothing changes:
- G does not change during the discriminator's steps, so one fake serves them all and is then
  back-propagated in the generator's step.
- Stages that are no longer trained give the same features for the fixed noise in every iteration;
  they are computed once.
- The penalty's gradient needs no second-order graph where D is piecewise linear (critic.py).
- Up-sampling is a linear map along each axis, done as two matrix products (kernels.py).
- Channels-last memory and, if asked for, bfloat16 arithmetic with float32 weights.
"""

from __future__ import annotations

import torch
from torch import Tensor

from consingan import losses
from consingan.critic import make_critic
from consingan.engine import StageTask
from consingan.memory import keep_freed_memory
from consingan.noise import Draws
from consingan.precision import Arithmetic


class FastEngine:
    """Executes `PlainEngine`'s iteration in fewer operations.

    Args:
        task: what is trained.
        arithmetic: of convolutions and up-sampling; the weights, the sums of their gradients and
            the optimizers stay in the format of the weights.
        checkpointing: compute the trained stages' activations again in the backward pass instead
            of keeping them.
    """

    def __init__(
        self,
        task: StageTask,
        arithmetic: Arithmetic | None = None,
        checkpointing: bool = False,
    ) -> None:
        task.freeze()
        if task.real.device.type == "cpu":
            keep_freed_memory()
        self.task = task
        self.arithmetic = arithmetic or Arithmetic()
        self.checkpointing = checkpointing
        self.dtype = self.arithmetic.dtype(task.real.dtype)
        recipe = task.recipe
        # Parameters stay contiguous: with another order of memory than its moments' (those of a
        # resumed run, say) the fused Adam mixes up elements without a word.
        betas = (recipe.beta1, 0.999)
        self.optimizer_g = torch.optim.Adam(task.generator_groups(), betas=betas, fused=True)
        self.optimizer_d = torch.optim.Adam(
            task.discriminator.parameters(), lr=recipe.lr_d, betas=betas, fused=True
        )
        self.critic = make_critic(task.discriminator, task.real, self.arithmetic)
        self.first = task.generator.first_trained(recipe.train_depth)
        self.fixed = [self._local(z) for z in task.fixed_noises]
        self.fixed_start = self._frozen_part(self.fixed)

    def _local(self, x: Tensor) -> Tensor:
        """`x` on this engine's device, in its number format and memory order."""
        return x.to(self.task.real.device, self.dtype, memory_format=torch.channels_last)

    def step(self, draws: Draws, iteration: int) -> Tensor:
        """One iteration, see `PlainEngine.step`."""
        recipe, real = self.task.recipe, self.task.real
        with self.arithmetic.scope(real.device):
            noises = [self._local(z) for z in draws.noises]
            fake = self._generate(self._frozen_part(noises), noises)
            for step, mixing in enumerate(draws.mixing):
                weight = recipe.penalty_weight(iteration, step)
                d_losses = self.critic.descend(fake.detach(), mixing, weight)
                self.optimizer_d.step()
            adversarial, gradient = self.critic.judge(fake.detach())
            self.optimizer_g.zero_grad()
            fake.backward(gradient)
            output = self._generate(self.fixed_start, self.fixed)
            reconstruction = recipe.alpha * losses.reconstruction(output, real)
            reconstruction.backward()
            for _ in range(recipe.g_steps):  # several steps on one gradient, see PlainEngine
                self.optimizer_g.step()
        return torch.stack([*d_losses, adversarial, reconstruction.detach()])

    @torch.no_grad()
    def _frozen_part(self, noises: list[Tensor]) -> Tensor | None:
        """Features after the stages that are no longer trained; None where all are trained."""
        if self.first == 0:
            return None
        with self.arithmetic.applied(self.task.generator):
            return self.task.generator.features(noises[: self.first], self.task.amplitudes)

    def _generate(self, start: Tensor | None, noises: list[Tensor]) -> Tensor:
        """Picture from the features of the frozen part and the noises of the trained stages."""
        generator, amplitudes = self.task.generator, self.task.amplitudes
        with self.arithmetic.applied(generator):
            if start is None:
                return generator(noises, amplitudes)  # type: ignore[no-any-return]
            x = start
            for stage in range(self.first, len(noises)):
                x = generator.refine(stage, x, noises[stage], amplitudes[stage])
            return generator.render(x)
