"""Which engine executes a training, and how the trained scales run meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from consingan.errors import UserError
from consingan.machine.execution import Execution
from consingan.methods.singan.chain import Runner, Scale, run_plainly
from consingan.methods.singan.engine import EngineFactory, PlainEngine
from consingan.methods.singan.fast_engine import FastEngine
from consingan.methods.singan.folded import FoldedRunner


def choose_engine(execution: Execution) -> EngineFactory:
    """What makes the engine of each scale.

    Raises:
        UserError: it was asked for what no engine of this method does.
    """
    if execution.checkpointing:
        raise UserError(
            "--checkpointing is not for --method singan, whose steps keep one scale's maps only; "
            "leave it out."
        )
    if execution.engine == "plain":
        return PlainEngine
    return partial(FastEngine, arithmetic=execution.arithmetic)


def choose_runner(execution: Execution, scales: Sequence[Scale]) -> Runner:
    """What runs the trained scales in a training."""
    if execution.engine == "plain":
        return run_plainly
    return FoldedRunner([scale.generator for scale in scales], execution.arithmetic)
