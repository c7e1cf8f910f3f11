"""Work on every picture of a folder, one after the other, whatever happens to one of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch

from consingan.checkpoint import MANIFEST, RunFolder
from consingan.config import Config
from consingan.errors import UserError
from consingan.images import EXTENSIONS, image_stem
from consingan.runs import Job

Result = TypeVar("Result")

SAME_PICTURE = 1e-3  # largest difference in [-1, 1] that another machine's rounding may make


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """What became of one picture: a result, or the error that it ended with."""

    image: Path
    result: Result | None = None
    error: Exception | None = None


def is_folder(name: str) -> bool:
    """Whether there is a folder called `name`."""
    return os.path.isdir(name)  # noqa: PTH112 - Path.is_dir raises for a name that is too long


def pictures_in(folder: Path) -> list[Path]:
    """The pictures in a folder by name, without hidden ones and without those in its folders.

    Raises:
        UserError: there is no such folder, or no picture in it.
    """
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}; check the path.")
    found = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in EXTENSIONS and not path.name.startswith(".") and path.is_file()
    )
    if not found:
        raise UserError(f"There is no picture in the folder {folder}; put some there.")
    return found


def work_through(
    images: Sequence[Path], work: Callable[[Path], Result], say: Callable[[str], None]
) -> Iterator[Outcome[Result]]:
    """Call `work` with one picture after the other; its error ends that picture, not the queue.

    A KeyboardInterrupt, which is the user's wish to stop and no error, comes through.
    """
    for number, image in enumerate(images):
        say(f"[{number + 1}/{len(images)}] {image.name}")
        try:
            outcome = Outcome(image, work(image))
        except Exception as error:  # whatever it was, the others can be worked on
            outcome = Outcome(image, error=error)
        yield outcome


def earlier_run(parent: Path, fits: Callable[[RunFolder], bool]) -> RunFolder | None:
    """The run among those in the folder `parent` that a queue goes on from, if there is one.

    The newest that is finished, else the newest that was cut short. One that diverged would only
    diverge again, and one that is damaged is left alone.
    """
    kept: RunFolder | None = None
    for manifest in sorted(parent.glob(f"*/{MANIFEST}"), reverse=True):
        try:
            run = RunFolder.open(manifest.parent)
            status = run.manifest["status"]
            if status == "diverged" or not fits(run):
                continue
        except UserError:
            continue
        if status == "finished":
            return run
        kept = kept or run
    return kept


def earlier_run_of(job: Job, root: Path, any_seed: bool) -> RunFolder | None:
    """The same for the training that `job` would be: of the same picture with the same settings.

    Args:
        job: ready to begin.
        root: where runs are made, usually TrainedModels.
        any_seed: whether the seed, having been drawn, may be another one.
    """
    wanted, real = job.chosen.config, job.trainer.reals[-1].cpu()

    def fits(run: RunFolder) -> bool:
        return _same_settings(run.config, wanted, any_seed) and _same_picture(run, real)

    return earlier_run(root / image_stem(wanted.input_name), fits)


def _same_settings(kept: Config, wanted: Config, any_seed: bool) -> bool:
    # The picture itself is compared: its path depends on where the command was typed.
    like = {"input_name": kept.input_name}
    seed = {"manual_seed": kept.manual_seed} if any_seed else {}
    return wanted.replace(**like, **seed) == kept


def _same_picture(run: RunFolder, real: torch.Tensor) -> bool:
    kept = run.reals()[-1]
    return kept.shape == real.shape and bool((kept - real).abs().max() <= SAME_PICTURE)
