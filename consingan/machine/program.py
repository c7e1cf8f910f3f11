"""How this program was started, for commands that it prints to be typed next."""

from __future__ import annotations

import sys

import click

SCRIPTS = {"train": "main_train.py", "evaluate": "evaluate_model.py"}


def started_as(command: str) -> tuple[str, ...]:
    """Words that start a command: ("python", "main_train.py") for train.

    A script of the user's own that runs our commands (because it adds a mode, for example) is
    named instead: only it knows the mode.
    """
    context = click.get_current_context(silent=True)
    root = context.find_root() if context else None
    if root is not None and isinstance(root.command, click.Group):
        name = root.info_name or ""
        if name.endswith(".py") and set(SCRIPTS) <= set(root.command.commands):
            return ("python", sys.argv[0], command)
    return ("python", SCRIPTS[command])
