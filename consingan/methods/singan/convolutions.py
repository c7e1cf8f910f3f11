"""One convolution of a pass by hand: forward, and the gradients for its input and its weight."""

from __future__ import annotations

from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.methods.singan import winograd
from consingan.nn.kernels import conv_backward

NO_PADDING = (0, 0)
WIDE = 64  # channels from which a CPU gains by Winograd's way (measured: 64 to 128 do)
WIDE_ALONE = 96  # the same where the input's gradient alone is wanted (128 do, 64 do not)

Kept = Any  # what `forward` keeps of its input for `weight_gradient`


class Convolution(Protocol):
    """A convolution without padding with its weight of now."""

    def forward(self, x: Tensor, bias: Tensor | None = None) -> tuple[Tensor, Kept]:
        """Output for `x`, (1, inputs, h, w), and what the weight's gradient needs of it."""
        ...

    def input_gradient(self, gradient: Tensor) -> Tensor:
        """Gradient for the input, of one at the output."""
        ...

    def weight_gradient(self, gradient: Tensor, kept: Kept) -> Tensor:
        """Gradient for the weight."""
        ...

    def gradients(self, gradient: Tensor, kept: Kept) -> tuple[Tensor, Tensor]:
        """Both, input's first."""
        ...


def convolution(weight: Tensor, dtype: torch.dtype) -> Convolution:
    """The faster way for a `weight` (outputs, inputs, k, k) in the number format `dtype`."""
    own = weight.detach().to(dtype=dtype, memory_format=torch.channels_last)
    outputs, inputs, *kernel = weight.shape
    exact = dtype in (torch.float32, torch.float64)
    if weight.device.type == "cpu" and exact and kernel == [3, 3] and min(outputs, inputs) >= WIDE:
        return WinogradConvolution(own)
    return DirectConvolution(own)


class DirectConvolution:
    """As the libraries carry it out."""

    def __init__(self, weight: Tensor) -> None:
        self.weight = weight

    def forward(self, x: Tensor, bias: Tensor | None = None) -> tuple[Tensor, Kept]:
        """See `Convolution.forward`; the input itself is kept."""
        return F.conv2d(x, self.weight, bias), x

    def input_gradient(self, gradient: Tensor) -> Tensor:
        """See `Convolution.input_gradient`."""
        return F.conv_transpose2d(gradient, self.weight)

    def weight_gradient(self, gradient: Tensor, kept: Kept) -> Tensor:
        """See `Convolution.weight_gradient`."""
        wanted = [False, True, False]
        return conv_backward(gradient, kept, self.weight, NO_PADDING, wanted)[1]

    def gradients(self, gradient: Tensor, kept: Kept) -> tuple[Tensor, Tensor]:
        """See `Convolution.gradients`."""
        return self.input_gradient(gradient), self.weight_gradient(gradient, kept)


class WinogradConvolution(DirectConvolution):
    """With fewer multiplications."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__(weight)
        self.u = winograd.transformed_weight(weight)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> tuple[Tensor, Kept]:
        """See `Convolution.forward`; the transformed tiles are kept."""
        return winograd.convolve(x, self.u, bias)

    def input_gradient(self, gradient: Tensor) -> Tensor:
        """See `Convolution.input_gradient`."""
        if min(self.weight.shape[:2]) < WIDE_ALONE:
            return super().input_gradient(gradient)
        found = winograd.gradients(gradient, None, self.u)[0]
        assert found is not None
        return found

    def weight_gradient(self, gradient: Tensor, kept: Kept) -> Tensor:
        """See `Convolution.weight_gradient`."""
        found = winograd.gradients(gradient, kept, None)[1]
        assert found is not None
        return found

    def gradients(self, gradient: Tensor, kept: Kept) -> tuple[Tensor, Tensor]:
        """See `Convolution.gradients`."""
        for_input, for_weight = winograd.gradients(gradient, kept, self.u)
        assert for_input is not None
        assert for_weight is not None
        return for_input, for_weight
