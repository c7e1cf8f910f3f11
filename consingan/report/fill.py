"""How a report shows and judges the fill of a hole."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from consingan.outputs.fill import Filled
from consingan.report import figures
from consingan.report.material import Facts, Material, Verdict
from consingan.report.style import note, number, picture, section

SEEN = 1.6
"""Steps at the hole's edge, as many times those beside it, from which an edge may be seen."""


def look_at_fill(material: Material) -> str:
    """Hole, fills, truth and seam; then the ways that were tried at copies of the hole."""
    made: Filled | None = material.made
    if made is None:
        return _grid([("training image", material.real)])
    pictures = [("before: the hole", made.before)]
    if made.truth is not None:
        pictures.append(("truth", made.truth))
    for k, fill in enumerate(made.fills):
        caption = f"fill {k}, seam {made.seams[k]:.2f}"
        if made.apart:
            caption += f", SWD to known places {made.apart[k]:.1f}"
        if made.scores:
            score = made.scores[k]
            caption += f", PSNR {score.psnr:.1f} dB, SSIM {score.ssim:.2f}, SWD {score.swd:.1f}"
        pictures.append((caption, fill))
    pictures.append(("steps at the seam of fill 0; white is loud", made.seam_map))
    return _grid(pictures) + _eyes(material) + _trials(made)


def _eyes(material: Material) -> str:
    """What features the training went by, where it had any."""
    weights = getattr(material.config, "vgg_weights", "")
    features = getattr(material.config, "features", "")
    if not weights and not features:
        return ""
    named = {"patches": "the picture's own patches", "filters": "random filters",
             "none": "no features"}  # fmt: skip
    return note(f"Trained by {'VGG16' if weights else named.get(features, features)}.")


def _grid(pictures: list[tuple[str, Any]]) -> str:
    images = [picture(figures.data_uri(tensor, 400), name, name) for name, tensor in pictures]
    return f'<div class="grid roomy">{"".join(images)}</div>'


def _trials(made: Filled) -> str:
    if made.trials is None:
        return ""
    lead = note(
        "Copies of the hole were laid over known parts of the picture, filled by "
        "each way and held to what is there. A method that was trained on those places has seen "
        "them, so its figures flatter it."
    )
    rows = "".join(
        f"<tr><td>{escape(t.name)}{' (has seen the places)' if t.seen else ''}</td>"
        f'<td class="number">{number(t.score.psnr)}</td>'
        f'<td class="number">{number(t.score.ssim)}</td>'
        f'<td class="number">{number(t.score.swd)}</td></tr>'
        for t in made.trials.rows
    )
    head = (
        '<tr><th>way</th><th class="number">PSNR, dB ↑</th><th class="number">SSIM ↑</th>'
        '<th class="number">SWD ↓</th></tr>'
    )
    shown = [("truth", made.trials.truth), *((t.name, t.picture) for t in made.trials.rows)]
    table = f'<div class="scroll"><table>{head}{rows}</table></div>'
    return section("Which way fits here", lead, table, _grid(shown))


def on_fill(facts: Facts) -> Iterator[Verdict]:
    """The seam, and which way fits here."""
    made: Filled | None = facts.made
    if made is None:
        return
    ratio = min(made.seams)
    if ratio > SEEN:
        text = f"The hole's edge may be seen (steps {ratio:.1f} times as high as beside it)."
        yield Verdict("bad", text, facts.remedy("longer"))
    else:
        yield Verdict("good", f"The hole's edge is no step (seam {ratio:.2f}).")
    if made.trials is not None:
        best = made.trials.best
        text = (
            f"At hidden copies of the hole {best.name} fits best of what had not seen them "
            f"(SWD {best.score.swd:.1f}, PSNR {best.score.psnr:.1f} dB)."
        )
        yield Verdict("fair", text)


def figures_of_fill(made: Any) -> dict[str, Any]:
    """For metrics.json."""
    if made is None:
        return {}
    scores = [vars(score) for score in made.scores]
    tried = [] if made.trials is None else made.trials.to_json()
    return {
        "seams": list(made.seams),
        "to_known_places": list(made.apart),
        "in_the_hole": scores,
        "hidden_copies": tried,
    }
