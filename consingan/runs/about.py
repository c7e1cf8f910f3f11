"""What a run notes down about how it was made."""

from __future__ import annotations

import platform
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from consingan._version import __version__
from consingan.machine.execution import Execution


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
