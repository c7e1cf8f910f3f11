"""From a painted picture to a result: strokes as a mask, a model at once or after training."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from consingan.api.evaluate import Judging, load, prepare_evaluation
from consingan.api.train import find, train_or_resume, unwatched
from consingan.errors import UserError
from consingan.images.io import read_picture, write_image
from consingan.images.masks import resize_mask
from consingan.images.paste import Placed, paste
from consingan.images.resize import resize_to
from consingan.machine.execution import Wanted
from consingan.methods.contract import Method, Task
from consingan.methods.registry import METHODS
from consingan.outputs.composite import write_mask
from consingan.outputs.registry import OUTPUTS
from consingan.outputs.requests import CompositeRequest
from consingan.training.prepare import Job
from consingan.web.orders import train_words
from consingan.web.queue import RUN, Words

MASK = "mask"  # field of settings, where a training is told of the hole


def tasks() -> dict[str, Task]:
    """Tasks that work on a picture of the visitor's own, a method's row of each; holes first."""
    found = {
        name: row
        for method in reversed(METHODS.values())
        for name, row in method.tasks.items()
        if row.takes_naive and issubclass(OUTPUTS[row.output].request, CompositeRequest)
    }
    return dict(sorted(found.items(), key=lambda item: not item[1].fills))


def methods_for(task: str) -> list[Method]:
    """Methods that have the task, those that need no training first."""
    return sorted((m for m in METHODS.values() if task in m.tasks), key=learns)


def learns(method: Method) -> bool:
    """Whether there is anything to be trained."""
    return bool(method.losses)


@dataclass(frozen=True)
class Painted:
    """What a visitor made of a picture.

    Attributes:
        picture: file of the picture as it was.
        naive: file of the picture with what was dropped and painted into it.
        mask: file that is white where it was changed, or is a hole; None: nowhere in particular.
    """

    picture: Path
    naive: Path
    mask: Path | None


@dataclass(frozen=True)
class Strokes:
    """What was painted, (1, 3, h, w) in [-1, 1], and where, (1, 1, h, w) in [0, 1]."""

    colors: Tensor
    alpha: Tensor


def strokes_of(layers: list[npt.NDArray[np.uint8]] | None) -> Strokes | None:
    """The layers of an editor, (h, w, 4), laid over one another; None where nothing is painted."""
    colors = alpha = None
    for layer in layers or ():
        pixels = torch.from_numpy(np.array(layer, dtype=np.float32)).permute(2, 0, 1)[None]
        part = pixels[:, 3:4] / 255
        color = pixels[:, :3] / 127.5 - 1
        colors = color if colors is None else colors + part * (color - colors)
        alpha = part if alpha is None else torch.maximum(alpha, part)
    if colors is None or alpha is None or not alpha.any():
        return None
    return Strokes(colors, alpha)


def painted(
    picture: Path, strokes: Strokes | None, dropped: tuple[Path, Placed] | None, task: Task,
    folder: Path,
) -> Painted:  # fmt: skip
    """Write what was made of a picture.

    Args:
        picture: its file.
        strokes: of the brush; of a task that fills, they mark the hole and their color is nothing.
        dropped: an object's file, and where it is.
        task: that it is made for.
        folder: for the files.

    Raises:
        UserError: nothing is marked that could be filled.
    """
    if task.fills and strokes is None:
        raise UserError("Paint over what is to be filled, then press the button.")
    whole = read_picture(picture).image
    if strokes is None and dropped is None:
        return Painted(picture, picture, None)
    size = (whole.shape[-2], whole.shape[-1])
    mask, changed = torch.zeros(1, 1, *size), whole
    if dropped is not None and not task.fills:
        changed, mask = paste(whole, read_picture(dropped[0]), dropped[1])
    if strokes is not None:
        alpha = resize_mask(strokes.alpha, size).clamp(0, 1)
        mask = torch.maximum(mask, alpha)
        if not task.fills:
            colors = resize_to(strokes.colors, size).clamp(-1, 1)
            changed = changed + alpha * (colors - changed)
    mask_file = folder / f"{picture.stem}_hole.png"
    write_mask((mask > 0.5).float() if task.fills else mask, mask_file)
    if task.fills:
        return Painted(picture, picture, mask_file)
    naive = folder / f"{picture.stem}_painted.png"
    write_image(naive, changed.clamp(-1, 1))
    return Painted(picture, naive, mask_file)


def told_of(kept: Painted, method: Method) -> dict[str, Any]:
    """Settings of the training that come from the picture itself."""
    own = {"input_name": str(kept.picture)}
    if kept.mask is not None and MASK in method.config.__dataclass_fields__:
        own[MASK] = str(kept.mask)
    return own


def made_at_once(
    job: Job, kept: Painted, request: Mapping[str, Any], root: Path, folder: Path
) -> Path | None:
    """The result, if no training has to come first: nothing is learned, or that was done before.

    Args:
        job: ready to begin.
        kept: what was painted.
        request: options of the composite.
        root: folder of the runs.
        folder: for a copy of the result.
    """
    earlier = find(job, root, any_seed=True)
    finished = earlier is not None and earlier.manifest["status"] == "finished"
    if job.training.stages and not finished:
        return None
    outcome = train_or_resume(job, earlier if finished else None, root, Wanted(), unwatched)
    run = load(outcome.folder.path, job.execution)
    wanted = CompositeRequest(
        naive_img=str(kept.naive), mask=str(kept.mask) if kept.mask else "", **request
    )
    evaluation = prepare_evaluation(run, wanted, Judging(metrics=False, command="consingan web"))
    result = evaluation.write() / f"{_name(run.model.task, kept)}.png"
    return Path(
        shutil.copyfile(result, folder / f"{kept.picture.stem}_{run.model.task.result}.png")
    )


def commands(
    settings: Mapping[str, Any], kept: Painted, root: Path, request: Words
) -> tuple[Words, Words]:
    """Train, then make the composite: words of both commands."""
    mask = ("--mask", str(kept.mask)) if kept.mask else ()
    then = ("evaluate", "--model_dir", RUN, "--naive_img", str(kept.naive), *mask, *request)
    return train_words(settings, root), (*then, "--no_metrics")


def _name(task: Task, kept: Painted) -> str:
    return f"{task.result}_{'w' if kept.mask else 'wo'}_mask_full_size"
