"""What a run notes down about how it was made."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consingan._version import __version__
from consingan.machine.execution import Execution
from consingan.machine.program import command_line


def about_this_run(
    execution: Execution, origin: Mapping[str, str], base: Path | None = None
) -> dict[str, Any]:
    """What the manifest keeps beside the settings; `base` is the run that a fine-tuning began with.

    The command is what was typed; what repeats the run is made of the rest.
    """
    return {
        "versions": versions(),
        "command": command_line(sys.argv),
        "execution": execution.to_json(),
        "origin": dict(origin),
        **({} if base is None else {"base": str(base)}),
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
