"""How a report shows and judges samples of a method that learned crops of the image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from consingan.images.io import from_pixels
from consingan.outputs.crops import BesideCrops, crops_sheet
from consingan.report import figures
from consingan.report.material import Facts, Verdict
from consingan.report.style import note, picture, section

NEAR = 2.0
"""Times the distance of two sets of crops, up to which samples are as good as crops."""


def look_at_crops(found: BesideCrops | None) -> str:
    """Rows of crops above rows of samples, with the figures; nothing for other methods."""
    if found is None:
        return ""
    shown = picture(figures.data_uri(from_pixels(crops_sheet(found))), "crops", "crops and samples")
    lead = note(
        f"This method makes no whole pictures but crops. {found.in_words} (distance of all "
        "patches of one set to all of the other, lower is better)."
    )
    return section("Beside real crops", lead, shown)


def on_crops(facts: Facts) -> Iterator[Verdict]:
    """What the distance to real crops means."""
    found: BesideCrops | None = getattr(facts.made, "crops", None)
    if found is None:
        return
    figures_ = f"(SWD {found.distance:.1f}, two sets of crops {found.between_crops:.1f})"
    if found.distance <= NEAR * found.between_crops:
        yield Verdict("good", f"Samples have the patches of real crops {figures_}.")
    else:
        text = f"Samples are far from real crops {figures_}."
        # Where the critic won, more of the same makes nothing better.
        yield Verdict("bad", text, "" if facts.beaten else facts.remedy("texture"))


def figures_of_crops(made: Any) -> dict[str, Any]:
    """For metrics.json."""
    found: BesideCrops | None = getattr(made, "crops", None)
    return {} if found is None else {"beside_crops": found.to_json()}
