"""Weights of others' networks: nothing but tensors is read, and each is checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from consingan.errors import UserError


def tensors_in(path: Path, network: str) -> dict[str, Any]:
    """All that a file of weights holds, .safetensors or torch's own.

    Raises:
        UserError: there is none, or it cannot be read.
    """
    if not path.is_file():
        raise UserError(f"There is no file of {network} weights at {path}.")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(path))
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the readers raise a dozen kinds of exception on a wrong file
        raise UserError(f"{path} is not a file of {network} weights that can be read.") from error
    return state if isinstance(state, dict) else {}


def take(
    state: dict[str, Any], name: str, shape: tuple[int, ...], path: Path, whose: str
) -> Tensor:
    """One of them, float32; `whose` network they are, and `path`, are for the sentence.

    Raises:
        UserError: it is missing, has another shape, or is not finite.
    """
    value = state.get(name)
    if not isinstance(value, Tensor) or tuple(value.shape) != shape:
        raise UserError(
            f"{path} does not hold the weights of {whose}: {name} is missing or has another shape "
            f"than {shape}."
        )
    if not value.isfinite().all():
        raise UserError(f"{path} is damaged: {name} has values that are not finite.")
    return value.float()
