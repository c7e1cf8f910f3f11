"""The generator that grows stage by stage and the patch discriminator (Hinz et al. 2021, sec. 3).

Networks take numbers, never a configuration or a mode. Names of parameters follow the method:
`head.conv.weight`, `body.<stage>.<layer>.conv.weight`, `tail.weight`.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from consingan.architecture import Border, Shape

WEIGHT_STD = 0.02
NORM_EPS = 1e-5


def bicubic(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Up(x, size): bicubic interpolation of (N, C, h, w) to `size`, corners aligned."""
    return F.interpolate(x, size=size, mode="bicubic", align_corners=True)


def zero_pad(x: Tensor, pixels: int) -> Tensor:
    """Frame (N, C, h, w) with `pixels` zeros on each side."""
    return F.pad(x, (pixels,) * 4) if pixels else x


class SampleNorm(nn.Module):
    """Normalization with the statistics of each sample alone, scaled and shifted per channel.

    The authors normalize with batch statistics and train with a batch of one, in evaluation too;
    this is the same for one picture and does not change when several go together.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalize (N, C, h, w) over h and w."""
        # Batch statistics of single samples: unlike instance_norm this keeps channels-last memory.
        normalized = [
            F.batch_norm(sample, None, None, self.weight, self.bias, training=True, eps=NORM_EPS)
            for sample in x.split(1)
        ]
        return torch.cat(normalized) if len(x) > 1 else normalized[0]


class Block(nn.Module):
    """Convolution -> [normalization] -> activation."""

    def __init__(self, inputs: int, shape: Shape) -> None:
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


def _activation(shape: Shape) -> Callable[[Tensor], Tensor]:
    slope = shape.slope
    table: dict[str, Callable[[Tensor], Tensor]] = {
        "lrelu": lambda x: F.leaky_relu(x, slope),
        "elu": F.elu,
        "selu": F.selu,
        "prelu": lambda x: x,  # a module of its own, because it has a parameter
    }
    return table[shape.activation]


def _conv(inputs: int, outputs: int, shape: Shape) -> nn.Conv2d:
    conv: nn.Conv2d = nn.utils.skip_init(
        nn.Conv2d, inputs, outputs, kernel_size=shape.kernel, padding=shape.padding
    )
    return conv


def initialize(network: nn.Module, rng: torch.Generator) -> None:
    """Draw a network's first weights from `rng` (a CPU generator).

    Convolutions N(0, 0.02), normalization weights N(1, 0.02) and biases 0; the biases of
    convolutions are uniform in +-1/sqrt(fan-in), PyTorch's default.
    """
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                module.weight.normal_(0, WEIGHT_STD, generator=rng)
                assert module.bias is not None
                bound = 1 / math.sqrt(module.weight[0].numel())
                module.bias.uniform_(-bound, bound, generator=rng)
            elif isinstance(module, SampleNorm):
                module.weight.normal_(1, WEIGHT_STD, generator=rng)
                module.bias.zero_()


