"""Which engine executes a training: the table of `--engine`."""

from __future__ import annotations

from functools import partial

from consingan.engine import EngineFactory, PlainEngine
from consingan.errors import UserError
from consingan.fast_engine import FastEngine
from consingan.precision import Arithmetic

ENGINES = ("auto", "plain", "fast")


def choose_engine(
    engine: str, arithmetic: Arithmetic, checkpointing: bool = False
) -> EngineFactory:
    """What makes the engine of each stage.

    Args:
        engine: "plain", the textbook loop, always in float32; "fast", the same in fewer
            operations and in `arithmetic`; "auto" is "fast", which works on every device.
        arithmetic: from `precision.choose_arithmetic`.
        checkpointing: give up the trained stages' activations and compute them again in the
            backward pass: less memory, more time, the same numbers.

    Raises:
        UserError: the plain engine was asked for what it does not do.
    """
    if engine == "plain":
        if checkpointing:
            raise UserError("--checkpointing needs --engine fast; leave one of them out.")
        return PlainEngine
    return partial(FastEngine, arithmetic=arithmetic, checkpointing=checkpointing)
