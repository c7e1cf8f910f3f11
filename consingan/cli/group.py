"""Commands below one name, as `consingan` and `consingan singan` are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from consingan.machine.program import SCRIPTS, command_line, started_as


class Commands(click.Group):
    """Commands, among which a script's name is answered with the one that does its work.

    Args:
        training: what follows the name of the training here.
    """

    def __init__(self, *args: Any, training: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.training = training

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the command that `args` begin with."""
        for command, script in SCRIPTS.items():
            if args[0] in (script, script.removesuffix(".py")):
                words = (*started_as(command), *(self.training if command == "train" else ()))
                ctx.fail(f"No such command {args[0]!r}; use {command_line(words)}.")
        return super().resolve_command(ctx, args)
