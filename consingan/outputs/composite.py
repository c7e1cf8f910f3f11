"""Harmonize or edit a picture of the user's own, and blend the result into it by a mask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from consingan.errors import UserError
from consingan.images import masks
from consingan.images.deep import sheet_suffix, write_as
from consingan.images.fit import fit_naive
from consingan.images.io import to_pixels, write_image
from consingan.images.layers import Own
from consingan.images.levels import percent
from consingan.images.mask_files import find_mask
from consingan.images.names import image_stem
from consingan.images.picture import gray_as, is_gray
from consingan.images.raster import Pixels
from consingan.images.resize import resize_to
from consingan.images.sheets import labelled
from consingan.images.unrolled import Sheet, write_strips
from consingan.methods.choose import no_naive_image
from consingan.methods.contract import Fills
from consingan.outputs.composed import Composite
from consingan.outputs.contract import Kept, Say
from consingan.outputs.detail import patience, with_detail
from consingan.outputs.own_mask import AUTO, choose_mask, read_own, without_hole
from consingan.outputs.own_shape import fit_for, size_for
from consingan.outputs.requests import CompositeRequest
from consingan.outputs.sizes import ONE_START, start_stages

OF_MASK = ("mask_dilation", "mask_feather", "mask_invert")


@dataclass(frozen=True)
class CompositeWork:
    """A picture that is to be worked on; without one only the model is looked at.

    Attributes:
        beside: whether the file at `path` is the picture, so that a mask may lie beside it.
    """

    model: Any
    request: CompositeRequest
    path: str = ""
    naive: Tensor | None = None
    mask: Tensor | None = None
    notes: tuple[str, ...] = ()
    beside: bool = True

    @property
    def inputs(self) -> dict[str, Path]:
        """The picture and the file of its mask, if it has one."""
        if not self.path:
            return {}
        named = self.request.mask
        found = find_mask(Path(self.path)) if self.beside else None
        mask = Path(named) if named else found
        own = {"naive_img": Path(self.path)}
        return own if mask is None or named == AUTO else own | {"mask": mask}

    def idle(self) -> Iterator[tuple[str, str]]:
        """Options of the mask without one, the seed where nothing is random, detail of nothing."""
        task = self.model.config.train_mode
        if len(self.model.starts) == 1:
            yield "start_stages", ONE_START
        if not self.model.task.random:
            yield "seed", f"for a model trained for {task}, whose result is not random"
        if self.naive is not None and self.mask is None:
            yield from ((name, "without a mask") for name in OF_MASK)
        if self.model.task.own_shape:
            yield "fit", f"for a model trained for {task}: the result has the picture's own shape"
        if self.naive is not None and self._is_small(self.naive):
            yield "detail", "for a picture no larger than the training size"
        elif self.model.task.fills:
            yield "detail", "for a hole"

    def _is_small(self, naive: Tensor) -> bool:
        """Whether the picture is no larger than what is made of it."""
        return max(naive.shape[-2:]) <= max(size_for(self.model, naive))

    def write(self, folder: Path, say: Say) -> Composite | None:
        """Write the composite and its masks; None without a picture."""
        if self.naive is None:
            say("No --naive_img: only the reconstruction is made.")
            return None
        if self.mask is None:
            say("No mask: the whole picture is used. Give one with --mask PATH, or --mask auto.")
        for note in (*self.notes, *patience(self.naive, self.mask, self.request.detail)):
            say(f"Note: {note}")
        form = self.request.image_format
        made = compose(self.model, self.naive, self.mask, self.request)
        if self.mask is not None and self.request.mask == AUTO:
            found = folder / f"mask_auto{sheet_suffix(form)}"
            write_mask(self.mask, found)
            say(f"mask of {percent(float(self.mask.double().mean()))} of the picture: {found}")
        for path in write_composite(made, self.model, folder, self.path, form):
            say(f"{path}")
        return made


def begin(model: Any, request: CompositeRequest) -> CompositeWork:
    """Read the user's picture and its mask.

    Raises:
        UserError: one of them cannot be used, or the model does not take one.
    """
    if request.naive_img and not model.task.takes_naive:
        raise no_naive_image(model.config)
    stages = start_stages(model, request.start_stages)
    if not request.naive_img:
        _refuse_without_picture(request)
        return CompositeWork(model, request)
    fit = fit_for(model.task, request.fit or "exact")
    request = replace(request, start_stages=tuple(stages), fit=fit)
    own = read_own(request.naive_img, model, fit)
    return _work(model, request, request.naive_img, own)


def begin_with(model: Any, request: CompositeRequest, kept: Kept) -> CompositeWork:
    """The same for the picture that the model was trained with, fitted as it was there.

    Raises:
        UserError: it or its mask cannot be used.
    """
    stages = start_stages(model, request.start_stages)
    fit = fit_for(model.task, request.fit or model.config.fit)
    request = replace(request, start_stages=tuple(stages), fit=fit)
    if kept.image is None:
        return _work(model, request, kept.path, read_own(kept.path, model, fit))
    own = Own(fit_naive(kept.image, model.sizes[-1], fit), None, kept.notes)
    return _work(model, request, kept.path, own, beside=False)


def _work(
    model: Any, request: CompositeRequest, path: str, own: Own, beside: bool = True
) -> CompositeWork:
    mask = choose_mask(path if beside else "", own, model, request)
    values, said = (mask.values, mask.notes) if mask else (None, ())
    return CompositeWork(model, request, path, own.image, values, (*own.notes, *said), beside)


def _refuse_without_picture(request: CompositeRequest) -> None:
    for name, row in CompositeRequest.__dataclass_fields__.items():
        if name in ("seed", "image_format") or getattr(request, name) == row.default:
            continue
        flag = row.metadata["flag"] or name
        raise UserError(f"--{flag} is about a picture of your own; name it with --naive_img.")


def preview(model: Any, naive: Tensor | None) -> list[Tensor]:
    """The user's own picture and its result, of a model in training."""
    if naive is None:
        return []
    small = resize_to(naive, size_for(model, naive)).clamp(-1, 1)
    if not model.starts:  # too few stages are trained yet
        return [small]
    return [small, model.enter(naive, model.first_start, model.config.manual_seed)]


