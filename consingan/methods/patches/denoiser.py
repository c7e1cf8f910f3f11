r"""The closed-form denoiser of a finite set of patches y_i (the paper's equation of the optimum).

For a noisy patch x at (alpha, sigma)

    w_i = softmax_i( -|x - alpha y_i|^2 / (2 sigma^2) ),    x_hat = sum_i w_i y_i,

which is softmax_i((alpha x.y_i - alpha^2 |y_i|^2 / 2) / sigma^2): |x|^2 is the same for all i.
Denoised patches are folded back to a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.methods.patches.balance import TINY, potentials
from consingan.methods.patches.windows import Windows

BUDGET = 256 * 2**20


class Denoiser(Protocol):
    """Gives the expected clean canvas (C, H, W) for a noisy one at (alpha, sigma)."""

    def __call__(self, x: Tensor, alpha: float, sigma: float) -> Tensor: ...  # noqa: D102


Means = Callable[[Tensor, Tensor, float, float], Tensor]
"""(queries (M, D), patches (N, D), alpha, sigma) -> x_hat (M, D)."""


@dataclass(frozen=True)
class ClosedForm:
    """The denoiser of the patches of a picture.

    Attributes:
        patches: (N, D), every y_i.
        windows: of the canvas.
        means: the engine.
        balance: steps that make the weights a transport plan; 0 is the paper.
        budget: bytes that are held for scores at once.
    """

    patches: Tensor
    windows: Windows
    means: Means
    balance: int = 0
    budget: int = BUDGET

    def __call__(self, x: Tensor, alpha: float, sigma: float) -> Tensor:
        """The canvas (C, h, w) that is expected behind x."""
        queries = self.windows.cut(x)
        if alpha == 0:  # no patch is nearer than another
            clean = self.patches.mean(0).expand(len(queries), -1)
        elif not self.balance:
            parts = chunks(queries, 8 * len(self.patches) + 12 * queries.shape[1], self.budget)
            clean = torch.cat([self.means(q, self.patches, alpha, sigma) for q in parts])
        else:
            level = (alpha, sigma)
            clean = balanced_means(queries, self.patches, level, self.balance, self.budget)
        return self.windows.fold(clean)


def chunks(rows: Tensor, bytes_each: int, budget: int) -> Iterator[Tensor]:
    """Consecutive parts of `rows` that take at most `budget` bytes, one row at least."""
    return iter(rows.split(max(1, budget // max(1, bytes_each))))


def scores(queries: Tensor, patches: Tensor, alpha: float, sigma: float) -> Tensor:
    """(alpha x.y_i - alpha^2 |y_i|^2/2) / sigma^2, (M, N)."""
    half = patches.square().sum(1) * (-(alpha**2) / 2)
    return torch.addmm(half, queries, patches.T, alpha=alpha).div_(sigma**2)


def exact(queries: Tensor, patches: Tensor, alpha: float, sigma: float) -> Tensor:
    """x_hat as it is written."""
    return weights_of(scores(queries, patches, alpha, sigma)) @ patches


def weights_of(scores: Tensor) -> Tensor:
    """Softmax over the patches, without weights that are as good as zero; overwrites `scores`."""
    weights = torch.softmax(scores, 1, out=scores)
    return weights.masked_fill_(weights < TINY, 0.0)


def fused(queries: Tensor, patches: Tensor, alpha: float, sigma: float) -> Tensor:
    """The same as one attention: q = [x, 1], k = [alpha y, -alpha^2 |y|^2/2], v = y.

    No score matrix is kept. Rows are filled up to a multiple of 64 with zeros.
    """
    width = patches.shape[1]
    fill = -(width + 1) % 64
    half = patches.square().sum(1, keepdim=True) * (-(alpha**2) / 2)
    q = F.pad(torch.cat([queries, torch.ones_like(queries[:, :1])], 1), (0, fill))
    k = F.pad(torch.cat([alpha * patches, half], 1), (0, fill))
    v = F.pad(patches, (0, fill + 1))
    out = F.scaled_dot_product_attention(
        q[None, None], k[None, None], v[None, None], scale=1 / sigma**2
    )
    return out[0, 0, :, :width]


def balanced_means(
    queries: Tensor, patches: Tensor, level: tuple[float, float], balance: int, budget: int
) -> Tensor:
    """x_hat with weights softmax_i(L_i + g_i), g from Sinkhorn's steps (`balance`)."""
    some = list(chunks(queries, 4 * len(patches), budget))
    kept = [scores(queries, patches, *level)] if len(some) == 1 else []  # a third of the time

    def parts() -> Iterator[Tensor]:
        return iter(kept) if kept else (scores(part, patches, *level) for part in some)

    g = potentials(parts, len(queries), len(patches), balance)
    return torch.cat([weights_of(part.add_(g)) @ patches for part in parts()])
