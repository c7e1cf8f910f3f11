"""Whether what a run's folder holds can be what a training wrote: it may have come from anybody.

Each check is of what the program itself goes by: numbers, shapes and types. Whether tensors fit the
networks is for the method to say, see `contract.Code`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.settings.reading import MOST_BANDS

MOST_STAGES = 1000
MOST_THREADS = 1024
MOST_SECONDS = 1e12
LARGEST_ITERATION = 2**40
STATUSES = ("training", "interrupted", "diverged", "failed", "finished")
SLACK = 1e-3  # beyond [-1, 1], for pictures
_PICTURE = re.compile(r"(real\.\d+|naive|source|target|image)")

Check = Callable[[Any], bool]


def whole(least: int, most: int) -> Check:
    """Whether a value is a whole number in a range."""
    return lambda value: type(value) is int and least <= value <= most


def _seconds(value: Any) -> bool:
    real = type(value) in (int, float)
    return real and math.isfinite(value) and 0 <= value <= MOST_SECONDS


def _texts(value: Any) -> bool:
    return isinstance(value, dict) and all(type(v) is str for v in value.values())


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(type(v) is str and v for v in value)


def _execution(value: Any) -> bool:
    rows: dict[str, Check] = {
        "device": lambda v: type(v) is str,
        "precision": lambda v: type(v) is str,
        "engine": lambda v: type(v) is str,
        "checkpointing": lambda v: type(v) is bool,
        "threads": whole(1, MOST_THREADS),
    }
    if not isinstance(value, dict):
        return False
    return all(check(value[name]) for name, check in rows.items() if name in value)


REQUIRED: Mapping[str, Check] = {
    "format": whole(1, 10**6),
    "status": lambda value: value in STATUSES,
    "finished_stages": whole(0, MOST_STAGES),
    "stages": whole(0, MOST_STAGES),
    "seconds_per_stage": lambda v: isinstance(v, list) and all(_seconds(s) for s in v),
}
PERHAPS: Mapping[str, Check] = {
    "execution": _execution,
    "versions": _texts,
    "losses": _names,
    "method": lambda value: type(value) is str,
    "seed": whole(0, 2**63 - 1),
    "command": lambda value: type(value) is str or _names(value),
    "origin": _texts,
    "machine": _texts,
    "pictures": lambda value: isinstance(value, dict) and all(map(_texts, value.values())),
}
"""What a manifest must hold and what it may hold; other entries are nobody's business."""


def is_way_on(entry: Any) -> bool:
    """Whether it says from where on a run was computed otherwise, and how."""
    rows = {
        "stage": whole(0, MOST_STAGES),
        "iteration": whole(0, LARGEST_ITERATION),
        "execution": _execution,
        "versions": _texts,
        "machine": _texts,
    }
    sound = isinstance(entry, dict) and rows.keys() <= entry.keys()
    return sound and all(check(entry[name]) for name, check in rows.items())


def unsound_entry(manifest: Mapping[str, Any]) -> str:
    """Name of an entry of a manifest that cannot be, or ""."""
    rows = {**REQUIRED, **{name: check for name, check in PERHAPS.items() if name in manifest}}
    for name, check in rows.items():
        try:
            sound = check(manifest.get(name))
        except TypeError:  # a list where a word was expected, say
            sound = False
        if not sound:
            return name
    return "finished_stages" if manifest["finished_stages"] > manifest["stages"] else ""


def check_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Pictures must be pictures, and numbers numbers.

    Raises:
        UserError: one of them is not.
    """
    for name, tensor in tensors.items():
        if _PICTURE.fullmatch(name) and (why := _no_picture(tensor)):
            raise unsound(path, f"its {name} {why}")


def _no_picture(x: Tensor) -> str:
    """Why a tensor is no picture (1, C, h, w) in [-1, 1], or ""."""
    if x.dtype not in (torch.float32, torch.float64):
        return f"is of type {str(x.dtype).removeprefix('torch.')}"
    if x.ndim != 4 or x.shape[0] != 1 or x.shape[1] > MOST_BANDS or not x.numel():
        return f"has the shape {tuple(x.shape)}"
    if not bool((x.abs() <= 1 + SLACK).all()):  # NaN, too
        return "has values beyond [-1, 1]"
    return ""


def check_state(
    path: Path, state: Mapping[str, Tensor], stages: int, losses: int, attempts: int
) -> None:
    """The state in the middle of a stage.

    Args:
        path: the file.
        state: what it holds.
        stages: of the whole training.
        losses: how many a step has.
        attempts: that a stage may have.

    Raises:
        UserError: it cannot be one.
    """
    for name, tensor in state.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise unsound(path, f"its {name} is not finite")
    position, seconds = state["position"], state["seconds"]
    if position.shape != (2,) or position.dtype != torch.int64:
        raise unsound(path, f"its position is {position.dtype} of shape {tuple(position.shape)}")
    stage, iteration = position.tolist()
    if not (0 <= stage < stages and 0 <= iteration <= LARGEST_ITERATION):
        raise unsound(path, f"it is at stage {stage}, iteration {iteration}")
    if seconds.numel() != 1 or not _seconds(float(seconds)):
        raise unsound(path, "its seconds are none")
    attempt = state.get("attempt", torch.tensor(0))
    if attempt.shape != () or attempt.dtype != torch.int64 or not 0 <= int(attempt) < attempts:
        raise unsound(path, "its attempt is none")
    curves = state.get("curves", torch.zeros(iteration, losses))
    if curves.shape != (iteration, losses) or curves.dtype != torch.float32:
        raise unsound(path, f"its curves have the shape {tuple(curves.shape)}")


def unsound(path: Path, why: str) -> UserError:
    """The error for a file that holds what no training wrote."""
    return UserError(f"{path} is damaged ({why}); restore it from a copy or train anew.")
