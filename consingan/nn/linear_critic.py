"""A piecewise linear discriminator's gradients by hand, the penalty's too.

With leaky ReLU and no normalization D is linear around every input, and the penalty needs no
second-order differentiation. With h_l the output of block l (0 = head), m_l the slopes of the
activation there, W_l the convolution without bias, W_l^T its transpose and n the number of scores:

    B_last = m_last W_tail^T (1/n),  B_l = m_l W_{l+1}^T B_{l+1},  g = n W_0^T B_0
    T_0 = n dP/dg,  T_{l+1} = m_l W_l T_l
    dP/dW_l = weight gradient of convolution l for input T_l and output gradient B_l

where B_l = d mean D / d(output of convolution l) gives the ordinary gradients too, g = d sum D / dx
is what the penalty P looks at, and T_l the direction in which P pushes. Biases do not appear in g,
so P's gradient for them is zero. Of the scores only the mean is ever needed, so the last
convolution is never carried out: mean D = <W_tail, windows> / n + b with the sums of the last
features over the n positions of each of the kernel's taps.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from consingan.machine.graphs import constant
from consingan.machine.lanes import Lanes
from consingan.machine.precision import Arithmetic
from consingan.nn import losses
from consingan.nn.blocks import bias_of, grad_of
from consingan.nn.discriminator import Discriminator
from consingan.nn.kernels import (
    conv_backward,
    conv_leaky_relu,
    is_small,
    pixel_sums,
    planes_of,
    ready_for_pixel_sums,
    through_leaky_relu,
    widened,
)


class LinearCritic:
    """Passes through a leaky-ReLU discriminator in a chosen arithmetic, without autograd.

    The method's convolutions have no padding and shrink every map. Here they are padded along the
    width, which CPUs carry out a fifth faster, and the columns of scores that padding has reached
    (`cut` on each side) are left out of the mean: nothing that depends on padding counts.
    """

    def __init__(self, discriminator: Discriminator, real: Tensor, arithmetic: Arithmetic) -> None:
        shape = discriminator.shape
        blocks = [discriminator.head, *discriminator.body]
        self.convs: list[nn.Conv2d] = [*(b.conv for b in blocks), discriminator.tail]
        self.slope = shape.slope
        self.dtype = arithmetic.dtype(real.dtype)
        self.real = real
        reach = shape.margin * (shape.layers + 2)
        wide = shape.padding == 0
        self.padding = (shape.padding, shape.margin if wide else shape.padding)
        self.cut = reach if wide else 0
        self.score_size = (real.shape[-2] - 2 * reach, real.shape[-1] - 2 * reach)
        self.scores = self.score_size[0] * self.score_size[1]
        self.in_one_batch = is_small(real)
        self.colors = shape.image_channels
        self.planes = planes_of(self.colors, real.device, self.dtype)
        self.lanes = Lanes(real.device)
        for parameter in discriminator.parameters():
            parameter.grad = torch.zeros_like(parameter)

    @torch.no_grad()
    def descend(self, fake: Tensor, mixing: Tensor, weight: float) -> list[Tensor]:
        """See `Critic.descend`."""
        self._take_weights()
        torch._foreach_zero_(
            [grad_of(p) for conv in self.convs for p in (conv.weight, bias_of(conv))]
        )
        images = [self.real, fake]
        if weight:
            images.append(losses.interpolate(self.real, fake, mixing))
        signs = [-1, 1]
        if self.in_one_batch:
            scores, penalty = self._accumulate(torch.cat(images), signs, weight)
            return [*scores, penalty]
        d_real, _ = self._accumulate(self.real, signs[:1])
        d_fake, _ = self._accumulate(fake, signs[1:])
        penalty = self._accumulate(images[2], [], weight)[1] if weight else d_real.new_zeros(())
        return [*d_real, *d_fake, penalty]

    @torch.no_grad()
    def judge(self, fake: Tensor) -> tuple[Tensor, Tensor]:
        """See `Critic.judge`."""
        self._take_weights()
        values = self._forward(self._widened(fake))
        gradient = self._input_gradient(self._backward(values))
        (score,) = self._mean_scores(self._windows(values[-1]))
        return -score, -gradient.to(fake.dtype)

    def _local(self, x: Tensor) -> Tensor:
        """`x` in the number format and memory order of the passes."""
        return x.to(dtype=self.dtype, memory_format=torch.channels_last)

    def _widened(self, x: Tensor) -> Tensor:
        """`_local` with the planes that a picture (N, 3, h, w), or the first weight, is given."""
        return widened(x, self.planes, self.dtype)

    def _take_weights(self) -> None:
        """Take up the discriminator's present weights, and W_tail^T (1/n) that B starts with."""
        weights, biases = [], []
        for number, conv in enumerate(self.convs):
            with self.lanes.beside(number):  # small copies, none waits for another
                weight = conv.weight.detach()
                weights.append(self._local(weight) if number else self._widened(weight))
                biases.append(bias_of(conv).detach().to(self.dtype))
        with self.lanes.beside(number):
            seed = self.real.new_full((1, 1, *self.score_size), 1 / self.scores, dtype=self.dtype)
            seed = F.pad(seed, (self.cut, self.cut))
            self.start = F.conv_transpose2d(seed, weights[-1], padding=self.padding)
        self.lanes.join()
        self.weights, self.biases = weights, biases

    def _forward(self, image: Tensor) -> list[Tensor]:
        """Input of every convolution: [image, h_0, ..., h_last]."""
        values = [image]
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            values.append(conv_leaky_relu(values[-1], weight, bias, self.slope, self.padding))
        return values

    def _backward(self, values: Sequence[Tensor], signs: Sequence[int] = ()) -> list[Tensor]:
        """[B_0, ..., B_last]: gradients of the mean score at every convolution's output.

        Those of picture i are multiplied by signs[i]; pictures beyond `signs` keep theirs.
        """
        start = self.start.expand_as(values[-1])
        chain = [torch.ops.aten.leaky_relu_backward(start, values[-1], self.slope, True)]
        for i, sign in enumerate(signs):
            if sign < 0:
                chain[0][i].neg_()
        for weight, value in zip(self.weights[-2:0:-1], values[-2:0:-1], strict=True):
            gradient = F.conv_transpose2d(chain[-1], weight, padding=self.padding)
            chain.append(through_leaky_relu(gradient, value, self.slope))
        return chain[::-1]

    def _input_gradient(self, chain: Sequence[Tensor]) -> Tensor:
        """W_0^T B_0 = d mean D / dx, (N, 3, h, w)."""
        wide = F.conv_transpose2d(chain[0], self.weights[0], padding=self.padding)
        return wide[:, : self.colors]

    def _windows(self, features: Tensor) -> Tensor:
        """Sums over the places of each tap of the last convolution.

        (N, C, h, w) -> (N, C, k, k), in the format of the weights.
        """
        taps = self.weights[-1].shape[-1]
        n, channels, height, width = features.shape
        kind = (taps, features.dtype, features.device)
        down = constant(_tap_places(height, self.score_size[0], self.padding[0], *kind))
        across = constant(_tap_places(width, self.score_size[1], self.padding[1] - self.cut, *kind))
        rows = torch.matmul(across, features.permute(0, 2, 3, 1))  # (N, h, k, C)
        exact = self.real.dtype
        sums = torch.matmul(down.to(exact), rows.to(exact).view(n, height, -1))
        return sums.view(n, taps, taps, channels).permute(0, 3, 1, 2)

    def _mean_scores(self, windows: Tensor) -> Tensor:
        """Mean D of each picture, (N,)."""
        tail = self.convs[-1]
        return (windows * tail.weight).sum((1, 2, 3)) / self.scores + bias_of(tail)

    def _accumulate(
        self, images: Tensor, signs: Sequence[int], weight: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """Add the gradients of sum(sign * mean D(image)) and of the penalty.

        Args:
            images: (N, 3, h, w), one for each sign; with `weight` one more, which is where the
                penalty is taken and whose memory is used up.
            signs: of real and fake pictures.
            weight: of the penalty.

        Returns:
            mean D of the pictures with a sign, (len(signs),), and the penalty.
        """
        judged = len(signs)
        values = self._forward(self._widened(images))
        chain = self._backward(values, signs)
        penalty = self.real.new_zeros(())
        if weight:
            slope = self._input_gradient([b[judged:] for b in chain])
            penalty, push = penalty_and_gradient(slope, weight, self.scores)
            self._push_through([v[judged:] for v in values], push)
        alone = judged == len(images) == 1
        for gradient in chain:
            ready_for_pixel_sums(gradient[:judged])
        for layer, (value, gradient) in enumerate(zip(values, chain, strict=False)):
            with self.lanes.beside(layer if self.in_one_batch else 0):  # a large one fills a GPU
                self._descend_layer(layer, value, gradient, judged, alone)
        windows = self._windows(values[-1])
        # Numbers, not a tensor made of them: a CUDA graph cannot record a copy from the host.
        for window, sign in zip(windows / self.scores, [*signs, 1], strict=False):
            grad_of(self.convs[-1].weight).add_(window, alpha=sign)
        scores = self._mean_scores(windows[:judged])
        self.lanes.join()
        return scores, penalty

    def _descend_layer(
        self, layer: int, value: Tensor, gradient: Tensor, judged: int, alone: bool
    ) -> None:
        """Add the gradients of one convolution's weight and bias from its input and B_l."""
        conv, local = self.convs[layer], self.weights[layer]
        wanted = [False, True, alone]
        _, dw, db = conv_backward(gradient, value, local, self.padding, wanted)
        grad_of(conv.weight).add_(dw[:, : conv.in_channels])
        # Each picture's is summed apart: where the critic is linear, real and fake cancel,
        # and what rounding would leave of that Adam would blow up to whole steps. The last
        # bias shifts all scores alike: its gradient is zero.
        if judged:
            grad_of(bias_of(conv)).add_(db if alone else pixel_sums(gradient[:judged]).sum(0))

    def _push_through(self, values: Sequence[Tensor], push: Tensor) -> None:
        """Put [T_0, ..., T_last] in the place of `values`, whose slopes they pass through."""
        values[0][:, : push.shape[1]].copy_(push)
        for weight, before, after in zip(self.weights[:-1], values[:-1], values[1:], strict=True):
            tangent = F.conv2d(before, weight, padding=self.padding)
            torch.ops.aten.leaky_relu_backward.grad_input(
                tangent, after, self.slope, True, grad_input=after
            )


@lru_cache(maxsize=64)
def _tap_places(
    n: int, outputs: int, padding: int, taps: int, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """(taps, n), one where tap k of a convolution from n to `outputs` values uses value x."""
    output = torch.arange(n) - torch.arange(taps)[:, None] + padding
    return ((output >= 0) & (output < outputs)).to(device, dtype)


def penalty_and_gradient(slope: Tensor, weight: float, n: int) -> tuple[Tensor, Tensor]:
    """P = weight * mean((||g||_2 - 1)^2) and n dP/dg for g = n * slope, (1, 3, h, w)."""
    g = slope.to(torch.promote_types(slope.dtype, torch.float32)) * n
    norm = g.norm(2, dim=1, keepdim=True)
    excess = norm - 1
    penalty = weight * excess.square().mean()
    # Where the gradient vanishes its direction is undefined; 0 as autograd has it.
    direction = g / norm.clamp_min(torch.finfo(g.dtype).tiny)
    return penalty, (2 * weight * n / norm.numel()) * excess * direction
