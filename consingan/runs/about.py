"""What a run notes down about how it was made."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from consingan._version import __version__
from consingan.machine.device import processor
from consingan.machine.execution import Execution
from consingan.machine.files import described
from consingan.machine.program import command_line
from consingan.runs.manifest import resumed_of


def about_this_run(
    execution: Execution,
    origin: Mapping[str, str],
    base: Path | None = None,
    pictures: Mapping[str, Path] | None = None,
) -> dict[str, Any]:
    """What the manifest keeps beside the settings.

    The command is what was typed; what repeats the run is made of the rest.

    Args:
        execution: where and how it is trained.
        origin: where each setting came from.
        base: the run that a fine-tuning began with.
        pictures: files that went in, by the name of their setting.
    """
    return {
        **how_computed(execution),
        "command": command_line(sys.argv),
        "origin": dict(origin),
        "pictures": described(pictures or {}),
        **({} if base is None else {"base": str(base)}),
    }


def how_computed(execution: Execution) -> dict[str, dict[str, Any]]:
    """All that decides the last digits beside the settings, entries of the manifest."""
    return {
        "versions": versions(),
        "execution": execution.to_json(),
        "machine": this_machine(),
    }


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What is not as it was of `how_computed`, by name: then and now, as far as it was noted."""
    return {
        name: (value, here.get(name))
        for part, here in now.items()
        for name, value in before.get(part, {}).items()
        if here.get(name) != value
    }


def went_on(manifest: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each place from which on a run was computed otherwise than before."""
    before = manifest
    for entry in resumed_of(manifest):
        parts = {name: entry[name] for name in ("versions", "machine", "execution")}
        ways = changed(before, parts).items()
        words = [f"{name} {now} instead of {then}" for name, (then, now) in ways]
        yield (
            f"From iteration {entry['iteration'] + 1} of stage {entry['stage'] + 1} on it was "
            f"trained with {', '.join(words)}."
        )
        before = entry


def this_machine() -> dict[str, str]:
    """What decides the last digits beside versions and settings."""
    return {"processor": processor(), "system": platform.system()}


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
