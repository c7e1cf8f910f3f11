"""Every check, on any system: `python .ci/checks.py`, or only some: `... lint types`.

`make test` runs this in a virtual environment that it sets up.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Words after the interpreter.
CHECKS = {
    "format": ("-m", "ruff", "format", "--check", "."),
    "lint": ("-m", "ruff", "check", "."),
    "types": ("-m", "mypy"),
    "arrows": ("-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-logo"),
    "rules": (".ci/rules.py",),
    # Among them: both distributions are built, checked and used.
    "tests": ("-m", "pytest", "-n", "2", "--dist", "worksteal"),
}
# Checks that are run when they are named, and part of no other command.
# `make quick` runs of the tests the pure parts and the authors' numbers; the tests with coverage,
# which must stay above the bound that pyproject.toml sets, take a fifth longer than without.
NAMED = {
    "coverage": ("-m", "pytest", "-n", "2", "--cov", "--cov-report=term:skip-covered"),
    "quick": (
        "-m", "pytest", "-n", "2", "-q", "tests/settings", "tests/nn", "tests/runs",
        "tests/methods/consingan/test_conformance.py", "tests/methods/consingan/test_tasks.py",
        "tests/methods/consingan/test_pyramid.py", "tests/docs/test_rules.py",
    ),
}  # fmt: skip
# Begun first and shown last: the tests wait a fifth of their time, for a browser and for servers.
BESIDE = "types"
# One thread per test process: two processes share the cores, and OpenMP threads that wait for one
# another on a busy core cost far more than they bring.
# What is imported is compiled once and kept, whatever the machine says: tests start hundreds of
# processes, and the set-up compiles nothing.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg", "PYTHONDONTWRITEBYTECODE": "",
    "MYPY_NUM_WORKERS": "2",
}  # fmt: skip
MEMORY = Path("/dev/shm")  # files that are kept in memory, where there is such a folder
ROOM = 2 << 30  # bytes: ten times what the tests leave


def main() -> int:
    """Run what was asked for; 0 if all of it is well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"some of {', '.join(CHECKS)}")
    names = parser.parse_args().checks or list(CHECKS)
    if unknown := sorted(set(names) - set(CHECKS | NAMED)):
        known = ", ".join(CHECKS | NAMED)
        parser.error(f"there is no check {unknown[0]!r}; there are {known}")
    with ThreadPoolExecutor(1) as beside:
        waiting = {name: beside.submit(run, name, True) for name in names if name == BESIDE}
        ended = {name: show(name, run(name)) for name in names if name != BESIDE}
        ended |= {name: show(name, one.result()) for name, one in waiting.items()}
    failed = [name for name in names if not ended[name]]
    print(f"failed: {', '.join(failed)}" if failed else f"passed: {', '.join(names)}")
    return 1 if failed else 0


def run(name: str, quietly: bool = False) -> tuple[int, float, str]:
    """Exit code and seconds of a check in a process of its own, and its output if it is not shown.

    Args:
        name: of the check.
        quietly: nothing is written to the terminal.
    """
    command = [sys.executable, *(CHECKS | NAMED)[name]]
    print("$", " ".join(command[1:]), "(shown at the end)" if quietly else "", flush=True)
    start = time.perf_counter()
    with in_memory() as place:
        environment = {**os.environ, **ENVIRONMENT, **place}
        ways = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} if quietly else {}
        done = subprocess.run(command, cwd=ROOT, env=environment, text=True, check=False, **ways)
    return done.returncode, time.perf_counter() - start, done.stdout or ""


def show(name: str, ended: tuple[int, float, str]) -> bool:
    """Say how a check ended; whether it passed."""
    code, seconds, output = ended
    print(f"{output}{name}: {'passed' if code == 0 else 'FAILED'}, {seconds:.0f} s", flush=True)
    return code == 0


@contextlib.contextmanager
def in_memory() -> Iterator[dict[str, str]]:
    """Variables that put temporary files into memory: tests write and sync thousands of them."""
    if not (os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM):
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="checks-", dir=MEMORY) as folder:
        yield {"TMPDIR": folder}


if __name__ == "__main__":
    sys.exit(main())
