"""Torch as it is by default for as long as a call takes, whatever the caller's program has set."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TypeVar

import torch

T = TypeVar("T")


@contextlib.contextmanager
def torch_as_usual() -> Iterator[None]:
    """With gradients, float32 on the CPU where nothing is said, and no casts; also a decorator.

    Else noise of another type would be other noise, and nothing could be trained in a notebook that
    has switched gradients off.
    """
    with contextlib.ExitStack() as stack:
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for device in ("cpu", "cuda", "mps"):
            if torch.is_autocast_enabled(device):
                stack.enter_context(torch.autocast(device, enabled=False))
        if torch.empty(0).device.type != "cpu":
            stack.enter_context(torch.device("cpu"))
        if (kind := torch.get_default_dtype()) != torch.float32:
            torch.set_default_dtype(torch.float32)
            stack.callback(torch.set_default_dtype, kind)
        yield


def each_as_usual(items: Iterator[T]) -> Iterator[T]:
    """What an iterator gives, each made under `torch_as_usual`; between, all is the caller's."""
    while True:
        with torch_as_usual():
            try:
                item = next(items)
            except StopIteration:
                return
        yield item
