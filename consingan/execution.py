"""How a training or an evaluation is executed, and what a run notes down about that."""

from __future__ import annotations

import platform
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from consingan._version import __version__
from consingan.device import choose_device
from consingan.engines import choose_engine
from consingan.precision import Arithmetic, choose_arithmetic


@dataclass(frozen=True)
class Execution:
    """How a run is executed, apart from what it computes."""

    device: torch.device
    arithmetic: Arithmetic
    engine: str = "auto"
    checkpointing: bool = False
    notes: tuple[str, ...] = ()

    @classmethod
    def choose(
        cls,
        device: str = "auto",
        precision: str = "auto",
        engine: str = "auto",
        gpu: int | None = None,
        not_cuda: bool = False,
        checkpointing: bool = False,
        threads: int | None = None,
    ) -> Execution:
        """Pick device and arithmetic by the options' values and set the number of CPU threads.

        Raises:
            UserError: what is asked for is not there.
        """
        if threads is not None and threads != torch.get_num_threads():
            torch.set_num_threads(threads)
        chosen = choose_device(device, gpu, not_cuda)
        arithmetic = choose_arithmetic(precision, chosen.device)
        choose_engine(engine, arithmetic, checkpointing)
        notes = (chosen.note,) if chosen.note else ()
        return cls(chosen.device, arithmetic, engine, checkpointing, notes)

    def to_json(self) -> dict[str, Any]:
        """What a resumed run needs to be executed alike."""
        return {
            "device": str(self.device),
            "precision": self.arithmetic.name,
            "engine": self.engine,
            "checkpointing": self.checkpointing,
            "threads": torch.get_num_threads(),
        }


def about_this_run(execution: Execution, origin: Mapping[str, str]) -> dict[str, Any]:
    """What the manifest keeps beside the settings."""
    return {
        "versions": versions(),
        "command": shlex.join(sys.argv),
        "execution": execution.to_json(),
        "origin": dict(origin),
    }


def versions() -> dict[str, str]:
    """Versions of the program, Python and the libraries that matter."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"consingan": __version__, "python": platform.python_version()}
    for name in ("torch", "numpy", "scikit-image", "imageio", "safetensors"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
