r"""Balance: the weights of all queries made a transport plan by a few of Sinkhorn's steps.

Independent softmaxes let popular patches win, and samples lose contents. With M queries, N
patches and scores L_ij,

    g = 0;  K times:  f_i = -LSE_j(L_ij + g_j),  g_j = log(M/N) - LSE_i(L_ij + f_i),
    w_ij = softmax_j(L_ij + g_j).

With K large every patch is used M/N times in all; K = 0 is the paper. This is this
program's own; the published method has no such step.

Unless a patch is all but unused, LSE_i(L_ij + f_i) = log(sum_i w_ij) - g_j, w those of the g
before: one exponential instead of two, a tenth of the time. Many scores are balanced so; few, as
those of the usual coarsest scale, take no time either way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor

BLOCK = 2**18  # scores at once: a processor's cache holds them
BLOCK_GPU = 2**24
TINY = 1e-30  # weights below it become denormal numbers, which a processor is 20 times slower with


def potentials(
    parts: Callable[[], Iterable[Tensor]], queries: int, patches: int, steps: int
) -> Tensor:
    """G (N,) for scores L (M, N) that `parts` gives anew, some rows at a time, whenever asked.

    `steps` is K, 1 at least.
    """
    g: Tensor | None = None
    weighed = queries * patches > BLOCK
    for _ in range(steps):
        used: Tensor | None = None
        if weighed and g is not None:
            used = _used_by_weights(_blocks(parts()), g)
            weighed = used is not None
        if used is None:
            used = _used(_blocks(parts()), g)
        g = math.log(queries / patches) - used
    assert g is not None
    return g


def _blocks(parts: Iterable[Tensor]) -> Iterator[Tensor]:
    for part in parts:
        block = BLOCK_GPU if part.is_cuda else BLOCK
        yield from part.split(max(1, block // part.shape[1]))


def _used(blocks: Iterable[Tensor], g: Tensor | None) -> Tensor:
    """LSE_i(L_ij + f_i), (N,)."""
    total: Tensor | None = None
    for block in blocks:
        block = block if g is None else block + g
        free = block - torch.logsumexp(block, 1, keepdim=True)
        free = free if g is None else free - g
        used = torch.logsumexp(free, 0)
        total = used if total is None else torch.logaddexp(total, used)
    assert total is not None
    return total


def _used_by_weights(blocks: Iterable[Tensor], g: Tensor) -> Tensor | None:
    """The same from the sums of weights; None where one is too small to tell."""
    total = torch.zeros_like(g)
    for block in blocks:
        shifted = block + g
        total += torch.softmax(shifted, 1, out=shifted).sum(0)
    return None if float(total.min()) < TINY else total.log() - g
