"""Trainings: new, going on with one, one of an earlier run."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from torch import Tensor

from consingan.api import trained
from consingan.api.trained import TrainedModel, _picture
from consingan.errors import UserError
from consingan.images.io import ARRAY_NAME
from consingan.machine.execution import Execution
from consingan.machine.precision import Arithmetic
from consingan.runs.about import about_this_run
from consingan.runs.earlier import earlier_run_of
from consingan.runs.folder import RunFolder
from consingan.settings.config import Config
from consingan.settings.option import flag_name
from consingan.training import plan, prepare, resume
from consingan.training.loop import Trainer
from consingan.training.observers import Collapse
from consingan.training.prepare import Job
from consingan.training.records import Record
from consingan.training.session import Observer, Session


@dataclass(frozen=True)
class _Callback:
    """Calls a function with every record."""

    function: Callable[[Record], Any]

    def observe(self, record: Record, trainer: Trainer) -> None:  # noqa: ARG002
        """Pass the record on."""
        self.function(record)


def train(
    image: str | Path | Tensor,
    *,
    output_dir: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    engine: str = "auto",
    base: str | Path | None = None,
    callback: Callable[[Record], Any] | None = None,
    **settings: Any,
) -> TrainedModel:
    """Train a model on one image.

    Args:
        image: a picture file, "skimage:NAME", or a tensor (1, 3, H, W) in [-1, 1].
        output_dir: where to make the run's folder; None writes nothing.
        device: auto, cpu, cuda, cuda:N or mps.
        precision: auto, float32, tf32 or bf16.
        engine: auto, plain or fast.
        base: with fine_tune=True and naive_img=..., the run's folder to go on from.
        callback: called with every record (StepRecord, StageRecord ...), see
            `consingan.training.records`.
        **settings: fields of `consingan.settings.config.Config`, for example train_mode="retarget",
            max_size=128, niter=500, manual_seed=1.

    Raises:
        UserError: a setting or the picture cannot be used.
        consingan.errors.DivergedError: a loss stopped being finite.
    """
    settings = _checked(settings)
    if bool(settings.get("fine_tune")) != bool(base):
        raise UserError("fine_tune=True and base=..., the folder of a run, go together; give both.")
    execution = Execution.choose(device, precision, engine)
    tensor = _picture(image) if isinstance(image, Tensor) else None
    name = ARRAY_NAME if tensor is not None else str(image)
    settings.setdefault("manual_seed", 0)
    job = prepare.prepare(
        {**settings, "input_name": name}, execution, tensor, Path(base) if base else None
    )
    folder = None
    if output_dir is not None:
        about = about_this_run(execution, job.chosen.origin)
        folder = RunFolder.create(Path(output_dir), job.trainer, about, job.naive)
    told = [_Callback(callback)] if callback else []
    Session(job.trainer, folder, [Collapse(), *told]).run()
    return TrainedModel(job.trainer.model, execution.arithmetic, folder.path if folder else None)


def _checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by the names of their fields, paths as text.

    Raises:
        UserError: there is no such setting; the sentence names the nearest.
    """
    flags = {flag_name(field): name for name, field in Config.__dataclass_fields__.items()}
    for name in settings:
        if name == "input_name":
            raise UserError("The picture is the first argument of train; leave input_name out.")
        if name not in Config.__dataclass_fields__:
            near = [flags[name]] if name in flags else []
            near = near or difflib.get_close_matches(name, Config.__dataclass_fields__, 1)
            hint = f"did you mean {near[0]!r}?" if near else "see consingan.config.Config."
            raise UserError(f"There is no setting {name!r}; {hint}")
    return {k: os.fspath(v) if isinstance(v, os.PathLike) else v for k, v in settings.items()}


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

    model: trained.TrainedModel
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
        settings: fields of `consingan.settings.config.Config`; None means not given.
        make_view: makes the one who watches the training, if there is one.
        execution: device and arithmetic; by default what suits the machine.
        anew: train a new run whatever is there.
        say: takes a line for the user.

    Raises:
        UserError: a setting, the picture or the run found cannot be used.
        consingan.session.InterruptedRunError: stopped; the state is saved.
        consingan.errors.DivergedError: a loss stopped being finite.
    """
    execution = execution or Execution.choose()
    job = prepare.prepare({"manual_seed": 0, **settings, "input_name": image}, execution)
    folder = None if anew else earlier_run_of(job, output_dir, any_seed=False)
    if folder is None:
        folder = _begin(job, output_dir, say)
        return Outcome(_train(job.trainer, folder, execution, make_view), "trained")
    if folder.manifest["status"] == "finished":
        say(f"Trained already with these settings, nothing to do: {folder.path}")
        model = folder.load_model(execution.device)[0]
        return Outcome(trained.TrainedModel(model, execution.arithmetic, folder.path), "loaded")
    execution = _as_before(execution, folder)
    with folder.locked():
        trainer, seconds = resume.resumed(folder, execution)
        say(
            "Found an unfinished training of this picture with these settings. Going on at stage "
            f"{trainer.stage + 1}, iteration {trainer.iteration}: {folder.path}"
        )
        return Outcome(_train(trainer, folder, execution, make_view, seconds), "resumed")


def _begin(job: Job, output_dir: Path, say: Say) -> RunFolder:
    """Make the folder of a new run."""
    for line in plan.introduction(job):
        say(line)
    about = about_this_run(job.execution, job.chosen.origin)
    folder = RunFolder.create(output_dir, job.trainer, about)
    say(f"A new training: {folder.path}")
    return folder


def _train(
    trainer: Trainer,
    folder: RunFolder,
    execution: Execution,
    make_view: MakeView,
    seconds: float = 0.0,
) -> trained.TrainedModel:
    """Train to the end; `seconds` were spent in the present stage before."""
    with closing(make_view(trainer, folder, execution.arithmetic)) as view:
        Session(trainer, folder, [view, Collapse()], None, seconds).run()
    return trained.TrainedModel(trainer.model, execution.arithmetic, folder.path)


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
