"""What both networks are built of: blocks, normalization, first weights."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from consingan.nn.architecture import Architecture
from consingan.nn.upsampling import bicubic, bicubic_around

WEIGHT_STD = 0.02
NORM_EPS = 1e-5


def zero_pad(x: Tensor, pixels: int) -> Tensor:
    """Frame (N, C, h, w) with `pixels` zeros on each side."""
    return F.pad(x, (pixels,) * 4) if pixels else x


def zero_pad_ends(x: Tensor, pixels: int, wraps: tuple[bool, bool]) -> Tensor:
    """`zero_pad` on the sides where a map (N, C, h, w) ends: not along the axes that wrap."""
    down, across = (0 if wrapped else pixels for wrapped in wraps)
    return F.pad(x, (across, across, down, down)) if down or across else x


def wrap_pad(x: Tensor, pixels: int, wraps: tuple[bool, bool]) -> Tensor:
    """Frame (N, C, h, w) along the axes that wrap with what lies at the other end."""
    for axis, wrapped in zip((2, 3), wraps, strict=True):
        x = _wrap(x, pixels, axis) if wrapped and pixels else x
    return x


def _wrap(x: Tensor, pixels: int, axis: int) -> Tensor:
    size = x.shape[axis]
    if pixels > size:  # goes around more than once
        around = torch.arange(-pixels, size + pixels, device=x.device) % size
        return x.index_select(axis, around)
    last, first = x.narrow(axis, size - pixels, pixels), x.narrow(axis, 0, pixels)
    return torch.cat([last, x, first], axis)


class BareConv2d(nn.Conv2d):
    """A convolution whose first weights are what was in memory: they are drawn or loaded next.

    torch's `skip_init` does the same by way of its meta device, which imports an algebra system.
    """

    def reset_parameters(self) -> None:
        """Nothing, and no random numbers are used up."""


class SampleNorm(nn.Module):
    """Normalization with the statistics of each sample alone, scaled and shifted per channel.

    The authors normalize with batch statistics and train with a batch of one, in evaluation too;
    this is the same for one picture and does not change when several go together.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.statistics: tuple[Tensor, Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Normalize (N, C, h, w) over h and w, or by known `statistics`: of a map, of which x is
        a part, the mean and the variance of each channel.
        """  # noqa: D205 - one sentence
        if self.statistics is not None:
            mean, variance = (known.to(x) for known in self.statistics)
            weight, bias = self.weight.to(x), self.bias.to(x)
            return F.batch_norm(x, mean, variance, weight, bias, eps=NORM_EPS)
        # Batch statistics of single samples: unlike instance_norm this keeps channels-last memory.
        normalized = [
            F.batch_norm(sample, None, None, self.weight, self.bias, training=True, eps=NORM_EPS)
            for sample in x.split(1)
        ]
        return torch.cat(normalized) if len(x) > 1 else normalized[0]


class Block(nn.Module):
    """Convolution -> [normalization] -> activation."""

    def __init__(self, inputs: int, shape: Architecture) -> None:
        super().__init__()
        self.conv = _conv(inputs, shape.channels, shape)
        self.norm = SampleNorm(shape.channels) if shape.norm else None
        self.prelu = nn.PReLU() if shape.activation == "prelu" else None
        self._activate = _activation(shape)
        self.only_leaky = shape.activation == "lrelu" and not shape.norm
        self.slope = shape.slope

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) -> (N, C, h - 2 margin, w - 2 margin)."""
        x = self.conv(x)
        if self.norm is not None:
            x = self.norm(x)
        return self.prelu(x) if self.prelu is not None else self._activate(x)


def _activation(shape: Architecture) -> Callable[[Tensor], Tensor]:
    """By their names, so that a model can be pickled."""
    table: dict[str, Callable[[Tensor], Tensor]] = {
        "lrelu": functools.partial(F.leaky_relu, negative_slope=shape.slope),
        "elu": F.elu,
        "selu": F.selu,
        "prelu": _unchanged,  # a module of its own, because it has a parameter
    }
    return table[shape.activation]


def _unchanged(x: Tensor) -> Tensor:
    return x


def _conv(inputs: int, outputs: int, shape: Architecture) -> nn.Conv2d:
    return BareConv2d(inputs, outputs, kernel_size=shape.kernel, padding=shape.padding)


def published_spread(name: str, conv: nn.Conv2d) -> float:  # noqa: ARG001
    """0.02 everywhere."""
    return WEIGHT_STD


def he_spread(name: str, conv: nn.Conv2d) -> float:
    """sqrt(2 / fan-in) (He et al. 2015, eq. 10), half of it in the tail, whose output is judged."""
    spread = math.sqrt(2 / conv.weight[0].numel())
    return spread / 2 if name == "tail" else spread


SPREADS: dict[str, Callable[[str, nn.Conv2d], float]] = {
    "published": published_spread,
    "he": he_spread,
}
"""Standard deviation of a convolution's first weights, by the name of the way (`INITS`)."""


def initialize(network: nn.Module, rng: torch.Generator, init: str = "published") -> None:
    """Draw a network's first weights from `rng` (a CPU generator).

    Convolutions N(0, std) with std by `SPREADS`, normalization weights N(1, 0.02) and biases 0; the
    biases of convolutions are uniform in +-1/sqrt(fan-in), PyTorch's default.
    """
    spread = SPREADS[init]
    with torch.no_grad():
        for name, module in network.named_modules():
            if isinstance(module, nn.Conv2d):
                module.weight.normal_(0, spread(name, module), generator=rng)
                assert module.bias is not None
                bound = 1 / math.sqrt(module.weight[0].numel())
                module.bias.uniform_(-bound, bound, generator=rng)
            elif isinstance(module, SampleNorm):
                module.weight.normal_(1, WEIGHT_STD, generator=rng)
                module.bias.zero_()


class Operations:
    """How a generator's pieces are computed: plainly. Engines put faster ones in (kernels.py)."""

    def upsample(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """Up(x, size), (N, C, h, w) -> (N, C, *size)."""
        return bicubic(x, size)

    def upsample_onto(self, noise: Tensor, x: Tensor, amplitude: float) -> Tensor:
        """Up(x, size) + amplitude * noise with the size of `noise`, (N, C, *size)."""
        wide = self.upsample(x, (noise.shape[-2], noise.shape[-1]))
        return torch.add(wide, noise, alpha=amplitude)

    def upsample_around(self, x: Tensor, size: tuple[int, int], wraps: tuple[bool, bool]) -> Tensor:
        """The same of a map whose ends meet, see `upsampling.bicubic_around`."""
        return bicubic_around(x, size, wraps)

    def block(self, block: Block, x: Tensor) -> Tensor:
        """Pass (N, c, h, w) through `block`."""
        return block(x)  # type: ignore[no-any-return]

    def stage(self, blocks: Sequence[Block], x: Tensor) -> Tensor:
        """Pass (N, c, h, w) through `blocks`, one after the other."""
        for block in blocks:
            x = self.block(block, x)
        return x

    def convolve(self, block: Block, x: Tensor) -> Tensor:
        """The convolution of `block` alone."""
        return block.conv(x)  # type: ignore[no-any-return]

    def render(self, tail: nn.Conv2d, x: Tensor) -> Tensor:
        """Padded features (N, C, h + 2, w + 2) -> picture (N, 3, h, w) in [-1, 1]."""
        return torch.tanh(tail(x))


def bias_of(conv: nn.Conv2d) -> Tensor:
    """The bias that all convolutions here have."""
    assert conv.bias is not None
    return conv.bias


def grad_of(parameter: Tensor) -> Tensor:
    """Its gradient, which is there."""
    assert parameter.grad is not None
    return parameter.grad
