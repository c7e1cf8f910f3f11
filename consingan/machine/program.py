"""How this program was started, for commands that it prints to be typed next."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable
from contextvars import ContextVar
from pathlib import Path

import click

SCRIPTS = {"train": "main_train.py", "evaluate": "evaluate_model.py"}
INSTALLED = "consingan"
_TYPED: ContextVar[click.Context | None] = ContextVar("_TYPED", default=None)


def started_as(command: str) -> tuple[str, ...]:
    """Words that start a command here: ("python", "main_train.py") or ("consingan", "train").

    Whoever typed one of the scripts has the other beside it; whoever typed an installed command
    has no scripts. A script of the user's own that runs our commands (because it adds a mode, for
    example) is named instead: only it knows the mode.
    """
    script = Path(sys.argv[0])
    if _all_commands_are_here():
        if _is_a_users(script):
            return ("python", sys.argv[0], command)
        module = script.name == "__main__.py"
        return (*(("python", "-m", INSTALLED) if module else (INSTALLED,)), command)
    if command not in SCRIPTS:
        return (INSTALLED, command)
    if script.name in SCRIPTS.values():
        return ("python", str(script.with_name(SCRIPTS[command])))
    if Path(SCRIPTS[command]).is_file():
        return ("python", SCRIPTS[command])
    return (INSTALLED, command)


def starter() -> tuple[str, ...]:
    """Words that a process of its own is started with, before a command's: as this one was.

    By a script of the user's own, if that runs our commands.
    """
    script = Path(sys.argv[0])
    if _all_commands_are_here() and _is_a_users(script):
        return (sys.executable, str(script.absolute()))
    return (sys.executable, "-m", INSTALLED)


def tell_threads() -> None:
    """Let threads that are handed this one's context variables know what was typed, too.

    Click tells it to the thread that it called alone.
    """
    _TYPED.set(click.get_current_context(silent=True))


def _typed() -> click.Context | None:
    return click.get_current_context(silent=True) or _TYPED.get()


def _all_commands_are_here() -> bool:
    """Whether one of many commands was typed, in whatever program has them."""
    context = _typed()
    return context is not None and isinstance(context.find_root().command, click.Group)


def _is_a_users(script: Path) -> bool:
    """Whether a script of the user's own hands what is typed after it on to our commands.

    One that opens the page by itself, or has our commands below one of its own, would do something
    else with the name of another of them.
    """
    if script.suffix != ".py" or script.name == "__main__.py":
        return False
    root = context = _typed() or click.get_current_context()
    while root.parent is not None:
        root, context = root.parent, root
    assert isinstance(root.command, click.Group)
    ours = SCRIPTS.keys() <= set(root.command.list_commands(root))
    return ours and sys.argv[1:2] == [context.info_name]


def command_line(words: Iterable[str]) -> str:
    """Words as they are typed in the system's own shell, quoted where that is needed."""
    return subprocess.list2cmdline([*words]) if os.name == "nt" else shlex.join(words)


def go_on_command(run: Path) -> str:
    """The command that goes on with a run."""
    return command_line((*started_as("train"), "--resume", "--model_dir", str(run)))
