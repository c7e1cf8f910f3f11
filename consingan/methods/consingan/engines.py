"""Which engine executes a training: the table of `--engine`."""

from __future__ import annotations

from functools import partial

from consingan.errors import UserError
from consingan.machine.graphs import GraphEngine, wanted
from consingan.machine.precision import Arithmetic
from consingan.methods.consingan.engine import Engine, EngineFactory, PlainEngine, StageTask
from consingan.methods.consingan.fast_engine import FastEngine

ENGINES = ("auto", "plain", "fast")


def choose_engine(
    engine: str, arithmetic: Arithmetic, checkpointing: bool = False
) -> EngineFactory:
    """What makes the engine of each stage.

    Args:
        engine: "plain", the textbook loop, always in float32; "fast", the same in fewer
            operations and in `arithmetic`, on an NVIDIA GPU launched as one graph; "auto" is
            "fast", which works on every device.
        arithmetic: from `precision.choose_arithmetic`.
        checkpointing: give up the trained stages' activations and compute them again in the
            backward pass: less memory, more time, the same numbers.

    Raises:
        UserError: there is no such engine, or the plain one was asked for what it does not do.
    """
    if engine not in ENGINES:
        raise UserError(f"--engine {engine} is unknown; choose one of {', '.join(ENGINES)}.")
    if engine == "plain":
        if checkpointing:
            raise UserError("--checkpointing needs --engine fast; leave one of them out.")
        return PlainEngine
    return partial(_fast, arithmetic=arithmetic, checkpointing=checkpointing)


def _fast(task: StageTask, arithmetic: Arithmetic, checkpointing: bool) -> Engine:
    # Every window has matrices of its own, which a graph would have to record.
    if wanted(task.real.device) and not task.windowed:
        return GraphEngine(FastEngine(task, arithmetic, checkpointing, capturable=True))
    return FastEngine(task, arithmetic, checkpointing)
