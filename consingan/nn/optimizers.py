"""A training's state as one flat dictionary of plain tensors, for a file and back."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.machine.lanes import Lanes

MISFIT = (
    "The state of the optimizer does not fit the networks; delete resume.safetensors to go on from "
    "the last finished stage"
)
COUNTER = "step"  # Adam's; everything else that it keeps for a parameter is a moment


CHUNK = 4096  # numbers that one of a GPU's processors updates at a time


def has_fused(device: torch.device) -> bool:
    """Whether every torch from 2.4 on has Adam in one pass over the weights there."""
    return device.type in ("cpu", "cuda")


class Adam(torch.optim.Adam):
    """torch's Adam as it is without the import of torch's compiler.

    torch wraps these methods so that its compiler leaves them alone, and imports the compiler for
    it when the first optimizer is made: seconds of every training, though nothing here is
    compiled. Under the wrappers are the same methods.
    """

    add_param_group = inspect.unwrap(torch.optim.Adam.add_param_group)
    zero_grad = inspect.unwrap(torch.optim.Adam.zero_grad)
    state_dict = inspect.unwrap(torch.optim.Adam.state_dict)
    load_state_dict = inspect.unwrap(torch.optim.Adam.load_state_dict)
    step = torch.no_grad()(inspect.unwrap(torch.optim.Adam.step))


class ChunkedAdam(Adam):
    """torch's fused Adam, its tensors cut into pieces that a GPU updates at the same time.

    torch gives each tensor of up to 65536 numbers to a single processor; a step of the small
    networks here takes three times as long as it needs to. The numbers are the same to the bit.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step, torch's own where there are no moments yet or a tensor cannot be cut."""
        if closure is not None or not all(self._can_be_cut(group) for group in self.param_groups):
            return super().step(closure)  # type: ignore[no-any-return]
        lanes = Lanes(self.param_groups[0]["params"][0].device)
        for number, group in enumerate(self.param_groups):
            with lanes.beside(number):
                self._step_in_chunks(group)
        lanes.join()
        return None

    def _can_be_cut(self, group: dict[str, Any]) -> bool:
        return group["fused"] and all(
            p.is_cuda and p.grad is not None and self.state[p]
            and p.is_contiguous() and p.grad.is_contiguous()
            for p in group["params"]
        )  # fmt: skip

    def _step_in_chunks(self, group: dict[str, Any]) -> None:
        own = [self.state[p] for p in group["params"]]
        torch._foreach_add_([state[COUNTER] for state in own], 1)
        lists: list[list[Tensor]] = [[], [], [], [], []]  # last the counters, one for each piece
        for p, state in zip(group["params"], own, strict=True):
            whole = (p, p.grad, state["exp_avg"], state["exp_avg_sq"])
            pieces = [x.view(-1).split(CHUNK) for x in whole]
            for target, some in zip(lists, pieces, strict=False):
                target.extend(some)
            lists[-1].extend([state[COUNTER]] * len(pieces[0]))
        values, gradients, averages, squares, counters = lists
        beta1, beta2 = group["betas"]
        torch._fused_adam_(
            values, gradients, averages, squares, [], counters,
            lr=group["lr"], beta1=beta1, beta2=beta2, eps=group["eps"],
            weight_decay=group["weight_decay"], amsgrad=False, maximize=False,
        )  # fmt: skip


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
