"""Cases of test_fused.py: every kernel is compiled for every kind of card, none of which is here.

Triton needs no GPU for that. What it compiles is not launched.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from triton.backends.compiler import GPUTarget
from triton.runtime import driver
from triton.runtime.jit import JITFunction

from consingan.nn.architecture import Architecture
from consingan.nn.fused.choice import EXTENTS, run_all

pytestmark = pytest.mark.filterwarnings("ignore:TRITON_DEFAULT_FP_FUSION")  # of Triton 3.9

# KiB of memory that a program may have on cards of a compute capability, as NVIDIA has it.
SHARED = {80: 163, 86: 99, 89: 99, 90: 227, 100: 227, 120: 99}


class Card:
    """What Triton asks a driver for."""

    def __init__(self, capability: int) -> None:
        self.capability = capability

    def get_current_target(self) -> GPUTarget:
        return GPUTarget("cuda", self.capability, 32)

    def get_current_device(self) -> int:
        return self.capability  # by which Triton keeps what it compiled

    def get_current_stream(self, _: int) -> int:
        return 0


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """What is compiled instead of launched, by kernel and launch."""
    found: dict[str, Any] = {}
    current: list[torch.Tensor] = []

    @contextlib.contextmanager
    def device_of(tensor: torch.Tensor) -> Iterator[None]:
        current.append(tensor)
        yield
        current.pop()

    def compile_alone(kernel: JITFunction[Any], grid: Any) -> Callable[..., None]:
        def launch(*args: Any, **how: Any) -> None:
            assert current[-1] is args[0]  # or it runs on another of several GPUs
            made = kernel.run(*args, grid=grid, warmup=True, **how)
            found[f"{kernel.fn.__name__} {how}"] = made

        return launch

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(torch.cuda, "device_of", device_of)
    monkeypatch.setattr(JITFunction, "__getitem__", compile_alone)
    return found


@pytest.mark.parametrize("shape", [{}, {"channels": 128}, {"channels": 16, "image_channels": 7}],
                         ids=str)  # fmt: skip
@pytest.mark.parametrize("capability", list(SHARED))
def test_all_cards_take_all_kernels(
    capability: int, shape: dict[str, int], compiled: dict[str, Any]
) -> None:
    driver.set_active(Card(capability))
    for extent in EXTENTS:
        run_all(torch.device("cpu"), torch.bfloat16, Architecture(**shape), extent)
    assert len(compiled) > 30
    needed = {what: kernel.metadata.shared for what, kernel in compiled.items()}
    assert {what: n for what, n in needed.items() if n > 1024 * SHARED[capability]} == {}
