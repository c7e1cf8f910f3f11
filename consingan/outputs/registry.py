"""The table of outputs; a row's name is what a task's `output` says. Imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consingan.outputs.contract import Output
from consingan.outputs.requests import (
    CompositeRequest,
    EnlargementRequest,
    FilmRequest,
    SamplesRequest,
)

if TYPE_CHECKING:
    from torch import Tensor

OUTPUTS: dict[str, Output] = {
    output.name: output
    for output in (
        Output("samples", "random samples", SamplesRequest, "consingan.outputs.samples"),
        Output("film", "films", FilmRequest, "consingan.outputs.film"),
        Output("enlargement", "enlargements", EnlargementRequest, "consingan.outputs.enlargement"),
        Output("composite", "composites", CompositeRequest, "consingan.outputs.composite"),
    )
}


def output_of(model: Any) -> Output:
    """What an evaluation of `model` makes."""
    return OUTPUTS[model.task.output]


def sheet_of(model: Any, naive: Tensor | None = None) -> list[Tensor]:
    """Pictures of a model in training: the image, what it gives back, what it is trained for.

    Args:
        model: that is being trained.
        naive: the user's own picture at its own size, (1, 3, H, W) in [-1, 1].
    """
    from consingan.methods.contract import Reconstructs

    given_back = [model.reconstruction()] if isinstance(model, Reconstructs) else []
    return [model.real, *given_back, *output_of(model).load().preview(model, naive)]
