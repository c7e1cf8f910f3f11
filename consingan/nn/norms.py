"""Normalizations by name, each ready for pictures that come one at a time."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

NORMS = ("batch", "instance", "affine")


class BatchNorm(nn.BatchNorm2d):
    """Batch norm that also in use goes by what it is given, not by running statistics.

    So did Isola et al. 2017 (section 3.4): with one picture at a time the running statistics are
    those of other pictures. `running` takes them all the same, as later programs do.
    """

    running = False

    def forward(self, x: Tensor) -> Tensor:
        """Normalize (N, C, h, w); only a training step changes the running statistics."""
        if self.training or self.running:
            return super().forward(x)
        return F.batch_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)


def norm_layer(name: str, channels: int) -> nn.Module:
    """A norm of `NORMS`: of the batch, of each picture, of each picture with gain and bias."""
    if name == "batch":
        return BatchNorm(channels)
    return nn.InstanceNorm2d(channels, affine=name == "affine")
