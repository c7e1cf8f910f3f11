"""The windows of a canvas: cut to rows of numbers, and folded back to a canvas.

A window of p x p px is a row of D = C * p * p numbers, channel by channel, row by row; windows
are numbered row by row of their upper left corners.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.methods.patches.pyramid import NO_WRAP, Size, Wrap


def cut(image: Tensor, patch: int, stride: int = 1) -> Tensor:
    """Every `stride`-th window inside (C, H, W) as (N, D)."""
    return F.unfold(image[None], patch, stride=stride)[0].T.contiguous()


def gaussian_line(patch: int, rho: float) -> Tensor:
    """g(u) = exp(-(l_u/rho)^2/2) of a window's lines, l_u evenly from -1 to 1; (p,) in float64.

    At the ends they are 3.7e-6 for rho 0.2, and needed: a corner of the picture lies in one window
    only. An infinite rho is the plain mean.
    """
    position = torch.linspace(-1, 1, patch, dtype=torch.float64)
    return torch.exp(-((position / rho) ** 2) / 2)


@dataclass(frozen=True)
class Windows:
    """The windows of a canvas: starts 0, s, 2s, ...

    Attributes:
        size: (h, w) of the canvas in px.
        patch: p in px.
        stride: s in px.
        rho: width of the weights by which overlapping windows are averaged.
        wrap: where the canvas goes on at its other end; windows start everywhere there.
        whole: the last windows may overhang so that every pixel is covered; there the canvas
            goes on mirrored. Else (the paper) pixels that no window covers become 0.
    """

    size: Size
    patch: int
    stride: int = 1
    rho: float = 0.2
    wrap: Wrap = NO_WRAP
    whole: bool = True

    @property
    def grid(self) -> Size:
        """(rows, columns) of windows."""
        return self._count(0), self._count(1)

    @property
    def padded(self) -> Size:
        """(h, w) of the canvas with what overhangs; smaller than the canvas if not whole."""
        rows, columns = ((count - 1) * self.stride + self.patch for count in self.grid)
        return rows, columns

    def pad(self, x: Tensor) -> Tensor:
        """(C, h, w) to (C, *padded)."""
        for axis, (n, length) in enumerate(zip(self.size, self.padded, strict=True)):
            index = torch.arange(length, device=x.device)
            beyond = index % n if self.wrap[axis] else 2 * n - 1 - index
            x = x.index_select(axis + 1, torch.where(index < n, index, beyond))
        return x

    def unpad(self, total: Tensor) -> Tensor:
        """Sums over windows (C, *padded) to (C, h, w): what overhangs is added where it belongs."""
        for axis, (n, length) in enumerate(zip(self.size, self.padded, strict=True)):
            over = length - n
            if over < 0:
                total = F.pad(total, (0, -over) if axis == 1 else (0, 0, 0, -over))
            elif over > 0:
                kept = total.narrow(axis + 1, 0, n)
                if self.wrap[axis]:
                    kept = kept.clone()
                    kept.narrow(axis + 1, 0, over).add_(total.narrow(axis + 1, n, over))
                total = kept
        return total

    def cut(self, x: Tensor) -> Tensor:
        """The windows of a canvas (C, h, w), (M, D)."""
        return cut(self.pad(x), self.patch, self.stride)

    def fold(self, rows: Tensor) -> Tensor:
        """Mean of overlapping windows (M, D), weighted by `weights`, as a canvas (C, h, w)."""
        g = self.weights.to(rows).flatten()
        weighted = (rows * g.repeat(rows.shape[1] // len(g))).T[None]
        total = F.fold(weighted, self.padded, self.patch, stride=self.stride)[0]
        return self.normalized(self.unpad(total))

    def summed(self, clean: Tensor, rows: int) -> Tensor:
        """Weighted sums of `rows` rows of windows (M, p, p, C) on their strip of the padded canvas.

        (C, (rows - 1) * s + p, padded width).
        """
        p, count = self.patch, len(clean)
        turned = clean.view(count, -1).T.contiguous()  # one turn, then rows are moved whole
        columns = turned.view(p * p, -1, count).transpose(0, 1).contiguous()
        columns.mul_(self.weights.to(clean).view(1, p * p, 1))
        size = ((rows - 1) * self.stride + self.patch, self.padded[1])
        return F.fold(columns.view(1, -1, count), size, p, stride=self.stride)[0]

    def normalized(self, total: Tensor) -> Tensor:
        """Weighted sums (C, h, w) divided by the folded weights; 0 where no window was."""
        weight = self.folded_weights(total)
        return torch.where(weight > 0, total / weight, torch.zeros_like(total))

    def folded_weights(self, like: Tensor) -> Tensor:
        """The sum of the weights at every pixel, (1, h, w): rows and columns apart, g being so."""
        line = gaussian_line(self.patch, self.rho).to(like).view(1, -1, 1)
        sums = []
        for count, length in zip(self.grid, self.padded, strict=True):
            columns = line.expand(-1, -1, count)
            sums.append(
                F.fold(columns, (length, 1), (self.patch, 1), stride=self.stride)[0, 0, :, 0]
            )
        return self.unpad(torch.outer(*sums)[None])

    @property
    def weights(self) -> Tensor:
        """g(u)g(v) of a window's pixels, (p, p)."""
        g = gaussian_line(self.patch, self.rho)
        return torch.outer(g, g)

    def _count(self, axis: int) -> int:
        n, s = self.size[axis], self.stride
        if self.wrap[axis]:
            return -(-n // s)
        inside = n - self.patch
        return (-(-inside // s) if self.whole else inside // s) + 1
