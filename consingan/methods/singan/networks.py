"""Generator and discriminator of one scale (paper, section 3 and figure 4).

Names of parameters are the authors': `head.conv.weight`, `head.norm.running_mean`,
`body.block1.conv.weight`, `tail.0.weight` (generator), `tail.weight` (discriminator).
"""

from __future__ import annotations

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from consingan.methods.singan.architecture import Architecture
from consingan.nn.blocks import WEIGHT_STD, BareConv2d, wrap_pad, zero_pad_ends
from consingan.settings.tiles import ENDS, Wraps

SLOPE = 0.2  # of leaky ReLU


class Block(nn.Module):
    """Convolution without padding, batch normalization, leaky ReLU.

    `running`: keep the running statistics that evaluation mode normalizes with.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, running: bool) -> None:
        super().__init__()
        self.conv = BareConv2d(inputs, outputs, kernel)
        self.norm = nn.BatchNorm2d(outputs, track_running_stats=running)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) -> (N, outputs, h - kernel + 1, w - kernel + 1)."""
        return F.leaky_relu(self.norm(self.conv(x)), SLOPE)


class Network(nn.Module):
    """What generator and discriminator have in common: head and body."""

    def __init__(self, architecture: Architecture, running: bool) -> None:
        super().__init__()
        self.architecture = architecture
        kernel = architecture.kernel
        self.head = Block(architecture.image_channels, architecture.channels, kernel, running)
        pairs = architecture.blocks
        self.body = nn.Sequential(
            OrderedDict(
                (f"block{k}", Block(*pair, kernel, running)) for k, pair in enumerate(pairs, 1)
            )
        )
        self.narrowest = pairs[-1][1] if pairs else architecture.channels

    @property
    def blocks(self) -> list[Block]:
        """Head and body, in order."""
        return [self.head, *self.body]

    @property
    def last(self) -> nn.Conv2d:
        """The convolution after them."""
        raise NotImplementedError

    def _tail(self, outputs: int) -> nn.Conv2d:
        return BareConv2d(self.narrowest, outputs, self.architecture.kernel)


class Discriminator(Network):
    """Patch critic: (1, 3, h, w) in [-1, 1] -> scores (1, 1, h - 10, w - 10), unbounded.

    It always normalizes with the picture's own statistics, and keeps no running ones.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture, running=False)
        self.tail = self._tail(1)

    @property
    def last(self) -> nn.Conv2d:
        """See `Network.last`."""
        return self.tail

    def forward(self, image: Tensor) -> Tensor:
        """Score every patch of `image`."""
        return self.tail(self.body(self.head(image)))  # type: ignore[no-any-return]


class Generator(Network):
    """Adds detail: G(x, y) = net(x) + y (paper, eq. 5).

    In training mode it normalizes with batch statistics and updates its running ones; all scales
    that are trained already run in evaluation mode, with the running ones.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture, running=True)
        self.tail = nn.Sequential(self._tail(architecture.image_channels), nn.Tanh())

    @property
    def last(self) -> nn.Conv2d:
        """See `Network.last`."""
        return self.tail[0]  # type: ignore[return-value]

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Framed picture with noise `x` and without `y`, (N, 3, h + 10, w + 10) -> (N, 3, h, w)."""
        detail = self.tail(self.body(self.head(x)))
        return cut_to(y, detail) + detail  # type: ignore[no-any-return]


def cut_to(y: Tensor, like: Tensor) -> Tensor:
    """The middle of `y`, as large as `like`; a difference of odd size is cut behind."""
    margin = (y.shape[-2] - like.shape[-2]) // 2
    height, width = like.shape[-2:]
    return y[..., margin : margin + height, margin : margin + width]


def frame(x: Tensor, pixels: int, wraps: Wraps = ENDS) -> Tensor:
    """P: zeros on all sides of (N, C, h, w); along the axes that wrap what lies at the other end.

    Convolutions without padding, which take the frame off again, then go around.
    """
    return wrap_pad(zero_pad_ends(x, pixels, wraps), pixels, wraps)


def initialize(network: Network, rng: torch.Generator) -> None:
    """Draw first weights from `rng` (a CPU generator).

    Convolutions N(0, 0.02), gains N(1, 0.02), biases of the normalization 0, those of convolutions
    uniform in +-1/sqrt(fan-in), PyTorch's default.
    """
    with torch.no_grad():
        for conv in [*(block.conv for block in network.blocks), network.last]:
            assert conv.bias is not None
            conv.weight.normal_(0, WEIGHT_STD, generator=rng)
            bound = conv.weight[0].numel() ** -0.5
            conv.bias.uniform_(-bound, bound, generator=rng)
        for block in network.blocks:
            block.norm.reset_parameters()
            block.norm.weight.normal_(1, WEIGHT_STD, generator=rng)


def learned(network: Network) -> dict[str, nn.Parameter]:
    """The parameters with a gradient, by name.

    A bias in front of a normalization has none but rounding, which Adam would blow up to steps;
    the discriminator's last bias shifts all scores alike. They stay as they were drawn.
    """
    idle = {id(block.conv.bias) for block in network.blocks}
    if isinstance(network, Discriminator):
        idle.add(id(network.last.bias))
    return {n: p for n, p in network.named_parameters() if id(p) not in idle}
