"""From figures to plain words: did the training work, and if not, what to change.

The thresholds sort out what is clearly wrong; they do not rank what is right. Their reference are
samples that the authors of SinGAN and ConSinGAN published, judged by `consingan.metrics`: swd 3 to
14, copied area up to 0.33, new texture up to 0.03.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from consingan.metrics.judge import Judgement
from consingan.metrics.reconstruction import Reconstruction
from consingan.report.material import Curve, Facts, Verdict

NEARLY_COPIES = 0.6
"""Copied area from which samples are copies: nearly twice the most of any published sample."""

LARGE_COPIES = 0.4
"""Copied area that is worth a word: above every published sample."""

ALIKE = 0.1
"""Diversity under which samples are all alike: a fifth of what the paper reports (0.50 and 0.54),
because images with much plain sky have less to vary."""

POOR_RECONSTRUCTION = 10.0
"""dB of PSNR above the image's mean color: under it a tenth of the variance is missing, which the
eye sees as a blurred or stained picture. Relative, because a dull image has a high PSNR anyway."""

ROUGH_RECONSTRUCTION = 15.0
"""The same where 3 % of the variance is missing: the layout is right, detail is not."""

FINE_RECONSTRUCTION = 20.0
"""The same where 1 % is missing: nothing is seen to lack, so that it may still fall."""

FALLING = 0.3
"""Share by which the last stage's reconstruction loss may fall from the middle of a stage to just
before its learning rate drops. It halves there while a stage still learns the image, and stays
level once it only trades detail against the critic."""

FOREIGN_TEXTURE = 0.1
"""New texture (share of area unlike anything in the image), three times the published most. A
short training reaches it where the image is finely textured, and its samples still please."""

STRANGE_TEXTURE = 0.25
"""The same where a quarter is foreign, which the eye sees at once."""

SMALL = 64
"""Shorter side in px under which nothing is said of texture: such a picture has so few patches
that good samples, too, are far from it by swd (18 at 56 x 42)."""

FAR = 15.0
"""swd above every published sample: the distribution of patches is that of another image."""

STILL = 0.02
"""Diversity of an animation's frames under which nothing is seen to move (2 % of the contrast)."""

SAME = 0.05
"""Relative change of the region's swd that is within its own noise."""
ENOUGH = 100
"""Iterations in which any stage that learns at all comes closer to the image than a flat color."""


def on_training(facts: Facts) -> Iterator[Verdict]:
    """Whether the training was whole, and whether it gives back the image."""
    if facts.status == "diverged":
        yield Verdict("bad", "Training diverged.", facts.remedy("diverged"))
    elif facts.finished < facts.stages:
        yield Verdict(
            "fair",
            f"Training is not finished: {facts.finished} of {facts.stages} stages are here.",
            "Go on with main_train.py --resume.",
        )
    if facts.quality is not None:
        yield _on_reconstruction(facts, facts.quality)


def _on_reconstruction(facts: Facts, quality: Reconstruction) -> Verdict:
    psnr = f"PSNR {quality.psnr:.1f} dB"
    gain = quality.psnr + 20 * math.log10(max(facts.contrast, 1 / 255))
    longer = facts.remedy("longer")
    fall = falling(facts.reconstruction)
    longest = max((len(curve) for curve in facts.reconstruction), default=0)
    if gain < 0 and longest >= ENOUGH:
        return Verdict(
            "bad",
            f"Training collapsed: one flat color would be closer to the image ({psnr}).",
            facts.remedy("flat"),
        )
    if gain < POOR_RECONSTRUCTION:
        return Verdict(
            "bad", f"Training did not converge: it cannot give back the image ({psnr}).", longer
        )
    if fall is not None and fall > FALLING and gain < FINE_RECONSTRUCTION:
        return Verdict(
            "fair",
            f"Training was cut short: the reconstruction still improved by {fall:.0%} within the "
            f"last stage ({psnr}).",
            longer,
        )
    if gain < ROUGH_RECONSTRUCTION:
        return Verdict("fair", f"The image is given back without its detail ({psnr}).", longer)
    return Verdict("good", f"Training converged: the image is given back ({psnr}).")


def falling(curves: Sequence[Curve]) -> float | None:
    """Share by which the last stage's reconstruction loss fell while it should be level.

    Compares 30 to 55 % of the stage with 55 to 80 %, where the learning rate is still whole, by
    their lowest tenths, because the critic drives the loss up for a while now and then. None
    where there are too few iterations to tell.

    Args:
        curves: the reconstruction loss of each stage.
    """
    import numpy as np

    if not curves or len(curves[-1]) < 20:
        return None
    loss = curves[-1]
    first, middle, last = (int(share * len(loss)) for share in (0.3, 0.55, 0.8))
    before = float(np.quantile(loss[first:middle], 0.1))
    after = float(np.quantile(loss[middle:last], 0.1))
    return 1 - after / before if before > 0 else None


def mean_of(judgement: Judgement, name: str) -> float | None:
    """Mean of a metric; None where it was not computed."""
    summary = judgement.metrics.get(name)
    return None if summary is None else summary.mean


def on_texture(facts: Facts, judgement: Judgement, what: str) -> Iterator[Verdict]:
    """Whether pictures look like the image, by their patches."""
    if facts.short_side < SMALL:
        return
    distance, new = judgement.metrics["swd"].mean, judgement.metrics["new_texture"].mean
    figures = f"SWD {distance:.1f}"
    if new > FOREIGN_TEXTURE:
        figures += f", {new:.0%} of the area unlike anything in it"
    advice = facts.remedy("texture")
    if distance > FAR or new > STRANGE_TEXTURE:
        yield Verdict("bad", f"{what} do not look like the image ({figures}).", advice)
    elif new > FOREIGN_TEXTURE:
        yield Verdict("fair", f"{what} are rough in places ({figures}).", advice)
    else:
        yield Verdict("good", f"{what} have the image's colors and texture ({figures}).")
