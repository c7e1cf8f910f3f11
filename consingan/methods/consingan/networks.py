"""The generator that grows stage by stage and the patch discriminator (Hinz et al. 2021, sec. 3).

Networks take numbers, never a configuration or a mode. Names of parameters follow the method:
`head.conv.weight`, `body.<stage>.<layer>.conv.weight`, `tail.weight`.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from consingan.nn.architecture import AROUND, Architecture, Border
from consingan.nn.blocks import (
    Block,
    Operations,
    _conv,
    wrap_pad,
    zero_pad,
    zero_pad_ends,
)
from consingan.settings.tiles import ENDS


class Generator(nn.Module):
    """Head, a growing list of stages, tail; made with one stage.

    Stages hand on C features, not pictures. `noises` is always [z_0, ..., z_d]: z_0 is a picture
    (N, 3, h_0, w_0); z_k for k >= 1 has C channels and, with border "noise", `frame` extra px on
    each side, so that the sizes of all stages follow from the noises.
    """

    def __init__(self, shape: Architecture, border: Border) -> None:
        super().__init__()
        self.shape = shape
        self.border = border
        self.wraps = AROUND.get(border, ENDS)
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
        x = self._block(self.head, zero_pad_ends(z0, margin, self.wraps))
        if start > 0:
            return x
        if self.border == "noise":
            size = (x.shape[-2] + 2 * margin, x.shape[-1] + 2 * margin)
            x = zero_pad(self.operations.upsample(x, size), (layers - 1) * margin)
        else:
            x = zero_pad_ends(x, layers * margin, self.wraps)
        return self._run(0, x)

    def refine(self, stage: int, x: Tensor, noise: Tensor, amplitude: float) -> Tensor:
        """Pass features `x` on through `stage` >= 1: x' = stage(up(x) + amplitude * noise) + up(x).

        With border "noise" the noise reaches past the picture's edge, with border "zero" zeros do;
        where it wraps the picture itself goes on.
        """
        frame = self.frame
        size = (noise.shape[-2] - 2 * frame, noise.shape[-1] - 2 * frame)
        skip = self._upsample(x, size)
        if self.border == "noise":
            wide = self.operations.upsample_onto(noise, x, amplitude)
        else:
            wide = torch.add(skip, noise, alpha=amplitude)
            wide = zero_pad_ends(wide, self.shape.layers * self.shape.margin, self.wraps)
        return self._run(stage, wide) + skip

    def render(self, x: Tensor) -> Tensor:
        """Features (N, C, h, w) -> picture (N, 3, h, w) in [-1, 1]."""
        margin = self.shape.margin
        wide = wrap_pad(zero_pad_ends(x, margin, self.wraps), margin, self.wraps)
        return self.operations.render(self.tail, wide)

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

    def _upsample(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        if any(self.wraps):
            return self.operations.upsample_around(x, size, self.wraps)
        return self.operations.upsample(x, size)

    def _run(self, stage: int, x: Tensor) -> Tensor:
        blocks: Any = self.body[stage]
        if not any(self.wraps):
            return self.operations.stage(blocks, x)
        for block in blocks:
            x = self._block(block, x)
        return x

    def _block(self, block: Block, x: Tensor) -> Tensor:
        """Where ends meet each layer goes around, so that its maps are no larger than the tile."""
        return self.operations.block(block, wrap_pad(x, self.shape.margin, self.wraps))

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
