"""Train, or go on where a run was cut off, or load what is finished already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from consingan import api, plan, runs
from consingan.checkpoint import RunFolder
from consingan.collapse import Collapse
from consingan.errors import UserError
from consingan.picture_queue import earlier_run_of
from consingan.precision import Arithmetic
from consingan.runs import Execution, Job
from consingan.session import Observer, Session
from consingan.trainer import Trainer

Say = Callable[[str], None]


class View(Observer, Protocol):
    """Somebody who looks at a training and has to be told when it is over."""

    def close(self) -> None:
        """The training is over, well or not."""
        ...


MakeView = Callable[[Trainer, RunFolder, Arithmetic], View]


@dataclass(frozen=True)
class Outcome:
    """A trained model and what it took: "trained", "resumed" or "loaded"."""

    model: api.TrainedModel
    how: Literal["trained", "resumed", "loaded"]


def train_or_resume(
    image: str,
    output_dir: Path,
    settings: Mapping[str, Any],
    make_view: MakeView,
    *,
    execution: Execution | None = None,
    anew: bool = False,
    say: Say = print,
) -> Outcome:
    """A trained model of `image`, with as little work as it takes.

    A finished run of the same picture and settings below `output_dir` is loaded, an unfinished
    one is resumed, without either a new one is trained. The picture's content counts, not the
    folder that it lies in.

    Args:
        image: a picture file or "skimage:NAME".
        output_dir: where run folders are.
        settings: fields of `consingan.config.Config`; None means not given.
        make_view: makes the one who watches the training, if there is one.
        execution: device and arithmetic; by default what suits the machine.
        anew: train a new run whatever is there.
        say: takes a line for the user.

    Raises:
        UserError: a setting, the picture or the run found cannot be used.
        consingan.session.InterruptedRunError: stopped; the state is saved.
        consingan.trainer.DivergedError: a loss stopped being finite.
    """
    execution = execution or Execution.choose()
    job = runs.prepare({"manual_seed": 0, **settings, "input_name": image}, execution)
    folder = None if anew else earlier_run_of(job, output_dir, any_seed=False)
    if folder is None:
        folder = _begin(job, output_dir, say)
        return Outcome(_train(job.trainer, folder, execution, make_view), "trained")
    if folder.manifest["status"] == "finished":
        say(f"Trained already with these settings, nothing to do: {folder.path}")
        model = folder.load_model(execution.device)[0]
        return Outcome(api.TrainedModel(model, execution.arithmetic, folder.path), "loaded")
    execution = _as_before(execution, folder)
    with folder.locked():
        trainer, seconds = runs.resumed(folder, execution)
        say(
            "Found an unfinished training of this picture with these settings. Going on at stage "
            f"{trainer.stage + 1}, iteration {trainer.iteration}: {folder.path}"
        )
        return Outcome(_train(trainer, folder, execution, make_view, seconds), "resumed")


def _begin(job: Job, output_dir: Path, say: Say) -> RunFolder:
    """Make the folder of a new run."""
    for line in plan.introduction(job):
        say(line)
    about = runs.about_this_run(job.execution, job.chosen.origin)
    folder = RunFolder.create(output_dir, job.trainer, about)
    say(f"A new training: {folder.path}")
    return folder


def _train(
    trainer: Trainer,
    folder: RunFolder,
    execution: Execution,
    make_view: MakeView,
    seconds: float = 0.0,
) -> api.TrainedModel:
    """Train to the end; `seconds` were spent in the present stage before."""
    with closing(make_view(trainer, folder, execution.arithmetic)) as view:
        Session(trainer, folder, [view, Collapse()], None, seconds).run()
    return api.TrainedModel(trainer.model, execution.arithmetic, folder.path)


def _as_before(execution: Execution, folder: RunFolder) -> Execution:
    """Compute as the run did so far, where this machine can."""
    before = folder.manifest.get("execution", {})
    if before.get("device") != str(execution.device):
        return execution
    try:
        return Execution.choose(
            device=before["device"],
            precision=before.get("precision", "auto"),
            engine=before.get("engine", "auto"),
            checkpointing=bool(before.get("checkpointing", False)),
            threads=before.get("threads"),
        )
    except UserError:  # another GPU than before, which lacks that precision
        return execution
