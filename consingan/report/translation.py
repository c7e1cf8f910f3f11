"""How a report shows and judges translations: the pair, new A's, and whether it was learned by
heart.

The thresholds come from trials of one photograph at 128 px: bent, a pair learned by heart differed
from B three to seven times as much as it did as it is (0.051 against 0.015, 0.097 against 0.013),
others hardly more (0.050 against 0.052).
"""  # noqa: D205 - one sentence

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from consingan.outputs.held_out import Agreement, HeldOut
from consingan.outputs.translation import BENT, Translation
from consingan.report import figures
from consingan.report.material import Facts, Material, Verdict
from consingan.report.style import note, number, picture, section

BY_HEART = 1.6
"""Mean difference of bent pairs to that of the pair itself, from which it was learned by heart."""

SMOOTH = 4.5
"""SWD of bent pairs above which results lack the texture of B."""

FAR = 0.12
"""Mean difference (pictures in [0, 1]) from which nothing was learned."""


def look_at_translation(material: Material) -> str:
    """A, B and what is given back; new A's with their results; some bent pairs."""
    made: Translation | None = material.made
    pictures = [("B, the image", material.real)]
    if made is not None:
        pictures.insert(0, ("A of the training", made.condition))
    if material.reconstruction is not None:
        pictures.append(("made of A", material.reconstruction))
    rows = [_grid(pictures)]
    if made is None:
        return rows[0]
    for done in made.translated:
        results = [("result", result) for result in done.results.split(1)]
        rows.append(_grid([(f"new A: {done.name}", done.condition), *results]))
    return "\n".join(rows) + ("" if made.test is None else _bent(made.test))


def _grid(pictures: list[tuple[str, Any]]) -> str:
    images = [picture(figures.data_uri(tensor, 400), name, name) for name, tensor in pictures]
    return f'<div class="grid roomy">{"".join(images)}</div>'


def _bent(test: HeldOut) -> str:
    lead = note(
        "A and B were bent alike, as in no iteration of the training; what is made of the bent A "
        "is compared with the bent B. Who knows the pair by heart fails here."
    )
    lines = (
        ("mean difference", "l1", "lower"),
        ("SSIM", "ssim", "higher"),
        ("SWD", "swd", "lower"),
    )
    rows = [
        f'<tr><td>{escape(title)}</td><td class="number">{number(getattr(test.bent, name))}</td>'
        f'<td class="number">{number(getattr(test.trained, name))}</td><td>{better}</td></tr>'
        for title, name, better in lines
    ]
    head = (
        '<tr><th>metric</th><th class="number">bent pairs</th><th class="number">the pair itself'
        "</th><th>better</th></tr>"
    )
    shown = [
        pair
        for bent, true, result in test.pictures[:BENT]
        for pair in (("bent A", bent), ("B bent alike", true), ("result", result))
    ]
    table = f'<div class="scroll"><table>{head}{"".join(rows)}</table></div>'
    return section("Learned or known by heart", lead, table, _grid(shown))


def on_translation(facts: Facts) -> Iterator[Verdict]:
    """What the test with bent pairs means."""
    made: Translation | None = facts.made
    if made is None or made.test is None:
        return
    bent, trained = made.test.bent, made.test.trained
    held = f"(L1 {bent.l1:.3f} against {trained.l1:.3f} of the pair itself)"
    if not facts.method.losses:
        yield _on_lookup(bent)
    elif bent.l1 > FAR:
        yield Verdict("bad", f"It has not learned the pair {held}.", facts.remedy("longer"))
    elif bent.l1 > BY_HEART * trained.l1:
        text = f"The pair was learned by heart: it fails on the same pair bent {held}."
        yield Verdict("bad", text, facts.remedy("learned_by_heart"))
    else:
        yield Verdict("good", f"It holds for new A's of the same kind {held}.")
        if bent.swd > SMOOTH:
            text = f"Results lack B's texture (SWD {bent.swd:.1f})."
            yield Verdict("fair", text, facts.remedy("smooth"))


def _on_lookup(bent: Agreement) -> Verdict:
    """Where patches are looked up, the pair itself is always found again."""
    figures_ = f"(bent pairs: L1 {bent.l1:.3f}, SWD {bent.swd:.1f})"
    if bent.l1 > FAR:
        return Verdict("bad", f"A says too little of B to look it up by {figures_}.")
    return Verdict("good", f"Looked up, not learned: new A's of the same kind work {figures_}.")


def figures_of(made: Any) -> dict[str, Any]:
    """The test's outcome for metrics.json."""
    return {} if made is None or made.test is None else made.test.to_json()
