"""Torch as it is by default for as long as a call takes, whatever the caller's program has set."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import torch

_begun_in: int | None = None  # the process that first computed here


@contextlib.contextmanager
def torch_as_usual() -> Iterator[None]:
    """With gradients, float32 on the CPU where nothing is said, and no casts; also a decorator.

    Else noise of another type would be other noise, and nothing could be trained in a notebook that
    has switched gradients off.
    """
    _one_thread_if_forked()
    with contextlib.ExitStack() as stack:
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for device in ("cpu", "cuda", "mps"):
            # Of devices that a torch knows no casts for it must not be asked: 2.4 and Apple's.
            if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
                stack.enter_context(torch.autocast(device, enabled=False))
        if torch.empty(0).device.type != "cpu":
            stack.enter_context(torch.device("cpu"))
        if (kind := torch.get_default_dtype()) != torch.float32:
            torch.set_default_dtype(torch.float32)
            stack.callback(torch.set_default_dtype, kind)
        yield


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Keep threads from waiting for one another where other programs keep the cores busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        if not forked():  # there it stays at one
            torch.set_num_threads(threads)


def random_numbers_kept() -> contextlib.AbstractContextManager[None]:
    """Torch's own random numbers go on after it as if none had been drawn in it.

    Layers draw their first weights of them, before ours are drawn or loaded.
    """
    return torch.random.fork_rng(devices=())


def forked() -> bool:
    """Whether this process is a fork of one that has computed.

    It has that one's threads by name alone: torch would wait for them for ever.
    """
    return _begun_in not in (None, os.getpid())


def _one_thread_if_forked() -> None:
    global _begun_in
    if forked():
        torch.set_num_threads(1)
    elif _begun_in is None:
        _begun_in = os.getpid()
