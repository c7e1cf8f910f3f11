"""`LinearCritic` in these kernels: three pictures at a time, side by side what can be.

The derivation and its letters are those of linear_critic.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from consingan.machine.lanes import LANES, Lanes
from consingan.machine.precision import Arithmetic
from consingan.nn.blocks import bias_of, grad_of
from consingan.nn.discriminator import Discriminator
from consingan.nn.fused.convolutions import begin_backward, convolve, penalized, to_colors
from consingan.nn.fused.maps import packed, packed_transposed, reached
from consingan.nn.fused.pictures import three_pictures
from consingan.nn.fused.sums import Parts, colors_gradient, tap_sums, weight_gradient

ASIDE = LANES - 1  # the lane of what is not a layer's own


class FusedCritic:
    """Passes through a leaky-ReLU discriminator of 3x3 convolutions; see `choice.usable`."""

    def __init__(self, discriminator: Discriminator, real: Tensor, arithmetic: Arithmetic) -> None:
        shape = discriminator.shape
        blocks = [discriminator.head, *discriminator.body]
        self.convs: list[nn.Conv2d] = [*(b.conv for b in blocks), discriminator.tail]
        self.slope, self.padding = shape.slope, (shape.padding, shape.padding)
        self.dtype, self.real = arithmetic.dtype(real.dtype), real
        self.score_size = (real.shape[-2], real.shape[-1])
        for _ in self.convs:
            self.score_size = reached(self.score_size, self.padding)
        self.scores = self.score_size[0] * self.score_size[1]
        self.lanes = Lanes(real.device)
        self.tail_numbers = (self.score_size, self.padding)
        self.nothing = real.new_zeros(())
        self.even = real.new_full((1, 1, *self.score_size), 1 / self.scores, dtype=self.dtype)
        for parameter in discriminator.parameters():
            parameter.grad = torch.zeros_like(parameter)

    @torch.no_grad()
    def descend(self, fake: Tensor, mixing: Tensor, weight: float) -> list[Tensor]:
        """See `Critic.descend`."""
        with self.lanes.beside(ASIDE):
            images = three_pictures(self.real, fake, mixing if weight else None, self.dtype)
        values = self._forward(images)
        judged = 2  # the real picture and the fake one; a third is where the penalty is taken
        with self.lanes.beside(ASIDE):
            scores = self._mean_scores(tap_sums(values[-1][:judged], *self.tail_numbers))
        chain, sums = self._backward(values, negative=0)
        for layer, (conv, parts) in enumerate(zip(self.convs, sums, strict=False)):
            # Each picture's is summed apart: where the critic is linear, real and fake cancel,
            # and what rounding would leave of that Adam would blow up to whole steps. The last
            # bias shifts all scores alike: its gradient is zero.
            with self.lanes.beside(layer % ASIDE):
                parts.into(grad_of(bias_of(conv)), pictures=judged)
        penalty = self.nothing
        kept: list[object] = []
        if weight:
            slopes = [b[judged:] for b in chain]
            penalty, sums_of_it = self._push_through([v[judged:] for v in values], slopes, weight)
            kept.append(sums_of_it)
        for layer, conv in enumerate(self.convs[:-1]):
            with self.lanes.beside(layer % ASIDE):
                kept.append(self._descend_layer(conv, values[layer], chain[layer]))
        with self.lanes.beside(ASIDE):
            # The real picture's with a minus, and in all but the last layer B_l has its sign.
            windows = tap_sums(values[-1], *self.tail_numbers)
            windows.into(grad_of(self.convs[-1].weight), factor=1 / self.scores, negative=0)
        self.lanes.join()
        return [*scores.unbind(), penalty]

    @torch.no_grad()
    def judge(self, fake: Tensor) -> tuple[Tensor, Tensor]:
        """See `Critic.judge`."""
        with self.lanes.beside(ASIDE):
            image = fake.to(self.dtype, memory_format=torch.channels_last)
        values = self._forward(image)
        with self.lanes.beside(ASIDE):
            score = -self._mean_scores(tap_sums(values[-1], *self.tail_numbers))[0]
        chain, _ = self._backward(values)
        gradient = to_colors(
            chain[0], self.weights[0], self.padding, factor=-1.0, step=-1, dtype=fake.dtype
        )
        self.lanes.join()
        return score, gradient

    def _take_weights(self) -> None:
        """Take up the discriminator's present weights, and W_tail^T (1/n) that B starts with."""
        self.weights = []
        for number, conv in enumerate(self.convs[:-1]):
            with self.lanes.beside(number % ASIDE):
                self.weights.append(packed(conv.weight.detach(), self.dtype))
        with self.lanes.beside(number % ASIDE):
            tail = packed_transposed(self.convs[-1].weight.detach(), self.dtype)
            self.start, _ = convolve(self.even, tail, self.padding, step=-1)
        self.lanes.join()

    def _forward(self, images: Tensor) -> list[Tensor]:
        """Input of every convolution: [images, h_0, ..., h_last], with the present weights."""
        self._take_weights()
        values = [images]
        for weight, conv in zip(self.weights, self.convs, strict=False):
            bias = bias_of(conv).detach()
            values.append(
                convolve(values[-1], weight, self.padding, bias=bias, slope=self.slope)[0]
            )
        return values

    def _backward(
        self, values: Sequence[Tensor], negative: int = -1
    ) -> tuple[list[Tensor], list[Parts]]:
        """[B_0, ..., B_last], of picture `negative` with the other sign, and sums over pixels."""
        made = [begin_backward(self.start, values[-1], self.slope, negative)]
        for weight, value in zip(self.weights[:0:-1], values[-2:0:-1], strict=True):
            gradient, sums = convolve(
                made[-1][0], weight, self.padding, values=value, slope=self.slope, step=-1,
                sums=True,
            )  # fmt: skip
            assert sums is not None
            made.append((gradient, sums))
        return [b for b, _ in made[::-1]], [sums for _, sums in made[::-1]]

    def _push_through(
        self, values: Sequence[Tensor], chain: Sequence[Tensor], weight: float
    ) -> tuple[Tensor, Tensor]:
        """The penalty, and sums to be kept until the lanes have joined.

        [T_0, ..., T_last] take the place of `values`, whose slopes they pass.
        """
        pixels = values[0].shape[-2] * values[0].shape[-1]
        factor = 2 * weight * self.scores / pixels
        push = values[0]
        sums = penalized(chain[0], self.weights[0], self.padding, push, self.scores, factor)
        with self.lanes.beside(ASIDE):
            penalty = sums.sum() * (weight / pixels)
        for local, before, after in zip(self.weights, values[:-1], values[1:], strict=True):
            convolve(before, local, self.padding, values=after, slope=self.slope, out=after)
        return penalty, sums

    def _descend_layer(self, conv: nn.Conv2d, value: Tensor, gradient: Tensor) -> object:
        """Set the gradient of a convolution's weight from its input and B_l; what is to be kept."""
        if value.shape[1] != gradient.shape[1]:
            parts = colors_gradient(value, gradient, self.padding)
            parts.into(grad_of(conv.weight))
            return parts
        return weight_gradient(value, gradient, self.padding, grad_of(conv.weight))

    def _mean_scores(self, windows: Parts) -> Tensor:
        """Mean D of each picture, (N,)."""
        tail = self.convs[-1]
        sums = torch.empty((len(windows.parts), *tail.weight.shape[1:]), device=self.real.device)
        for own, picture in zip(sums, windows.parts.split(1), strict=True):
            Parts(picture, 1).into(own)
        return bias_of(tail) + torch.mv(sums.flatten(1), tail.weight.flatten()) / self.scores