def compose(
    model: Any, naive: Tensor, mask: Tensor | None, request: CompositeRequest | None = None
) -> Composite:
    """Work on a picture and blend the result into it.

    Args:
        model: see `contract.Enters`.
        naive: (1, 3, H, W) in [-1, 1], fitted by `fit_naive`.
        mask: (1, 1, H, W) in [0, 1], white where the picture was changed; None for everywhere.
        request: start stages (the first one's result is used), dilation, feather, seed.

    Raises:
        UserError: a start stage is beyond the model's stages.
    """
    request, below = request or CompositeRequest(), without_hole(naive, mask, model)
    stages = list(request.start_stages) or [model.first_start]
    for stage in stages:
        model.check_start(stage)
    after = model.real.cpu() if is_gray(below) else below  # gray only if both are
    made = [(stage, _made(model, below, mask, stage, request.seed)) for stage in stages]
    results = [(stage, gray_as(after, picture)) for stage, picture in made]
    result = results[0][1]
    size, full_size = size_for(model, naive), (naive.shape[-2], naive.shape[-1])
    small = resize_to(naive, size).clamp(-1, 1)
    blended, soft_full, small_mask = result, None, None
    if mask is not None:
        small_mask = masks.shrunk_mask(mask, size)
        given = request.mask_dilation
        dilation = model.task.mask_dilation if given is None else given
        soft = masks.soften(small_mask, dilation, request.mask_feather)
        around = small if below is naive else resize_to(below, size).clamp(-1, 1)
        blended = masks.composite(around, result, soft)
        scale = max(full_size) / max(size)
        soft_full = masks.soften(mask, dilation, request.mask_feather, scale)
    detailed = with_detail(model, naive, result, soft_full, request.detail)
    return Composite(naive, small, small_mask, result, blended, soft_full, detailed, results, below)


def _made(model: Any, naive: Tensor, mask: Tensor | None, stage: int, seed: int) -> Tensor:
    """What becomes of the picture; of a hole in it, where the model was made for that."""
    if mask is not None and model.task.fills and isinstance(model, Fills):
        return model.fill(naive, mask, seed)
    result: Tensor = model.enter(naive, stage, seed)
    return result


def write_composite(
    made: Composite, model: Any, folder: Path, naive_path: str, image_format: str = "png"
) -> list[Path]:
    """Write the pictures of a composite, named as the authors' program names them.

    `<harmonized|edited>_wo_mask` and, with a mask, `..._w_mask` at the training size, the same
    with `_full_size` at the naive image's own, and a side by side picture.
    """
    word, paths = model.task.result, list[Path]()
    kinds = [("wo_mask", made.result, made.full_strips)]
    if made.mask is not None:
        kinds.append(("w_mask", made.blended, made.blended_strips))
    for name, picture, strips in kinds:
        paths.append(write_as(folder / f"{word}_{name}", picture, image_format))
        sheet = Sheet(made.full_size, image_format, gray=is_gray(picture))
        paths.append(write_strips(folder / f"{word}_{name}_full_size", strips(), sheet))
    suffix = sheet_suffix(image_format)
    paths.append(folder / f"{word}_side_by_side{suffix}")
    write_image(paths[-1], _side_by_side(made, model, naive_path))
    if len(made.sheet) > 1:
        paths.append(folder / f"{word}_start_stages{suffix}")
        pictures_by_stage = [made.small, *(picture for _, picture in made.sheet)]
        labels = ["naive image", *(f"start stage {stage}" for stage, _ in made.sheet)]
        write_image(paths[-1], labelled(pictures_by_stage, labels))
    return paths


def write_mask(mask: Tensor, path: Path) -> None:
    """Write a mask (1, 1, h, w) in [0, 1] as a gray picture."""
    write_image(path, to_pixels((mask * 2 - 1).expand(-1, 3, -1, -1)))


def _side_by_side(made: Composite, model: Any, naive_path: str) -> Pixels:
    pictures = [model.real.cpu(), made.small]
    labels = ["training image", f"naive: {image_stem(naive_path)}"]
    if made.mask is not None:
        pictures.append((made.mask * 2 - 1).expand(-1, 3, -1, -1))
        labels.append("mask")
    return labelled([*pictures, made.blended], [*labels, "result"], len(pictures) + 1)
