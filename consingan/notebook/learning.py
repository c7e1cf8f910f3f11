"""A training from a cell: begun, gone on with, or loaded where it is there already."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consingan.api.train import train_or_resume
from consingan.api.trained import TrainedModel, load
from consingan.machine.execution import Wanted, choose_execution
from consingan.notebook import show
from consingan.runs.earlier import earlier_run_of
from consingan.training.prepare import prepare


def learned(typed: Mapping[str, Any], output_dir: Path, start_anew: bool) -> TrainedModel:
    """The model of a training with these settings, watched in the cell's output.

    Args:
        typed: settings.
        output_dir: where runs are kept.
        start_anew: train a new run even where there is one.
    """
    job = prepare(dict(typed), choose_execution(Wanted()))
    earlier = None if start_anew else earlier_run_of(job.training, output_dir, any_seed=False)
    outcome = train_or_resume(
        job, earlier, output_dir, Wanted(), show.live, told=show.say_what_comes
    )
    if outcome.how == "finished before":
        show.show_result(outcome.folder)
    return load(outcome.folder.path)
