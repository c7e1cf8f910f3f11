"""How much memory an iteration takes: weights, moments, and what is kept for gradients."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

OF_WEIGHTS = 4  # a weight, its gradient, two moments of Adam
AROUND = 2.8  # times what is kept: gradients on their way (1.7 to 3 measured on a CPU)


@dataclass(frozen=True)
class Pass:
    """A network, or a function that follows its argument to any device, at work.

    Attributes:
        network: on any device; it is not changed.
        shape: of what it is given.
        times: how often it works before gradients are taken.
    """

    network: Callable[[Tensor], Any]
    shape: tuple[int, ...]
    times: int = 1


def footprint(networks: Iterable[nn.Module], passes: Iterable[Pass]) -> int:
    """Bytes that an iteration takes at its peak.

    Args:
        networks: all that are trained.
        passes: that are kept for gradients at the same time.
    """
    weights = sum(p.numel() * p.element_size() for net in networks for p in net.parameters())
    maps = sum(one.times * kept(one.network, one.shape) for one in passes)
    return OF_WEIGHTS * weights + round(AROUND * maps)


def kept(network: Callable[[Tensor], Any], shape: tuple[int, ...]) -> int:
    """Bytes of what one pass keeps for its gradients, beside the weights; nothing is computed."""
    own: set[int] = set()
    if isinstance(network, nn.Module):
        network = copy.deepcopy(network).to("meta").train()
        own = {id_of(p) for p in [*network.parameters(), *network.buffers()]}
    found: dict[int, torch.UntypedStorage] = {}

    def pack(x: Tensor) -> Tensor:
        if id_of(x) not in own:
            found[id_of(x)] = x.untyped_storage()
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        made = network(torch.empty(shape, device="meta", requires_grad=True))
    del made
    return sum(storage.nbytes() for storage in found.values())


def id_of(x: Tensor) -> int:
    """The same for all views of one piece of memory."""
    return int(x.untyped_storage()._cdata)
