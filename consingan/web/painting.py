"""From a painted picture to a result: strokes as a mask, a model at once or after training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from consingan.api.evaluate import Judging, prepare_evaluation
from consingan.api.train import train_or_resume, unwatched
from consingan.errors import UserError
from consingan.images.io import read_picture, write_image
from consingan.images.masks import resize_mask
from consingan.images.paste import Placed, paste
from consingan.machine.execution import Wanted
from consingan.methods.choose import choose_settings
from consingan.methods.contract import Method, Task
from consingan.methods.registry import METHODS, method_of
from consingan.outputs.composite import write_mask
from consingan.outputs.registry import OUTPUTS
from consingan.outputs.requests import CompositeRequest
from consingan.runs.earlier import earlier_run_of
from consingan.runs.load import load_run
from consingan.training.prepare import Job
from consingan.web.fields import Row
from consingan.web.kept import Words
from consingan.web.orders import as_typed, evaluate_words, train_words
from consingan.web.queue import RUN

MASK = "mask"  # field of settings and of inputs, where a training is told of the hole
NAIVE = "naive_img"
OF_RESULT = ("mask_dilation", "mask_feather", "seed")
ONE_FILL = {"num_samples": 1, "hidden_copies": 0}


def tasks() -> dict[str, Task]:
    """Tasks that work on what was painted, a method's row of each; holes come first."""
    found = {
        name: row
        for method in reversed(METHODS.values())
        for name, row in method.tasks.items()
        if is_hole(row) or (row.takes_naive and _blends(row))
    }
    return dict(sorted(found.items(), key=lambda item: not is_hole(item[1])))


def is_hole(task: Task) -> bool:
    """Whether what is painted is a hole, to be made anew."""
    return task.fills or MASK in task.needs


def painted_settings(task: Task) -> tuple[str, ...]:
    """Settings of a training that what is painted stands for: nobody is asked for a picture."""
    return (NAIVE, MASK) if is_hole(task) else (NAIVE,)


def asked_of_result(task: Task) -> list[Row]:
    """Options of the result that a visitor may choose."""
    rows = OUTPUTS[task.output].request.__dataclass_fields__
    return [rows[name] for name in OF_RESULT if name in rows]


def _blends(task: Task) -> bool:
    """Whether the result is laid into the visitor's own picture by a mask."""
    return issubclass(OUTPUTS[task.output].request, CompositeRequest)


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
    """What was painted.

    Attributes:
        colors: (1, 3, h, w) in [0, 1], each times its alpha: an editor calls black what is not
            painted, which would run into the edges of the strokes when they are resized.
        alpha: (1, 1, h, w) in [0, 1].
    """

    colors: Tensor
    alpha: Tensor


def strokes_of(layers: list[npt.NDArray[np.uint8]] | None) -> Strokes | None:
    """The layers of an editor, (h, w, 4), laid over one another; None where nothing is painted."""
    colors = alpha = None
    for layer in layers or ():
        pixels = torch.from_numpy(np.array(layer, dtype=np.float32)).permute(2, 0, 1)[None]
        part = pixels[:, 3:4] / 255
        color = pixels[:, :3] / 255 * part
        colors = color if colors is None else color + (1 - part) * colors
        alpha = part if alpha is None else part + (1 - part) * alpha
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
    if is_hole(task) and strokes is None:
        raise UserError("Paint over what is to be filled, then press the button.")
    whole = read_picture(picture).image
    if strokes is None and dropped is None:
        return Painted(picture, picture, None)
    size = (whole.shape[-2], whole.shape[-1])
    mask, changed = torch.zeros(1, 1, *size), whole
    if dropped is not None and not is_hole(task):
        changed, mask = paste(whole, read_picture(dropped[0]), dropped[1])
    if strokes is not None:
        alpha = resize_mask(strokes.alpha, size)
        mask = torch.maximum(mask, alpha)
        if not is_hole(task):
            colors = resize_mask(strokes.colors, size)  # by the same weights, none below 0
            changed = (1 - alpha) * changed + 2 * colors - alpha
    mask_file = folder / f"{picture.stem}_hole.png"
    write_mask((mask > 0.5).float() if is_hole(task) else mask, mask_file)
    if is_hole(task):
        return Painted(picture, picture, mask_file)
    naive = folder / f"{picture.stem}_painted.png"
    write_image(naive, changed.clamp(-1, 1))
    return Painted(picture, naive, mask_file)


def yet_unpainted(picture: Path, task: Task, folder: Path) -> Painted:
    """The picture before anything is painted, with a hole where one is needed: to tell a time by.

    Args:
        picture: its file.
        task: that it is for.
        folder: for the hole's file.
    """
    if not is_hole(task):
        return Painted(picture, picture, None)
    alpha = torch.zeros(1, 1, 10, 10)
    alpha[..., 4:6, 4:6] = 1
    return painted(picture, Strokes(alpha.expand(-1, 3, -1, -1), alpha), None, task, folder)


def told_of(kept: Painted, method: Method, task: Task) -> dict[str, Any]:
    """Settings of the training that come from the picture itself."""
    own = {"input_name": str(kept.picture)}
    if kept.mask is not None and is_hole(task) and MASK in method.config.__dataclass_fields__:
        own[MASK] = str(kept.mask)
    return own


def made_at_once(job: Job, kept: Painted, asked: Mapping[str, Any], root: Path) -> Path | None:
    """The result, if no training has to come first: nothing is learned, or that was done before.

    Args:
        job: ready to begin.
        kept: what was painted.
        asked: options of the result, see `asked_of_result`.
        root: folder of the runs.
    """
    earlier = earlier_run_of(job.training, root, any_seed=True)
    finished = earlier is not None and earlier.manifest["status"] == "finished"
    if job.training.stages and not finished:
        return None
    outcome = train_or_resume(job, earlier if finished else None, root, Wanted(), unwatched)
    run = load_run(outcome.folder.path, job.execution)
    task = run.model.task
    options, table = _options(task, kept, asked), OUTPUTS[task.output].request
    command = as_typed(evaluate_words(outcome.folder.path, table, options), job.execution)
    judging = Judging(metrics=False, command=command)
    evaluation = prepare_evaluation(run, table(**options), judging)
    return evaluation.write() / f"{_name(task, kept)}.png"


def commands(
    settings: Mapping[str, Any], kept: Painted, asked: Mapping[str, Any], root: Path
) -> tuple[Words, Words]:
    """Train, then make the result: words of both commands."""
    config = choose_settings(settings).config
    task = method_of(config.method).task_of(config)
    options = _options(task, kept, asked)
    return train_words(settings, root), evaluate_words(RUN, OUTPUTS[task.output].request, options)


def _options(task: Task, kept: Painted, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked of a run of the task."""
    own: dict[str, Any] = dict(ONE_FILL)
    if _blends(task):
        own = {NAIVE: str(kept.naive)} | ({MASK: str(kept.mask)} if kept.mask else {})
    return own | dict(asked)


def _name(task: Task, kept: Painted) -> str:
    """The result among the files of an evaluation, without its suffix."""
    if not _blends(task):
        return "fill_0"
    return f"{task.result}_{'w' if kept.mask else 'wo'}_mask_full_size"
