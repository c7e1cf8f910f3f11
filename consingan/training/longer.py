"""Train a finished run on: its last stage gets more iterations than it had.

The stages below stay as the training left them. The learning rate follows the schedule of the new
count, so that it is whole again before it drops for the last part; what comes out is not what a
training of that count gives from the start.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.machine.execution import Execution
from consingan.methods.contract import Method, Reopens, Sketches, Training
from consingan.runs.curves import read_table
from consingan.runs.files import RESUME, START, WEIGHTS
from consingan.runs.folder import RunFolder
from consingan.settings.option import flag_name
from consingan.training.loop import Trainer


def lengthen(folder: RunFolder, counts: Mapping[str, int]) -> None:
    """Let `resume` go on with a finished run up to new counts of iterations.

    One entry of the manifest says so, hence a run is lengthened or it is not. One that is being
    lengthened to these very counts is left as it is. Until the work is done it can be evaluated as
    it was.

    Args:
        folder: of the run.
        counts: fields of `Method.counts` with their new values.

    Raises:
        UserError: it is not finished, or would not be trained longer by them.
    """
    method, now = folder.method, folder.config
    _refuse_other_settings(method, counts)
    wanted = now.replace(**counts)
    wanted.check()
    if _is_under_way(folder, wanted == now, counts):  # before a lock, which leaves a file
        return
    with folder.locked():
        if _is_under_way(folder, wanted == now, counts):
            return
        entries = folder.manifest.get("lengthened", [])
        had = len(_curves(folder))
        training = method.load().take_up(wanted, beginning(folder), Execution(torch.device("cpu")))
        _refuse_no_more(folder, training, had)
        before, then = ({name: getattr(c, name) for name in method.counts} for c in (now, wanted))
        # A run that was killed while it was being finished keeps a state that others do not.
        (folder.path / RESUME).unlink(missing_ok=True)
        entry = {"iterations": had, "before": before, "counts": then}
        folder.note(status="interrupted", lengthened=[*entries, entry])


def _is_under_way(folder: RunFolder, same: bool, counts: Mapping[str, int]) -> bool:
    """Whether a run is being lengthened to the counts that it has by now.

    Raises:
        UserError: it is not finished, and not for that reason.
    """
    status, entries = folder.manifest["status"], folder.manifest.get("lengthened", [])
    if status == "finished":
        return False
    if same and entries:
        return True
    field = folder.method.config.__dataclass_fields__[next(iter(counts))]
    raise UserError(
        f"{folder.path} is not finished ({status}); go on with it first, by --resume "
        f"without --{flag_name(field)}."
    )


def beginning(folder: RunFolder) -> dict[str, Tensor]:
    """What `contract.Code.take_up` takes of a run that goes on; its state is loaded afterwards.

    Releases before 1.12 did not keep what a fine-tuning of one stage starts from. Weights that the
    run has by now stand in for it, as none of them stays.
    """
    if folder.config.fine_tune and folder.stages == 1 and not (folder.path / START).is_file():
        for name in (RESUME, f"0/{WEIGHTS}"):
            if (folder.path / name).is_file():
                return folder.tensors(1, name)
    return folder.start()


def ways(folder: RunFolder) -> str:
    """Flags that train a finished run longer, "--niter" or several; "" where nothing does."""
    method, config = folder.method, folder.config
    try:
        with folder.explained():
            training = method.load().take_up(
                config, beginning(folder), Execution(torch.device("cpu"))
            )
    except UserError:  # a damaged run is trained no longer
        return ""
    if not (training.stages and isinstance(training, Reopens)) or _is_sketch(training):
        return ""
    fields = method.config.__dataclass_fields__
    return " and ".join(f"--{flag_name(fields[n])}" for n in method.counts if getattr(config, n))


def is_being_lengthened(folder: RunFolder) -> bool:
    """Whether a run that was finished before has more to do in its last stage."""
    manifest = folder.manifest
    whole = 0 < folder.stages == folder.finished_stages
    return bool(manifest.get("lengthened")) and whole and manifest["status"] != "finished"


def reopen(folder: RunFolder, trainer: Trainer) -> float:
    """Put `trainer` where the last stage of a finished run ended; the seconds spent in that stage.

    Raises:
        UserError: a file is missing or damaged, or the method cannot do it.
    """
    training, last = trainer.training, trainer.stages - 1
    assert isinstance(training, Reopens)
    name = f"{last}/{WEIGHTS}"
    curves = _curves(folder)
    with folder.explained(name):
        state = training.reopened(folder.load(name))
        place = {"position": torch.tensor([last, len(curves)]), "curves": curves}
        trainer.load_state({**state, **place, **folder.anchors(trainer.stages)})
    times = folder.manifest["seconds_per_stage"]
    return float(times[last]) if last < len(times) else 0.0


def _refuse_other_settings(method: Method, counts: Mapping[str, int]) -> None:
    fields = method.config.__dataclass_fields__
    for name in counts:
        if name not in method.counts:
            known = " or ".join(f"--{flag_name(fields[count])}" for count in method.counts)
            raise UserError(f"{name!r} does not make a training longer; use {known}.")


def _refuse_no_more(folder: RunFolder, training: Training, had: int) -> None:
    config = training.config
    if not training.stages:
        raise UserError(
            f"{folder.path} has nothing to learn, so that it cannot be trained longer; evaluate it."
        )
    if not isinstance(training, Reopens):
        raise UserError(
            f"A finished run of --method {config.method} cannot be trained on; train anew with "
            f"--niter {config.niter}."
        )
    if _is_sketch(training):
        raise UserError(
            f"{folder.path} was trained for the layout of its samples alone, its last stage only "
            f"begun; train anew with {_more(folder.config.niter, config.niter)}."
        )
    iterations = training.iterations(training.stages - 1)
    if iterations <= had:
        method = folder.method
        flags = (method.config.__dataclass_fields__[name] for name in method.counts)
        values = ", ".join(f"--{flag_name(f)} {getattr(config, f.name)}" for f in flags)
        raise UserError(
            f"The last stage of {folder.path} has {had} iterations already, and {values} gives "
            f"it {iterations}; give more."
        )


def _more(now: int, wanted: int) -> str:
    """The count that a new training is to have, where another one was asked for by name."""
    return f"--niter {wanted}" if wanted > now else f"a larger --niter (now {now})"


def _is_sketch(training: Training) -> bool:
    """Whether the last stage was only begun."""
    return isinstance(training, Sketches) and training.sketched is not None


def _curves(folder: RunFolder) -> Tensor:
    """Losses of the last stage, (iterations, losses) in the run's own order."""
    names = folder.manifest.get("losses") or folder.method.losses
    if not folder.stages:
        return torch.zeros(0, len(names))
    name = f"{folder.stages - 1}/losses.csv"
    try:
        table = read_table(folder.path / name)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{folder.path / name} cannot be read ({error}), by which the iterations that were "
            "are counted; restore it from a copy."
        ) from None
    with folder.explained(name):
        return torch.stack([torch.from_numpy(table[loss]).float() for loss in names], 1)
