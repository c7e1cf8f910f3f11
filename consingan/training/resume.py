"""Go on with a run where it was stopped, as if nothing had happened."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.machine.execution import Execution
from consingan.methods.consingan.draws import SeededRandomness
from consingan.methods.consingan.engines import choose_engine
from consingan.methods.consingan.tasks import MODES, fine_tuned
from consingan.runs.folder import RESUME, RunFolder
from consingan.training.loop import Trainer


def resumed(folder: RunFolder, execution: Execution) -> tuple[Trainer, float]:
    """A trainer that goes on where the run stopped, and the seconds spent in its stage so far.

    Hold `folder.locked()` from before this to the end of the training, or another process may
    come in between.

    Raises:
        UserError: the run is finished already or used by another process, or a file of it is
            missing or damaged.
    """
    refuse_finished(folder)
    with folder.locked():
        refuse_finished(folder)  # perhaps by another process a moment ago
        trainer = _trainer(folder, execution)
        seconds = _take_up(folder, trainer)
        folder.tidy()
        folder.note(status="training")
    return trainer, seconds


def refuse_finished(folder: RunFolder) -> None:
    """Nothing is left to do in a finished run.

    Raises:
        UserError: it is finished.
    """
    if folder.manifest["status"] == "finished":
        raise UserError(f"{folder.path} is finished; evaluate it with evaluate_model.py.")


def _trainer(folder: RunFolder, execution: Execution) -> Trainer:
    """The run's trainer as it was at the very start."""
    config, device = folder.config, execution.device
    mode = MODES[config.train_mode]
    return Trainer(
        config,
        folder.reals(device),
        choose_engine(execution.engine, execution.arithmetic, execution.checkpointing),
        SeededRandomness(
            config.manual_seed, fine_tuned(mode) if config.fine_tune else mode, device
        ),
        start=folder.start(device) if config.fine_tune else None,
        source_image=folder.source_image(device),
    )


def _take_up(folder: RunFolder, trainer: Trainer) -> float:
    """Put `trainer` where the run was; returns the seconds spent in its stage so far.

    Takes the state in the middle of a stage, else the last finished stage; without either the
    trainer stays at its start.
    """
    finished = folder.finished_stages
    progress = _progress(folder)
    if progress is not None and int(progress["position"][0]) >= finished:
        stage = int(progress["position"][0])
        _load(folder, trainer, RESUME, progress, stage + 1)
        return float(progress["seconds"])
    if finished > trainer.stage:
        name = f"{finished - 1}/weights.safetensors"
        weights = folder.load(name) | {"position": torch.tensor([finished, 0])}
        _load(folder, trainer, name, weights, finished)
    return 0.0


def _load(
    folder: RunFolder, trainer: Trainer, name: str, state: Mapping[str, Tensor], stages: int
) -> None:
    """Give `trainer` the state from the file `name`, in which `stages` stages are begun."""
    anchors = folder.anchors(stages, trainer.device)
    try:
        trainer.load_state(state, anchors)
    except RuntimeError as error:
        raise folder.misfit(name, error) from None


def _progress(folder: RunFolder) -> dict[str, Tensor] | None:
    """The state in the middle of a stage, if there is any."""
    if not (folder.path / RESUME).is_file():
        return None
    try:
        return folder.load(RESUME, "position", "seconds")
    except UserError as error:
        raise UserError(
            f"{str(error).rstrip('.')}; or delete it to go on from the last finished stage."
        ) from None
