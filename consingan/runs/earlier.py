"""Find the run that an earlier training of the same picture left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from consingan.errors import UserError
from consingan.images.io import image_stem
from consingan.runs.folder import MANIFEST, RunFolder
from consingan.settings.config import Config
from consingan.training.prepare import Job

SAME_PICTURE = 1e-3  # largest difference in [-1, 1] that another machine's rounding may make


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
