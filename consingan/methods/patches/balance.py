r"""Balance: the weights of all queries made a transport plan by a few of Sinkhorn's steps.

Independent softmaxes let popular patches win, and samples lose contents. With M queries, N
patches and scores L_ij,

    g = 0;  K times:  f_i = -LSE_j(L_ij + g_j),  g_j = rel (log(M/N) - LSE_i(L_ij + f_i)),
    w_ij = softmax_j(L_ij + g_j).

With K large and rel = 1 every patch is used M/N times in all; K = 0 is the paper. This is this
program's own; the published method has no such step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Balance:
    """K steps; `rel` below 1 leaves the shares of the patches some freedom (unbalanced)."""

    steps: int
    rel: float = 1.0


def potentials(
    parts: Callable[[], Iterable[Tensor]], queries: int, patches: int, balance: Balance
) -> Tensor:
    """G (N,) for scores L (M, N) that `parts` gives anew, some rows at a time, whenever asked."""
    g: Tensor | None = None
    for _ in range(balance.steps):
        total: Tensor | None = None
        for part in parts():
            part = part if g is None else part + g
            free = part - torch.logsumexp(part, 1, keepdim=True)
            free = free if g is None else free - g
            used = torch.logsumexp(free, 0)
            total = used if total is None else torch.logaddexp(total, used)
        assert total is not None
        g = balance.rel * (math.log(queries / patches) - total)
    assert g is not None
    return g
