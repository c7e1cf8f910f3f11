"""The same training rule with less work: gradients by hand, nothing computed twice.

What is saved, and why nothing changes:
- The discriminator does not change during the generator's steps and they share one fake, so
  -mean D(fake) and its gradient for the fake are computed once for all of them.
- The stored forward pass of the fake is kept by hand and sent back with the weights of now, which
  needs no trick against a version check.
- At scale 0 the discriminator's steps have the same fake: one pass, whose running statistics move
  as often as theirs would.
- The penalty's second order is written out for batch normalization (passes.py): each map is read
  a few times instead of some twenty.
- Of the discriminator's scores only the mean is needed, so its last convolution is not carried out.
- Channels-last memory and, if asked for, bfloat16 arithmetic with float32 weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.machine.memory import keep_freed_memory
from consingan.machine.precision import Arithmetic
from consingan.methods.singan import passes
from consingan.methods.singan.engine import ADAM_BETA2, Draws, Losses, ScaleTask
from consingan.methods.singan.networks import (
    Block,
    Discriminator,
    Generator,
    Network,
    cut_to,
    learned,
)
from consingan.methods.singan.passes import Gradients, Local, Trace, local
from consingan.nn import losses
from consingan.nn.blocks import NORM_EPS, bias_of, grad_of
from consingan.nn.linear_critic import penalty_and_gradient
from consingan.nn.optimizers import Adam, has_fused


class FastEngine:
    """Executes `PlainEngine`'s iteration in fewer operations.

    Args:
        task: what is trained.
        arithmetic: of the passes; weights, sums of their gradients and the optimizers stay in the
            format of the weights.
    """

    def __init__(self, task: ScaleTask, arithmetic: Arithmetic | None = None) -> None:
        if task.real.device.type == "cpu":
            keep_freed_memory()
        self.task = task
        self.arithmetic = (arithmetic or Arithmetic()).lasting(task.real.device)
        dtype = self.arithmetic.dtype(task.real.dtype)
        self.generator = FastGenerator(task.generator, dtype)
        self.critic = FastCritic(task.discriminator, task.real, task.recipe.lambda_grad, dtype)
        self.coarsest = not bool(task.reconstructed.any())
        recipe = task.recipe
        self.optimizer_g = _adam(task.generator, recipe.lr_g, recipe.beta1)
        self.optimizer_d = _adam(task.discriminator, recipe.lr_d, recipe.beta1)

    def step(self, draws: Draws) -> Losses:
        """One iteration, see `PlainEngine.step`."""
        with torch.no_grad(), self.arithmetic.scope(self.task.real.device):
            critic, fake = [], None
            alike = self.coarsest and not bool(draws.previous.any())
            for previous, mixing in zip(draws.previous.split(1), draws.mixing, strict=True):
                if fake is None or not alike:
                    fake = self._fake(draws.noise, previous)
                else:
                    self.generator.count_again(fake)
                critic.append(self.critic.descend(fake.picture, mixing))
                self.optimizer_d.step()
            assert fake is not None
            return Losses(torch.stack(critic), self._step_generator(draws, fake))

    def reconstruct(self, fixed: Tensor) -> Tensor:
        """See `Engine.reconstruct`."""
        with torch.no_grad(), self.arithmetic.scope(self.task.real.device):
            return self._fake(fixed, self.task.reconstructed).picture

    def take_up(self) -> None:
        """See `Engine.take_up`."""
        self.generator.take()

    def _fake(self, noise: Tensor, previous: Tensor) -> Made:
        return self.generator(torch.add(previous, noise, alpha=self.task.amplitude), previous)

    def _step_generator(self, draws: Draws, fake: Made) -> Tensor:
        recipe, found = self.task.recipe, []
        adversarial, gradient = self.critic.judge(fake.picture)
        for step in range(recipe.g_steps):
            if step and recipe.recompute_fake:
                fake = self._fake(draws.noise, draws.previous[-1:])
                adversarial, gradient = self.critic.judge(fake.picture)
            self.generator.clear()
            self.generator.accumulate(fake, gradient)
            reconstruction = torch.zeros_like(adversarial)
            if recipe.alpha:
                reconstruction = self._reconstruct(draws.fixed)
            self.optimizer_g.step()
            self.generator.take()
            found.append(torch.stack([adversarial, reconstruction]))
        return torch.stack(found)

    def _reconstruct(self, fixed: Tensor) -> Tensor:
        """The weighted reconstruction loss, whose gradients are added."""
        task, alpha = self.task, self.task.recipe.alpha
        made = self._fake(fixed, task.reconstructed)
        difference = made.picture - task.real
        self.generator.accumulate(made, difference * (2 * alpha / difference.numel()))
        return alpha * losses.reconstruction(made.picture, task.real)


def _adam(network: Network, lr: float, beta1: float) -> Adam:
    weights = list(learned(network).values())
    for weight in weights:
        weight.grad = torch.zeros_like(weight)
    return Adam(weights, lr=lr, betas=(beta1, ADAM_BETA2), fused=has_fused(weights[0].device))


@dataclass(frozen=True)
class Made:
    """A picture (1, 3, h, w) and the pass that made it; `detail` is what the tanh gave."""

    picture: Tensor
    traces: list[Trace]
    detail: Tensor


class FastGenerator:
    """Passes through a generator in training mode; its weights are taken up by `take`."""

    def __init__(self, generator: Generator, dtype: torch.dtype) -> None:
        self.generator, self.dtype = generator, dtype
        self.blocks = generator.blocks
        self.take()

    def take(self) -> None:
        """Take up the present weights."""
        self.weights = Local.of(self.generator, self.dtype)

    def clear(self) -> None:
        """Set the gradients of what is learned to zero."""
        for weight in learned(self.generator).values():
            grad_of(weight).zero_()

    def __call__(self, x: Tensor, y: Tensor) -> Made:
        """G(x, y); the picture is made in the weights' own format."""
        traces = passes.forward(self.blocks, self.weights, local(x, self.dtype))
        tail = self.generator.last
        detail = torch.tanh(F.conv2d(traces[-1].h.to(tail.weight.dtype), tail.weight, tail.bias))
        return Made(detail + cut_to(y, detail), traces, detail)

    def count_again(self, made: Made) -> None:
        """Move the running statistics as another pass like the one that made `made` would."""
        for block, trace in zip(self.blocks, made.traces, strict=True):
            pixels = trace.c.shape[-2] * trace.c.shape[-1]
            variance = (trace.inverse**-2 - NORM_EPS) * (pixels / max(pixels - 1, 1))
            statistics = block.norm.running_mean, block.norm.running_var
            for running, seen in zip(statistics, (trace.mean, variance), strict=True):
                assert running is not None
                running.lerp_(seen, passes.MOMENTUM)

    def accumulate(self, made: Made, gradient: Tensor) -> None:
        """Add the gradients for `gradient` (1, 3, h, w) at the picture, with the weights of now."""
        exact = gradient * (1 - made.detail.square())
        at_tail = local(exact, self.dtype)
        tail, conv = self.generator.last, self.weights.convs[-1]
        below, weight = conv.gradients(at_tail, made.traces[-1].h)
        grad_of(tail.weight).add_(weight)
        grad_of(bias_of(tail)).add_(exact.sum((0, 2, 3)))
        _add(self.blocks, passes.backward(made.traces, self.weights, below))


