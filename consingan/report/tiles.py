"""How a report shows and judges tiles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from consingan.outputs.tiles import Seams
from consingan.report import figures
from consingan.report.material import Facts, Material, Verdict
from consingan.report.style import note, picture, section

UNSEEN = 1.1
"""Difference across the seam over that inside, up to which nobody finds it."""

SHOWN = 3


def look_at_tiles(material: Material) -> str:
    """Some tiles two by two, with the error of their seams; nothing for other pictures."""
    found: Seams | None = getattr(material.made, "seams", None)
    if found is None:
        return ""
    lead = note(
        f"Seam error {found.mean:.2f}, at worst {found.worst:.2f}: the difference of neighbors "
        "across the seam over that of neighbors inside, so that 1 cannot be seen."
    )
    images = [
        picture(figures.data_uri(material.seen(preview), 400), f"sample {n}, two by two")
        for n, preview in enumerate(found.previews[:SHOWN])
    ]
    return section("As tiles", lead, f'<div class="grid">{"".join(images)}</div>')


def on_tiles(facts: Facts) -> Iterator[Verdict]:
    """Whether the seams can be seen."""
    found: Seams | None = getattr(facts.made, "seams", None)
    if found is None:
        return
    if found.mean <= UNSEEN:
        yield Verdict("good", f"The tiles show no seam (seam error {found.mean:.2f}).")
    else:
        yield Verdict("fair", f"The seams of the tiles can be seen (seam error {found.mean:.2f}).")


def figures_of_tiles(made: Any) -> dict[str, Any]:
    """For metrics.json."""
    found: Seams | None = getattr(made, "seams", None)
    return {} if found is None else {"seams": found.to_json()}
