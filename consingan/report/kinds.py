"""What each kind of output shows in a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from consingan.images.io import unit
from consingan.metrics.fieldmap import novelty_maps
from consingan.report import figures
from consingan.report.advice import higher_start, livelier, lower_start
from consingan.report.crops import figures_of_crops, look_at_crops, on_crops
from consingan.report.enlargement import figures_of_enlargement, look_at_enlargement
from consingan.report.fill import figures_of_fill, look_at_fill, on_fill
from consingan.report.large import contrast_of, on_windows
from consingan.report.material import LEVELS, Facts, Material, Region, Verdict
from consingan.report.region import judge_region
from consingan.report.style import picture
from consingan.report.tiles import figures_of_tiles, look_at_tiles, on_tiles
from consingan.report.translation import figures_of, look_at_translation, on_translation
from consingan.report.verdicts import (
    ALIKE,
    LARGE_COPIES,
    NEARLY_COPIES,
    SAME,
    STILL,
    mean_of,
    more_variety,
    on_relation,
    on_texture,
    on_training,
)

SHOWN = 9
"""Samples on the page: three rows beside the real image and the reconstruction."""

MAPS = 4
"""Novelty maps on the page."""


@dataclass(frozen=True)
class Kind:
    """How a report shows and judges one kind of output.

    Attributes:
        what: the pictures that are judged, in a word.
        pictures: of what the output made, those that are shown.
        judged: those of them that are judged.
        look: HTML of the pictures that one wants to see first.
        verdicts: what the figures mean.
        scored: whether there are pictures to be judged at all.
        rivaled: whether samples without training are a rival to these.
        mapped: whether it is shown where each part of a picture comes from.
        region: before and after inside a picture of the user's own.
        figures: further ones for metrics.json, of what the output made.
        returned: whether to give the image back is good; not where that is to know it by heart.
    """

    what: str
    pictures: Callable[[Any], Sequence[Tensor]]
    judged: Callable[[Sequence[Tensor]], Sequence[Tensor]]
    look: Callable[[Material], str]
    verdicts: Callable[[Facts], Iterator[Verdict]]
    scored: bool = True
    mapped: bool = False
    rivaled: bool = False
    region: Callable[[Tensor, Any], Region | None] = lambda real, made: None  # noqa: ARG005
    figures: Callable[[Any], dict[str, Any]] = lambda made: {}  # noqa: ARG005
    returned: bool = True


def _beside_image(material: Material, shown: str) -> str:
    """The training image and its reconstruction beside what is `shown`."""
    uri = figures.data_uri(material.seen(material.real))
    left = picture(uri, "training image", "training image")
    if material.reconstruction is not None:
        caption = "reconstruction"
        if material.quality is not None:
            own = material.quality
            caption += f", PSNR {own.psnr:.1f} dB, SSIM {own.ssim:.2f}{own.where}"
        uri = figures.data_uri(material.seen(material.reconstruction))
        left += picture(uri, "reconstruction", caption)
    if not shown:
        return f'<div class="row">{left}</div>'
    return f'<div class="look"><div class="pair">{left}</div>\n<div>{shown}</div></div>'


def _look_at_samples(material: Material) -> str:
    shown = material.samples[:SHOWN]
    images = [picture(figures.data_uri(material.seen(sample), 400), f"sample {n}")
              for n, sample in enumerate(shown)]  # fmt: skip
    count = len(material.samples)
    caption = f"{len(shown)} of {count} random samples" if count > len(shown) else "random samples"
    inside = f'<div class="grid">{"".join(images)}</div><figcaption>{caption}</figcaption>'
    crops = getattr(material.made, "crops", None)
    beside = _beside_image(material, inside if shown else "")
    return beside + look_at_tiles(material) + look_at_crops(crops)


def _look_at_film(material: Material) -> str:
    if not material.samples:
        return _beside_image(material, "")
    frames = [material.seen(frame) for frame in material.samples]
    uri = figures.moving_uri(frames, material.made.fps)
    count = getattr(material.request, "frames", len(frames))
    part = f"the first {len(frames)} of " if len(frames) < count else ""
    return _beside_image(material, picture(uri, "animation", f"animation, {part}{count} frames"))


def _look_at_composite(material: Material) -> str:
    """Training image, naive image, mask and result."""
    made = material.made
    if made is None:
        return _beside_image(material, "")
    pictures = [
        ("training image", material.real),
        ("naive image", made.small),
        (f"result of {material.config.train_mode}", made.blended),
    ]
    if material.reconstruction is not None:
        pictures.append(("reconstruction of the training image", material.reconstruction))
    if made.mask is not None:
        pictures.append(("mask", (made.mask * 2 - 1).expand(-1, 3, -1, -1)))
    images = [picture(figures.data_uri(tensor), name, name) for name, tensor in pictures]
    return f'<div class="grid roomy">{"".join(images)}</div>'


def facts_of(material: Material) -> Facts:
    """What the verdicts on a run are made from."""
    name = material.method.reconstruction
    return Facts(
        config=material.config,
        kind=material.kind,
        method=material.method,
        judgement=material.judgement,
        quality=material.quality,
        short_side=min(material.real.shape[-2:]),
        contrast=contrast_of(unit(material.real), material.sketch),
        reconstruction=[losses[name] for losses in material.curves.values() if name in losses],
        beaten=any(map(material.method.beaten, material.curves.values())),
        stages=material.stages,
        finished=len(material.sizes) if material.stages else 0,
        status=material.manifest.get("status", "finished"),
        region=material.region,
        windows=material.windows,
        flat=material.flat,
        request=material.request,
        made=material.made,
        starts=material.starts,
    )


def verdicts(facts: Facts) -> list[Verdict]:
    """Say what the figures mean, the worst news first."""
    kind = KINDS[facts.kind]
    seen = facts if kind.returned else replace(facts, quality=None)
    return sorted([*on_training(seen), *kind.verdicts(facts)], key=lambda v: LEVELS.index(v.level))


def _on_samples(facts: Facts) -> Iterator[Verdict]:
    if getattr(facts.made, "crops", None) is not None:
        yield from on_crops(facts)
        return  # held to crops: the whole image is not what they are to look like
    yield from on_tiles(facts)
    if facts.judgement is None:
        return
    piece = mean_of(facts.judgement, "piece") or 0.0  # of what is made of copies alone, too
    diversity = mean_of(facts.judgement, "diversity")
    if piece >= NEARLY_COPIES:
        text = f"Samples are nearly copies of the image ({piece:.0%} of each is one piece of it)."
        yield Verdict("bad", text, more_variety(facts))
        return  # a copy has the image's texture: no news
    texture = list(on_texture(facts, facts.judgement, "Samples"))
    if not any(verdict.level == "bad" for verdict in texture):
        texture += on_windows(facts)
    yield from texture
    if diversity is not None and diversity < ALIKE:
        text = f"Samples are all alike (diversity {diversity:.2f})."
        # What has not learned the image yet needs no more variety.
        unlike = any(verdict.level == "bad" for verdict in texture)
        yield Verdict("bad", text, "" if unlike else more_variety(facts))
    elif piece >= LARGE_COPIES:
        text = f"Samples repeat large parts of the image ({piece:.0%} of each is one piece of it)."
        yield Verdict("fair", text, more_variety(facts))
    elif texture and {v.level for v in texture} == {"good"}:  # noise differs as well: no success
        others = "" if diversity is None else " and from each other"
        yield Verdict("good", f"Samples differ from the image{others}.")


def _on_frames(facts: Facts) -> Iterator[Verdict]:
    if facts.judgement is None:
        return
    moved = mean_of(facts.judgement, "diversity")
    if moved is not None and moved < STILL:
        yield Verdict("fair", "The frames hardly move.", livelier(facts))
    elif moved is not None:
        yield Verdict("good", "The frames move.")
    yield from on_texture(facts, facts.judgement, "Frames")


def _on_region(facts: Facts) -> Iterator[Verdict]:
    if facts.region is None:
        return
    if not facts.method.task_of(facts.config).own_shape:  # there it need have nothing to do with it
        yield from on_relation(facts.region)
    before, after = facts.region.before["swd"], facts.region.after["swd"]
    what = "picture" if facts.region.whole else "changed region"
    figures = f"(SWD {before:.1f} → {after:.1f})"
    if after < (1 - SAME) * before:
        yield Verdict("good", f"The {what} fits the training image better than before {figures}.")
    elif after <= (1 + SAME) * before:
        text = f"The {what} fits the training image as before {figures}."
        yield Verdict("fair", text, lower_start(facts))
    else:
        yield Verdict(
            "bad",
            f"The {what} fits the training image less than before {figures}.",
            higher_start(facts),
        )


FRAME_STEP = 4  # frames between two that are judged; neighbors tell the same


def maps_of(real: Tensor, samples: Sequence[Tensor]) -> Sequence[Tensor]:
    """Where each part of the first samples comes from, (1, 3, h, w) in [-1, 1] each."""
    if not samples:
        return ()
    shown = torch.cat([unit(sample) for sample in samples[:MAPS]])
    return list(torch.split(novelty_maps(real, shown) * 2 - 1, 1))


KINDS: dict[str, Kind] = {
    "samples": Kind(
        what="samples",
        pictures=lambda made: made.pictures,
        judged=lambda pictures: pictures,
        look=_look_at_samples,
        verdicts=_on_samples,
        mapped=True,
        rivaled=True,
        figures=lambda made: figures_of_crops(made) | figures_of_tiles(made),
    ),
    "film": Kind(
        what="frames",
        pictures=lambda made: made.frames,
        judged=lambda pictures: pictures[::FRAME_STEP],
        look=_look_at_film,
        verdicts=_on_frames,
    ),
    "enlargement": Kind(
        what="enlargements",
        pictures=lambda _: (),
        judged=lambda _: (),
        look=look_at_enlargement,
        scored=False,
        figures=figures_of_enlargement,
        verdicts=lambda _: iter(()),
    ),
    "composite": Kind(
        what="composites",
        pictures=lambda _: (),
        judged=lambda _: (),
        look=_look_at_composite,
        scored=False,
        verdicts=_on_region,
        region=judge_region,
    ),
    "fill": Kind(
        what="fills",
        pictures=lambda _: (),
        judged=lambda _: (),
        look=look_at_fill,
        verdicts=on_fill,
        scored=False,
        figures=figures_of_fill,
    ),
    "translation": Kind(
        what="translations",
        pictures=lambda _: (),
        judged=lambda _: (),
        look=look_at_translation,
        verdicts=on_translation,
        scored=False,
        figures=figures_of,
        returned=False,
    ),
}
"""A row for each output of `outputs.registry.OUTPUTS`."""
