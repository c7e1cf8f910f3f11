"""From figures to plain words: did the training work, and if not, what to change.

The thresholds sort out what is clearly wrong; they do not rank what is right. Their reference are
samples that the authors of SinGAN and ConSinGAN published, judged by `consingan.metrics`: swd 3 to
14, copied area up to 0.33, new texture up to 0.03.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from consingan.methods.consingan.saturation import ENOUGH
from consingan.metrics.judge import Judgement
from consingan.metrics.reconstruction import Reconstruction
from consingan.report.material import Facts, Level, Verdict
from consingan.runs.curves import Curves
from consingan.settings.config import Config
from consingan.training.observers import COLLAPSE_ADVICE

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
_LEVELS: tuple[Level, ...] = ("bad", "fair", "good")


def _on_training(facts: Facts) -> Iterator[Verdict]:
    stages = facts.config.train_stages
    if facts.status == "diverged":
        yield Verdict(
            "bad", "Training diverged.", "Try --batch_norm, or smaller --lr_scale, --lr_g, --lr_d."
        )
    elif facts.finished < stages:
        yield Verdict(
            "fair",
            f"Training is not finished: {facts.finished} of {stages} stages are here.",
            "Go on with main_train.py --resume.",
        )
    if facts.quality is not None:
        yield _on_reconstruction(facts, facts.quality)


def _on_reconstruction(facts: Facts, quality: Reconstruction) -> Verdict:
    psnr = f"PSNR {quality.psnr:.1f} dB"
    gain = quality.psnr + 20 * math.log10(max(facts.contrast, 1 / 255))
    longer = f"Raise {more_iterations(facts.config)}."
    fall = falling(facts.curves)
    longest = max((len(losses["g_reconstruction"]) for losses in facts.curves), default=0)
    if gain < 0 and longest >= ENOUGH:
        return Verdict(
            "bad",
            f"Training collapsed: one flat color would be closer to the image ({psnr}).",
            COLLAPSE_ADVICE,
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


def more_iterations(config: Config) -> str:
    """The option that trains the fine stages longer, with its present value."""
    cut = config.train_stages > 1 and 0 < config.fine_niter < config.niter
    flag = "fine_niter" if cut else "niter"
    return f"--{flag}, now {getattr(config, flag)}"


def falling(curves: Curves) -> float | None:
    """Share by which the last stage's reconstruction loss fell while it should be level.

    Compares 30 to 55 % of the stage with 55 to 80 %, where the learning rate is still whole, by
    their lowest tenths, because the critic drives the loss up for a while now and then. None
    where there are too few iterations to tell.
    """
    import numpy as np

    if not curves or len(curves[-1]["g_reconstruction"]) < 20:
        return None
    loss = curves[-1]["g_reconstruction"]
    first, middle, last = (int(share * len(loss)) for share in (0.3, 0.55, 0.8))
    before = float(np.quantile(loss[first:middle], 0.1))
    after = float(np.quantile(loss[middle:last], 0.1))
    return 1 - after / before if before > 0 else None


def _mean(judgement: Judgement, name: str) -> float | None:
    summary = judgement.metrics.get(name)
    return None if summary is None else summary.mean


def more_variety(config: Config) -> str:
    """What to change, with the present values, for samples that copy less."""
    ways = []
    if config.lr_scale > 0.1:
        ways.append(f"--lr_scale (now {config.lr_scale:g}; 0.1 varies more)")
    if config.train_stages > 4:
        ways.append(f"--train_stages (now {config.train_stages})")
    if config.train_depth > 3:
        ways.append(f"--train_depth (now {config.train_depth})")
    if config.min_size > 25:
        ways.append(f"--min_size (now {config.min_size})")
    return f"Lower {' or '.join(ways or [f'--alpha (now {config.alpha:g})'])}."


def _on_texture(facts: Facts, judgement: Judgement, what: str) -> Iterator[Verdict]:
    if facts.short_side < SMALL:
        return
    distance, new = judgement.metrics["swd"].mean, judgement.metrics["new_texture"].mean
    figures = f"SWD {distance:.1f}"
    if new > FOREIGN_TEXTURE:
        figures += f", {new:.0%} of the area unlike anything in it"
    advice = f"Raise {more_iterations(facts.config)}, or --train_stages."
    if distance > FAR or new > STRANGE_TEXTURE:
        yield Verdict("bad", f"{what} do not look like the image ({figures}).", advice)
    elif new > FOREIGN_TEXTURE:
        yield Verdict("fair", f"{what} are rough in places ({figures}).", advice)
    else:
        yield Verdict("good", f"{what} have the image's colors and texture ({figures}).")
