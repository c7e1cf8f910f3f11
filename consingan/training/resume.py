"""Go on with a run where it was stopped, as if nothing had happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.machine.execution import Execution
from consingan.machine.program import command_line, started_as
from consingan.methods.registry import method_of
from consingan.runs.about import changed, how_computed
from consingan.runs.files import RESUME
from consingan.runs.folder import RunFolder
from consingan.runs.manifest import resumed_of
from consingan.runs.soundness import check_state
from consingan.training.longer import beginning, is_being_lengthened, reopen, ways
from consingan.training.loop import ATTEMPTS, Trainer


def resume(folder: RunFolder, execution: Execution) -> tuple[Trainer, float]:
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
        config = folder.config
        with folder.explained():
            code = method_of(config.method).load()
            trainer = Trainer(code.take_up(config, beginning(folder), execution))
        seconds = _take_up(folder, trainer)
        folder.tidy()
        folder.note(status="training", **_otherwise(folder, trainer, execution))
    return trainer, seconds


def _otherwise(folder: RunFolder, trainer: Trainer, execution: Execution) -> dict[str, Any]:
    """An entry of the manifest where a run goes on otherwise than it was computed so far."""
    manifest, now = folder.manifest, how_computed(execution)
    earlier = resumed_of(manifest)
    if not changed(earlier[-1] if earlier else manifest, now):
        return {}
    return {"resumed": [*earlier, {"stage": trainer.stage, "iteration": trainer.iteration, **now}]}


def refuse_finished(folder: RunFolder) -> None:
    """Nothing is left to do in a finished run.

    Raises:
        UserError: it is finished.
    """
    if folder.manifest["status"] == "finished":
        flags = ways(folder)
        longer = f", or give --resume a larger {flags} to train it longer" if flags else ""
        evaluate = command_line(started_as("evaluate"))
        raise UserError(f"{folder.path} is finished; evaluate it with {evaluate}{longer}.")


def _take_up(folder: RunFolder, trainer: Trainer) -> float:
    """Put `trainer` where the run was; returns the seconds spent in its stage so far.

    Takes the state in the middle of a stage, else the last finished stage; without either the
    trainer stays at its start.
    """
    finished = folder.finished_stages
    progress = _progress(folder, trainer)
    longer = is_being_lengthened(folder)
    if progress is not None and int(progress["position"][0]) >= finished - longer:
        stage = int(progress["position"][0])
        _load(folder, trainer, RESUME, progress, stage + 1)
        return float(progress["seconds"])
    if longer:
        return reopen(folder, trainer)
    if finished > trainer.stage:
        name = f"{finished - 1}/weights.safetensors"
        weights = folder.load(name) | {"position": torch.tensor([finished, 0])}
        _load(folder, trainer, name, weights, finished)
    return 0.0


def _load(
    folder: RunFolder, trainer: Trainer, name: str, state: Mapping[str, Tensor], stages: int
) -> None:
    """Give `trainer` the state from the file `name`, in which `stages` stages are begun."""
    anchors = folder.anchors(stages)
    names = _losses(folder, trainer, state)
    with folder.explained(name):
        curves = {"curves": _columns(state["curves"], names, trainer)} if "curves" in state else {}
        trainer.load_state({**state, **anchors, **curves})


def _losses(folder: RunFolder, trainer: Trainer, state: Mapping[str, Tensor]) -> Sequence[str]:
    """Names of a state's curves: as the run was begun, or with what was added when it went on."""
    began, now = folder.losses, trainer.training.losses
    curves = state.get("curves")
    added = curves is not None and len(began) != len(now) and curves.shape[1:] == (len(now),)
    return now if added else began


def _columns(curves: Tensor, names: Sequence[str], trainer: Trainer) -> Tensor:
    """Curves with the columns that the training has now; one that was not counted yet is 0."""
    wanted = trainer.training.losses
    if tuple(names) == wanted:
        return curves
    found = curves.new_zeros(len(curves), len(wanted))
    for place, name in enumerate(wanted):
        if name in names:
            found[:, place] = curves[:, names.index(name)]
    return found


def _progress(folder: RunFolder, trainer: Trainer) -> dict[str, Tensor] | None:
    """The state in the middle of a stage, if there is any."""
    if not (folder.path / RESUME).is_file():
        return None
    try:
        state = folder.load(RESUME, "position", "seconds")
        losses = _losses(folder, trainer, state)
        check_state(folder.path / RESUME, state, trainer.stages, len(losses), ATTEMPTS)
        return state
    except UserError as error:
        raise UserError(
            f"{str(error).rstrip('.')}; or delete it to go on from the last finished stage."
        ) from None
