"""From figures to plain words: did the training work, and if not, what to change.

The thresholds sort out what is clearly wrong; they do not rank what is right. Their reference are
samples that the authors of SinGAN and ConSinGAN published, judged by `consingan.metrics`: swd 3 to
14, largest piece up to 0.27, new texture up to 0.03.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from consingan.metrics.judge import Judgement
from consingan.metrics.reconstruction import Reconstruction
from consingan.outputs.finisher import usual_patch
from consingan.report.advice import start_of
from consingan.report.material import Curve, Facts, Region, Verdict

NEARLY_COPIES = 0.8
"""Share of a sample that is one piece of the image from which there is little else in it, to the
eye: three times the most of any published sample (0.01 to 0.27, 0.08 in the mean)."""

LARGE_COPIES = 0.55
"""The same that is worth a word: twice the most of any published sample."""

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
"""Shorter side in px under which texture is judged by `NO_TEXTURE` and `OWN_TEXTURE`: such a
picture has so few patches that swd is large for good samples, too (28 in the median at 48 px, of
pictures put together from shifted and mirrored parts of the image), and that new texture is found
even there (0.3)."""

NO_TEXTURE = 0.75
"""swd as a share of that of one flat color, from which on a small picture does not look like the
image. Eight pictures (five of Images/Generation, three of scikit-image), reduced to 24 to 60 px:
put together from parts of the image itself they have 0.09 to 0.73, other pictures of the eight
0.73 to 3.4 (median 1.3), noise of the image's colors 0.13 to 1.5 (median 0.9)."""

OWN_TEXTURE = 0.4
"""The same up to which it does look so, as far as so small a picture can tell: blurred until only
colors are right (by 2 px) the eight have 0.33 to 0.89 (median 0.65). The samples of `make demo`,
which are good to the eye, have 0.15."""

KEPT, RELATED = 0.3, 0.3
"""Share of a picture's pixels that are the training image's (16 of 255 at most apart), and swd as
a share of one flat color's, on whose other sides a picture has nothing to do with that image. The
five pairs of Images/Harmonization and Images/Editing keep 0.87 or more and have 0.03 to 0.21;
two different ones of these pictures keep 0.08 at most and have 0.34 or more, at 64 to 250 px."""

SMALLEST_PATCH = 7
"""Side in px of the smallest patches that a finish is advised to take. A tower at 250 px, whose
samples with 9 px are one piece for 59 % of their area, has 38 % with 7, and is still a tower."""

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
            "Go on with --resume." if facts.status != "finished" else "",  # of the authors' program
        )
    if facts.beaten:
        text = (
            "The critic won: it tells all samples from the image, so that they hardly get better."
        )
        yield Verdict("bad", text, facts.remedy("beaten"))
    if facts.quality is not None:
        yield _on_reconstruction(facts, facts.quality)


def _on_reconstruction(facts: Facts, quality: Reconstruction) -> Verdict:
    psnr = f"PSNR {quality.psnr:.1f} dB{quality.where}"
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


def more_variety(facts: Facts) -> str:
    """What to change where samples are alike, first what takes no training."""
    sketched = facts.quality is not None and facts.quality.size is not None
    return made_otherwise(facts.made, sketched) or facts.remedy("copies")


def made_otherwise(made: Any, sketched: bool) -> str:
    """How samples of the same model vary more; "" where nothing held them back.

    Args:
        made: by the output.
        sketched: whether samples are rough without a finish, see `contract.Sketches`.
    """
    start = start_of(made)
    earlier = f"Evaluate with a lower --start_stage (now {start})." if start > 0 else ""
    return " ".join(part for part in (earlier, other_finish(made, sketched)) if part)


def other_finish(made: Any, sketched: bool) -> str:
    """How samples that were finished vary more; "" of others.

    Args:
        made: by the output.
        sketched: whether samples are rough without a finish, see `contract.Sketches`.
    """
    if not (finish := getattr(made, "finish", 0.0)):
        return ""
    usual, patch = usual_patch(), getattr(made, "finish_patch", 0)
    smaller = usual if patch > usual else patch - 2
    more = finish if getattr(made, "finish_within", 0.0) else finish + 0.1
    ways = [f"--finish_patch {smaller} (now {patch})"] if smaller >= SMALLEST_PATCH else []
    ways += [f"--finish {more:.3g}, which makes more anew"] if more <= 0.8 else []
    ways += [] if sketched else ["--finish 0"]
    return f"Evaluate with {', or '.join(ways)}." if ways else ""


def on_texture(facts: Facts, judgement: Judgement, what: str) -> Iterator[Verdict]:
    """Whether pictures look like the image, by their patches."""
    if facts.short_side < SMALL:
        yield from _on_small_texture(facts, judgement, what)
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


def _on_small_texture(facts: Facts, judgement: Judgement, what: str) -> Iterator[Verdict]:
    """The same of a picture too small for absolute figures: one flat color is the measure."""
    if not facts.flat:
        return
    distance = judgement.metrics["swd"].mean
    figures = f"SWD {distance:.1f}; one flat color has {facts.flat:.1f}"
    share = distance / facts.flat
    if share >= NO_TEXTURE:
        text = f"{what} do not look like the image ({figures})."
        yield Verdict("bad", text, facts.remedy("texture"))
    elif share > OWN_TEXTURE:
        text = f"{what} are far from the image ({figures}), which is too small to tell; look."
        yield Verdict("fair", text, facts.remedy("texture"))
    else:
        text = f"{what} have the image's colors and, as far as its size tells, texture ({figures})."
        yield Verdict("good", text)


def on_relation(region: Region) -> Iterator[Verdict]:
    """Whether a picture of the user's own has anything to do with the training image."""
    if region.kept < KEPT and region.distance > RELATED:
        yield Verdict(
            "fair",
            f"The picture has nothing to do with the training image ({region.kept:.0%} of it is "
            f"the same, and its patches are {region.distance:.0%} as far as one flat color's).",
            "The model knows only the image it was trained on; train on this picture without what "
            "was pasted, or on one that looks like it.",
        )