class Discriminator(nn.Module):
    """Patch critic: (N, 3, h, w) in [-1, 1] -> a map of scores (N, 1, h', w'), unbounded."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        shape = replace(shape, norm=False)
        self.shape = shape
        self.head = Block(shape.image_channels, shape)
        self.body = nn.ModuleList(Block(shape.channels, shape) for _ in range(shape.layers))
        self.tail = _conv(shape.channels, 1, shape)

    def forward(self, image: Tensor) -> Tensor:
        """Score every patch of `image`."""
        x = self.head(image)
        for block in self.body:
            x = block(x)
        return self.tail(x)  # type: ignore[no-any-return]


class Operations:
    """How a generator's pieces are computed: plainly. Engines put faster ones in (kernels.py)."""

    def upsample(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """Up(x, size), (N, C, h, w) -> (N, C, *size)."""
        return bicubic(x, size)

    def block(self, block: Block, x: Tensor) -> Tensor:
        """Pass (N, c, h, w) through `block`."""
        return block(x)  # type: ignore[no-any-return]

    def render(self, tail: nn.Conv2d, x: Tensor) -> Tensor:
        """Padded features (N, C, h + 2, w + 2) -> picture (N, 3, h, w) in [-1, 1]."""
        return torch.tanh(tail(x))


class Generator(nn.Module):
    """Head, a growing list of stages, tail; made with one stage.

    Stages hand on C features, not pictures. `noises` is always [z_0, ..., z_d]: z_0 is a picture
    (N, 3, h_0, w_0); z_k for k >= 1 has C channels and, with border "noise", `frame` extra px on
    each side, so that the sizes of all stages follow from the noises.
    """

    def __init__(self, shape: Shape, border: Border) -> None:
        super().__init__()
        self.shape = shape
        self.border = border
        self.operations = Operations()
        self.head = Block(shape.image_channels, shape)
        self.body = nn.ModuleList([self._new_stage()])
        self.tail = _conv(shape.channels, shape.image_channels, shape)

    def _new_stage(self) -> nn.ModuleList:
        return nn.ModuleList(
            Block(self.shape.channels, self.shape) for _ in range(self.shape.layers)
        )

    @property
    def stages(self) -> int:
        """Number of stages grown so far."""
        return len(self.body)

    @property
    def frame(self) -> int:
        """Pixels by which z_k (k >= 1) exceeds its stage's picture on each side."""
        return self.shape.layers * self.shape.margin if self.border == "noise" else 0

    def grow(self) -> None:
        """Add a stage, a copy of the last one."""
        self.body.append(copy.deepcopy(self.body[-1]))

    def first_features(self, z0: Tensor, start: int = 0) -> Tensor:
        """Features (N, C, h, w) of a picture `z0` (N, 3, h, w), ready for stage `start`.

        For stage 0 they have passed through it; for a later one they stand in for what the stages
        before it would have made.
        """
        margin, layers = self.shape.margin, self.shape.layers
        x = self.operations.block(self.head, zero_pad(z0, margin))
        if start > 0:
            return x
        if self.border == "noise":
            size = (x.shape[-2] + 2 * margin, x.shape[-1] + 2 * margin)
            x = zero_pad(self.operations.upsample(x, size), (layers - 1) * margin)
        else:
            x = zero_pad(x, layers * margin)
        return self._run(0, x)

    def refine(self, stage: int, x: Tensor, noise: Tensor, amplitude: float) -> Tensor:
        """Pass features `x` on through `stage` >= 1: x' = stage(up(x) + amplitude * noise) + up(x).

        With border "noise" the noise reaches past the picture's edge, with border "zero" zeros do.
        """
        frame = self.frame
        size = (noise.shape[-2] - 2 * frame, noise.shape[-1] - 2 * frame)
        skip = self.operations.upsample(x, size)
        if self.border == "noise":
            wide = self.operations.upsample(x, (noise.shape[-2], noise.shape[-1]))
            wide = torch.add(wide, noise, alpha=amplitude)
        else:
            wide = torch.add(skip, noise, alpha=amplitude)
            wide = zero_pad(wide, self.shape.layers * self.shape.margin)
        return self._run(stage, wide) + skip

    def render(self, x: Tensor) -> Tensor:
        """Features (N, C, h, w) -> picture (N, 3, h, w) in [-1, 1]."""
        return self.operations.render(self.tail, zero_pad(x, self.shape.margin))

    def features(
        self, noises: Sequence[Tensor], amplitudes: Sequence[float], start: int = 0
    ) -> Tensor:
        """Features after the last of `noises`; `start` > 0 enters at that stage with noises[0].

        With `start` = K, `noises` holds the picture to enter with and then z_K, ..., z_d.
        """
        x = self.first_features(noises[0], start)
        for stage, noise in enumerate(noises[1:], max(start, 1)):
            x = self.refine(stage, x, noise, amplitudes[stage])
        return x

    def forward(
        self, noises: Sequence[Tensor], amplitudes: Sequence[float], start: int = 0
    ) -> Tensor:
        """Picture (N, 3, h, w) in [-1, 1] made from `noises`, see `features`."""
        return self.render(self.features(noises, amplitudes, start))

    def _run(self, stage: int, x: Tensor) -> Tensor:
        blocks: Any = self.body[stage]
        for block in blocks:
            x = self.operations.block(block, x)
        return x

    def param_groups(self, lr: float, scale: float, depth: int) -> list[dict[str, Any]]:
        """What is trained now, with its learning rate (Hinz et al. 2021, section 3.1).

        Stage k of the newest `depth` gets lr * scale^(d - k) with d the newest, the head
        lr * scale^d while d < depth, the tail lr. Older stages and an older head are left out.
        """
        newest = self.stages - 1
        first = self.first_trained(depth)
        groups = [
            {"params": list(self.body[k].parameters()), "lr": lr * scale ** (newest - k)}
            for k in range(first, self.stages)
        ]
        if newest < depth:
            groups.append({"params": list(self.head.parameters()), "lr": lr * scale**newest})
        groups.append({"params": list(self.tail.parameters()), "lr": lr})
        return groups

    def first_trained(self, depth: int) -> int:
        """Index of the oldest stage that is still trained."""
        return max(self.stages - depth, 0)
