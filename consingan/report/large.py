"""How a report judges large pictures: reduced, and on windows of them at full size."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from html import escape

import torch
from torch import Tensor

from consingan.images.io import unit
from consingan.metrics.reconstruction import Reconstruction, contrast, reconstruction_quality
from consingan.metrics.swd import pooled_distances
from consingan.outputs.large import (
    other_places,
    places,
    reduced,
    reduction,
    windows_at,
)
from consingan.report import figures
from consingan.report.material import Facts, Material, Verdict, Windows
from consingan.report.style import note, picture, section
from consingan.report.verdicts import FAR

NEAR = 2.0
"""Times the distance of two sets of windows of the image, up to which samples have its detail."""

SHOWN = 3
"""Windows of the image and of a sample on the page."""


def judge_windows(real: Tensor, samples: Sequence[Tensor]) -> Windows | None:
    """Hold the windows of samples to those of the image; None where there are none.

    Args:
        real: (1, C, h, w) in [-1, 1], the whole image.
        samples: (n, C, side, side) in [-1, 1] of each, see `outputs.large.Look`.
    """
    if not samples:
        return None
    size = (real.shape[-2], real.shape[-1])
    own = windows_at(real, places(size))
    others = windows_at(real, other_places(size))
    found = pooled_distances(unit(own), [unit(some) for some in (others, *samples)])
    between, *distances = found.tolist()
    return Windows(own, samples[0], distances, between)


def quality_of(
    real: Tensor, given_back: Tensor, sketch: tuple[Tensor, Tensor] | None = None
) -> Reconstruction:
    """`reconstruction_quality` of (1, C, h, w) in [0, 1]; of large pictures that of windows.

    Args:
        real: the image.
        given_back: what the model gives back of it.
        sketch: both in [-1, 1] at the last stage that was trained, where that is not the finest.
    """
    if sketch:
        size = (sketch[0].shape[-2], sketch[0].shape[-1])
        found = reconstruction_quality(*(unit(x) for x in sketch))
        return dataclasses.replace(found, size=size)
    return reconstruction_quality(_on_windows(real), _on_windows(given_back.to(real)))


def contrast_of(real: Tensor, sketch: tuple[Tensor, Tensor] | None) -> float:
    """`contrast` of that image which `quality_of` holds the reconstruction to, in [0, 1]."""
    return contrast(unit(sketch[0]) if sketch else _on_windows(real))


def _on_windows(picture: Tensor) -> Tensor:
    """Windows of a large picture side by side; others as they are."""
    seen = places((picture.shape[-2], picture.shape[-1]))
    return torch.cat(windows_at(picture, seen).split(1), 3) if seen else picture


def how_judged(material: Material) -> str:
    """What was done to a large picture before it was judged; nothing of others."""
    size = (material.real.shape[-2], material.real.shape[-1])
    factor, windows = reduction(size), material.windows
    if factor == 1:
        return ""
    small = reduced(material.real)
    said = (
        f"The image is large ({size[1]}x{size[0]} px): samples and image are judged reduced to "
        f"{small.shape[-1]}x{small.shape[-2]} px, the reconstruction on windows"
    )
    if windows is None:
        return f"{said}."
    count, _, _, side = windows.real.shape
    return f"{said}, fine detail on {count} windows of {side} px at full size."


def windows_section(material: Material) -> str:
    """Windows of the image above those of a sample, with the figures; nothing of small pictures."""
    windows = material.windows
    if windows is None:
        return ""
    shown = "".join(
        picture(figures.data_uri(material.seen(window), 256), f"{word} {n}", f"{word} {n}")
        for word, some in (("image", windows.real), ("sample", windows.sample))
        for n, window in enumerate(some[:SHOWN].split(1))
    )
    lead = note(
        f"{escape(how_judged(material))} SWD {windows.mean:.1f}; other windows of the image "
        f"itself: {windows.between:.1f} (lower is better)."
    )
    return section("At full size", lead, f'<div class="grid">{shown}</div>')


def on_windows(facts: Facts) -> Iterator[Verdict]:
    """Whether samples have the image's fine detail."""
    windows = facts.windows
    if windows is None:
        return
    said = f"(SWD {windows.mean:.1f} at full size, windows of the image {windows.between:.1f})"
    if windows.mean <= NEAR * windows.between:
        yield Verdict("good", f"Samples have the image's fine detail {said}.")
    elif windows.mean <= FAR:
        yield Verdict("fair", f"Fine detail is not quite the image's {said}.")
    else:
        text = f"Samples lack the image's fine detail {said}."
        yield Verdict("bad", text, facts.remedy("texture"))
