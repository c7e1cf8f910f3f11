"""The table of outputs; a row's name is what a task's `output` says. Imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consingan.outputs.contract import Output
from consingan.outputs.requests import (
    CompositeRequest,
    EnlargementRequest,
    FillRequest,
    FilmRequest,
    SamplesRequest,
    TranslationRequest,
)

if TYPE_CHECKING:
    from torch import Tensor

    from consingan.images.raster import Pixels

OUTPUTS: dict[str, Output] = {
    output.name: output
    for output in (
        Output("fill", "fills", FillRequest, "consingan.outputs.fill", ("hole", "fill")),
        Output("samples", "random samples", SamplesRequest, "consingan.outputs.samples"),
        Output("film", "films", FilmRequest, "consingan.outputs.film"),
        Output("enlargement", "enlargements", EnlargementRequest, "consingan.outputs.enlargement"),
        Output(
            "composite",
            "composites",
            CompositeRequest,
            "consingan.outputs.composite",
            ("naive image", "result"),
        ),
        Output(
            "translation",
            "translations",
            TranslationRequest,
            "consingan.outputs.translation",
            ("A of the training",),
        ),
    )
}


def output_of(model: Any) -> Output:
    """What an evaluation of `model` makes."""
    return OUTPUTS[model.task.output]


def sheet_of(model: Any, naive: Tensor | None) -> Pixels:
    """A sheet of a model in training: the image, what it gives back, what it is trained for.

    Args:
        model: that is being trained.
        naive: the user's own picture at its own size, (1, 3, H, W) in [-1, 1].
    """
    from consingan.images.sheets import labelled
    from consingan.methods.contract import Reconstructs
    from consingan.outputs.formats import for_eyes
    from consingan.outputs.reconstruction import reconstruction

    output = output_of(model)
    shown = [("training image", model.real)]
    if isinstance(model, Reconstructs):
        shown.append(("reconstruction", reconstruction(model)))
    previewed = output.load().preview(model, naive)
    names = output.previewed or [f"sample {number}" for number in range(1, len(previewed) + 1)]
    shown += zip(names, previewed, strict=False)
    pictures = for_eyes(model, [picture for _, picture in shown])
    return labelled(pictures, [name for name, _ in shown])
