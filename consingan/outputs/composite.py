"""Harmonize or edit a picture of the user's own, and blend the result into it by a mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from consingan.images import masks
from consingan.images.fit import fit_naive
from consingan.images.io import Pixels, image_stem, to_pixels, write_image
from consingan.images.resize import resize_to
from consingan.images.sheets import labelled
from consingan.machine.precision import Arithmetic
from consingan.methods.consingan import sampling
from consingan.methods.consingan.model import Model
from consingan.nn.noise import stream

AUTO = "auto"
FEATHER = 5.0  # px, the authors' sigma


@dataclass(frozen=True)
class MaskOptions:
    """Which mask and how it is softened.

    Attributes:
        source: a picture file, "auto", or None to look beside the naive image.
        dilation: px by which the mask is widened; None is the mode's own.
        feather: sigma in px of its soft edge.
        invert: white means unchanged.
        fit: what `fit_naive` did to the naive image; a mask of its former shape is cropped alike.
    """

    source: str | None = None
    dilation: int | None = None
    feather: float = FEATHER
    invert: bool = False
    fit: str = "exact"


@dataclass(frozen=True)
class Composite:
    """One picture worked on by a model; all (1, 3, h, w) in [-1, 1] but for the masks.

    Attributes:
        naive: the user's picture at its own size.
        small: the same at the training size.
        mask: (1, 1, h, w) in [0, 1] at the training size, as given; None means everywhere.
        result: what the model makes of it, the whole picture.
        blended: the result inside the softened mask, the naive image elsewhere.
        full: the result at the naive image's own size.
        full_blended: the same inside the softened mask, the naive image's very pixels elsewhere.
        sheet: (start stage, result) pairs if several start stages were asked for.
    """

    naive: Tensor
    small: Tensor
    mask: Tensor | None
    result: Tensor
    blended: Tensor
    full: Tensor
    full_blended: Tensor
    sheet: Sequence[tuple[int, Tensor]] = field(default_factory=tuple)


def find_mask(naive_path: str, naive: Tensor, model: Model, options: MaskOptions) -> Tensor | None:
    """The mask at the size of `naive`, (1, 1, H, W), as `options` say; None if there is none."""
    size = (naive.shape[-2], naive.shape[-1])
    if options.source == AUTO:
        small = resize_to(naive, model.sizes[-1]).clamp(-1, 1)
        found = masks.mask_from_difference(small, model.real.cpu())
        mask = masks.resize_mask(found, size)
    else:
        path = Path(options.source) if options.source else masks.find_mask(Path(naive_path))
        if path is None:
            return None
        whole = masks.read_mask(path)
        if options.fit == "crop":
            whole = fit_naive(whole, model.sizes[-1], "crop")
        mask = masks.resize_mask(whole, size)
    return masks.invert(mask) if options.invert else mask


def compose(
    model: Model,
    naive: Tensor,
    mask: Tensor | None,
    start_stages: Sequence[int] = (0,),
    options: MaskOptions | None = None,
    seed: int = 0,
    arithmetic: Arithmetic | None = None,
) -> Composite:
    """Work on a picture and blend the result into it.

    Args:
        model: trained for harmonization or editing.
        naive: (1, 3, H, W) in [-1, 1], fitted by `fit_naive`.
        mask: (1, 1, H, W) in [0, 1], white where the picture was changed; None for everywhere.
        start_stages: where the picture comes in; the first one's result is used.
        options: dilation and feather.
        seed: of the noise that editing adds.
        arithmetic: precision.

    Raises:
        UserError: a start stage is beyond the model's stages.
    """
    options = options or MaskOptions()
    results = []
    for stage in start_stages:
        rng = stream(seed, "entry")
        result = sampling.from_image(model, naive, rng, stage, arithmetic).cpu()
        results.append((stage, result))
    result = results[0][1]
    size, full_size = model.sizes[-1], (naive.shape[-2], naive.shape[-1])
    small = resize_to(naive, size).clamp(-1, 1)
    full = resize_to(result, full_size).clamp(-1, 1)
    blended, full_blended, small_mask = result, full, None
    if mask is not None:
        small_mask = masks.resize_mask(mask, size)
        dilation = model.mode.mask_dilation if options.dilation is None else options.dilation
        soft = masks.soften(small_mask, dilation, options.feather)
        blended = masks.composite(small, result, soft)
        scale = max(full_size) / max(size)
        soft_full = masks.soften(mask, dilation, options.feather, scale)
        full_blended = masks.composite(naive, full, soft_full)
    return Composite(naive, small, small_mask, result, blended, full, full_blended, results)


def write_composite(
    made: Composite, model: Model, folder: Path, naive_path: str, image_format: str = "png"
) -> list[Path]:
    """Write the pictures of a composite, named as the authors' program names them.

    `<harmonized|edited>_wo_mask` and, with a mask, `..._w_mask` at the training size, the same
    with `_full_size` at the naive image's own, and a side by side picture.
    """
    word = model.mode.result
    pictures = {f"{word}_wo_mask": made.result, f"{word}_wo_mask_full_size": made.full}
    if made.mask is not None:
        pictures |= {f"{word}_w_mask": made.blended, f"{word}_w_mask_full_size": made.full_blended}
    paths = []
    for name, picture in pictures.items():
        paths.append(folder / f"{name}.{image_format}")
        write_image(paths[-1], picture)
    side_by_side = folder / f"{word}_side_by_side.{image_format}"
    write_image(side_by_side, _side_by_side(made, model, naive_path))
    paths.append(side_by_side)
    if len(made.sheet) > 1:
        paths.append(folder / f"{word}_start_stages.{image_format}")
        pictures_by_stage = [made.small, *(picture for _, picture in made.sheet)]
        labels = ["naive image", *(f"start stage {stage}" for stage, _ in made.sheet)]
        write_image(paths[-1], labelled(pictures_by_stage, labels))
    return paths


def write_mask(mask: Tensor, path: Path) -> None:
    """Write a mask (1, 1, h, w) in [0, 1] as a gray picture."""
    write_image(path, to_pixels((mask * 2 - 1).expand(-1, 3, -1, -1)))


def _side_by_side(made: Composite, model: Model, naive_path: str) -> Pixels:
    pictures = [model.real.cpu(), made.small]
    labels = ["training image", f"naive: {image_stem(naive_path)}"]
    if made.mask is not None:
        pictures.append((made.mask * 2 - 1).expand(-1, 3, -1, -1))
        labels.append("mask")
    return labelled([*pictures, made.blended], [*labels, "result"], len(pictures) + 1)