class FastCritic:
    """The discriminator's part of an iteration: its gradients, and the one of the generator."""

    def __init__(
        self, discriminator: Discriminator, real: Tensor, penalty: float, dtype: torch.dtype
    ) -> None:
        self.discriminator, self.real, self.penalty, self.dtype = (
            discriminator, real, penalty, dtype,
        )  # fmt: skip
        self.blocks = discriminator.blocks
        margin = discriminator.architecture.frame
        self.size = (real.shape[-2] - 2 * margin, real.shape[-1] - 2 * margin)
        self.scores = self.size[0] * self.size[1]

    def descend(self, fake: Tensor, mixing: Tensor) -> Tensor:
        """Set the gradients of the discriminator's loss; its three parts, see `Losses.critic`."""
        self._take()
        for weight in learned(self.discriminator).values():
            grad_of(weight).zero_()
        d_real = self._accumulate(self.real, -1)
        d_fake = self._accumulate(fake, 1)
        mixed = losses.interpolate(self.real, fake, mixing)
        penalty = self._accumulate_penalty(mixed) if self.penalty else torch.zeros_like(d_real)
        return torch.stack([d_real, d_fake, penalty])

    def judge(self, fake: Tensor) -> tuple[Tensor, Tensor]:
        """-mean D(fake) and its gradient for `fake`."""
        self._take()
        traces = self._forward(fake)
        gradient, _ = passes.backward_to_input(traces, self.weights, self._start())
        return -self._mean_score(self._windows(traces[-1].h)), -gradient.to(fake.dtype)

    def _take(self) -> None:
        """Take up the present weights."""
        self.weights = Local.of(self.discriminator, self.dtype)

    def _start(self) -> Tensor:
        """Gradient of the mean score at the last block's output, in memory of its own.

        The last convolution's weights, added up as far as the picture reaches: away from the
        border all alike.
        """
        kernel = self.discriminator.architecture.kernel
        weight = self.discriminator.last.weight.detach()
        small = [min(n, kernel) for n in self.size]
        corner = F.conv_transpose2d(weight.new_full((1, 1, *small), 1 / self.scores), weight)
        down, across = (
            torch.arange(n + kernel - 1, device=weight.device).clamp(max=kernel - 1)
            + (torch.arange(n + kernel - 1, device=weight.device) - n + 1).clamp(min=0)
            if n > kernel
            else torch.arange(n + kernel - 1, device=weight.device)
            for n in self.size
        )
        pixels = corner[0].permute(1, 2, 0).to(self.dtype)
        return pixels[down][:, across][None].permute(0, 3, 1, 2)

    def _forward(self, image: Tensor) -> list[Trace]:
        return passes.forward(self.blocks, self.weights, local(image, self.dtype))

    def _accumulate(self, image: Tensor, sign: int) -> Tensor:
        """Add the gradients of sign * mean D(image); mean D(image)."""
        traces = self._forward(image)
        _add(self.blocks, passes.backward(traces, self.weights, self._start().mul_(sign)))
        windows = self._windows(traces[-1].h)
        grad_of(self.discriminator.last.weight)[0].add_(windows, alpha=sign / self.scores)
        return self._mean_score(windows)

    def _accumulate_penalty(self, image: Tensor) -> Tensor:
        """Add the gradients of the weighted penalty at `image`; the penalty."""
        traces = self._forward(image)
        slope, slopes = passes.backward_to_input(traces, self.weights, self._start())
        penalty, v = penalty_and_gradient(slope, self.penalty, self.scores)
        pushes, last = passes.tangent(traces, self.weights, local(v, self.dtype))
        _add(self.blocks, passes.second_order(traces, self.weights, slopes, pushes))
        grad_of(self.discriminator.last.weight)[0].add_(self._windows(last), alpha=1 / self.scores)
        return penalty

    def _windows(self, features: Tensor) -> Tensor:
        """Sums over the places of each tap of the last convolution, (1, C, h, w) -> (C, k, k)."""
        kernel = self.discriminator.architecture.kernel
        pixels = features[0].permute(1, 2, 0).to(self.real.dtype)  # (h, w, C)
        down = _window_sums(pixels.flatten(1), kernel).view(kernel, -1, pixels.shape[2])
        return torch.stack([_window_sums(row, kernel) for row in down]).permute(2, 0, 1)

    def _mean_score(self, windows: Tensor) -> Tensor:
        tail = self.discriminator.last
        return (windows * tail.weight[0]).sum() / self.scores + bias_of(tail)[0]


def _window_sums(rows: Tensor, kernel: int) -> Tensor:
    """Sums of `rows` (n, m) but for the last k - 1, without the first and one of the last, ...

    Computed as the sum of all less the few that are left out, so that memory is read once.
    """
    total = rows.new_ones(1, len(rows)) @ rows
    ends = [
        torch.cat([rows[:first], rows[len(rows) - kernel + 1 + first :]]).sum(0)
        for first in range(kernel)
    ]
    return total - torch.stack(ends)


def _add(blocks: Sequence[Block], found: Sequence[Gradients]) -> None:
    """Add to the gradients of the blocks' parameters."""
    for block, gradients in zip(blocks, found, strict=True):
        grad_of(block.conv.weight).add_(gradients.weight)
        grad_of(block.norm.weight).add_(gradients.gain)
        grad_of(block.norm.bias).add_(gradients.bias)
