"""A training's state as one flat dictionary of plain tensors, for a file and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from consingan.errors import UserError

MISFIT = (
    "The state of the optimizer does not fit the networks; delete resume.safetensors to go on from "
    "the last finished stage"
)
COUNTER = "step"  # Adam's; everything else that it keeps for a parameter is a moment


def part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors under `prefix.`, without it."""
    start = f"{prefix}."
    return {k[len(start) :]: v for k, v in tensors.items() if k.startswith(start)}


def moments(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """All moments that an optimizer keeps."""
    states: list[dict[str, Any]] = list(optimizer.state.values())
    return [value for state in states for name, value in state.items() if name != COUNTER]


def dump_optimizer(optimizer: torch.optim.Optimizer, prefix: str) -> dict[str, Tensor]:
    """An optimizer's moments and counters as tensors named `prefix.<parameter>.<what>`."""
    state = optimizer.state_dict()["state"]
    return {
        f"{prefix}.{index}.{name}": torch.as_tensor(value)
        for index, values in state.items()
        for name, value in values.items()
    }


def load_optimizer(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], prefix: str
) -> None:
    """Give back to an optimizer what `dump_optimizer` took from it."""
    state: dict[int, dict[str, Tensor]] = {}
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for key, value in part(tensors, prefix).items():
        number, _, name = key.partition(".")
        if not (number.isascii() and number.isdigit() and int(number) < len(parameters)):
            raise UserError(f"{MISFIT} ({prefix}.{key[:60]}).")
        parameter = parameters[int(number)]
        if value.shape != (() if name == COUNTER else parameter.shape):
            raise UserError(f"{MISFIT} ({prefix}.{key[:60]} has the shape {tuple(value.shape)}).")
        if name != COUNTER:  # lie in memory as the parameter does
            value = torch.empty_like(parameter).copy_(value)
        state.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def all_finite(tensors: list[Tensor]) -> bool:
    """Whether no number in any of `tensors`, all on one device, is infinite or NaN."""
    if not tensors:
        return True
    return bool(torch.stack([torch.isfinite(t).all() for t in tensors]).all())  # asks a GPU once
