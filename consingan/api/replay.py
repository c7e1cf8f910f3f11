"""Train a finished run again from what its folder keeps, and say whether it is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from consingan.api.train import Run, Watch, finish, go_on, unwatched
from consingan.errors import UserError
from consingan.machine.execution import Execution, Wanted, as_before
from consingan.machine.files import described, read_json, settings_digest
from consingan.machine.program import go_on_command
from consingan.methods.contract import Method
from consingan.runs.about import about_this_run, this_machine, versions, went_on
from consingan.runs.files import CONFIG, PYRAMID, START, WEIGHTS
from consingan.runs.folder import RunFolder
from consingan.runs.manifest import first_counts
from consingan.training.longer import lengthen
from consingan.training.loop import Trainer
from consingan.training.prepare import check_engine


@dataclass(frozen=True)
class Replay:
    """A run that was trained again.

    Attributes:
        folder: of the new run.
        others: sentences on what is not as it was: versions, processor, execution, pictures.
        apart: where the weights differ first, and by how much; "" where they are the same bits.
    """

    folder: RunFolder
    others: tuple[str, ...]
    apart: str

    @property
    def equal(self) -> bool:
        """Whether all weights are the same, bit for bit."""
        return not self.apart


def replay(
    path: Path,
    output_dir: Path,
    watch: Watch = unwatched,
    told: Callable[[tuple[str, ...], Execution, Method], None] = lambda *_: None,
) -> Replay:
    """Train a run again: same images, settings, seed and way of computing, as far as they are here.

    The images are those that the run keeps, at the training sizes, so that no file of the user's is
    needed.

    Args:
        path: of the run.
        output_dir: where the new one goes.
        watch: makes those who watch.
        told: called before the work begins, with what is not as it was, how it is executed and
            by which method.

    Raises:
        UserError: the run is not finished, or a file of it is missing or damaged.
        consingan.errors.InterruptedRunError: stopped; the state of the new run is saved.
        consingan.errors.DivergedError: a loss stopped being finite.
    """
    run = RunFolder.open(path)
    manifest = run.manifest
    if manifest["status"] != "finished":
        raise UserError(
            f"{path} is not finished ({manifest['status']}); go on with it first "
            f"({go_on_command(path)})."
        )
    if run.config.fine_tune and run.stages == 1 and not (path / START).is_file():
        raise UserError(
            f"{path} cannot be trained again: releases before 1.12 did not keep what a fine-tuning "
            f"of one stage starts from (no {START}). Fine-tune the run that it began with anew."
        )
    for name in compared(run):  # before hours of training
        run.load(name)
    execution = as_before(Wanted(), manifest.get("execution", {}))
    check_engine(run.method, execution)
    others = (*_edited(run), *differences(manifest, execution))
    told(others, execution, run.method)
    again = _train(run, execution, output_dir, watch)
    for entry in manifest.get("lengthened", []):
        lengthen(again, entry["counts"])
        go_on(again, Wanted(), watch)
    return Replay(again, others, first_difference(run, again))


def _train(run: RunFolder, execution: Execution, output_dir: Path, watch: Watch) -> RunFolder:
    """The training as the run was begun."""
    manifest = run.manifest
    config = run.config.replace(**first_counts(manifest))
    with run.explained():
        training = run.method.load().take_up(config, run.start(), execution)
    about = about_this_run(execution, manifest.get("origin", {}))
    about |= {name: manifest[name] for name in ("base", "pictures") if name in manifest}
    folder = RunFolder.create(output_dir, training, about, run.naive())
    finish(Run(Trainer(training), folder, execution, run.naive()), watch)
    return folder


def _edited(run: RunFolder) -> Iterator[str]:
    """A sentence where the settings are others than when the run was begun, if that was noted."""
    then = run.manifest.get("settings")
    if then is not None and then != settings_digest(read_json(run.path / CONFIG)):
        yield f"{run.path / CONFIG} is not what the run was trained with; it was edited since."


def differences(manifest: Mapping[str, Any], execution: Execution) -> Iterator[str]:
    """Sentences on what is not as it was when a run was trained, as far as that was noted."""
    for name, then in manifest.get("versions", {}).items():
        now = versions().get(name, "unknown")
        if now != then:
            yield f"{name} was {then}, it is {now}."
    before = manifest.get("machine")
    if before is None:
        yield "The run does not say on which processor it was trained."
    for name, then in (before or {}).items():
        if (now := this_machine().get(name, "unknown")) != then:
            yield f"The {name} was {then}, it is {now}."
    for name, then in manifest.get("execution", {}).items():
        if (here := execution.to_json().get(name)) != then:
            yield f"The {name} was {then}, it is {here}."
    yield from went_on(manifest)
    if execution.device.type != "cpu":
        yield f"On {execution.device} sums are not added in the same order each time."
    yield from _pictures(manifest.get("pictures", {}))


def _pictures(before: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Files that are not what they were; the images that the run keeps are taken all the same."""
    for name, then in before.items():
        path = Path(then.get("path", ""))
        now = described({name: path})[name].get("sha256")
        if now is None:
            yield f"{path} is not there any more; the run's own copy is taken."
        elif now != then.get("sha256", now):
            yield f"{path} is another picture by now; the run's own copy is taken."


def compared(run: RunFolder) -> list[str]:
    """Files that must hold the same: what was learned must be there, earlier stages need not."""
    earlier = [f"{stage}/{WEIGHTS}" for stage in range(run.stages - 1)]
    learned = [run.last_weights] if run.stages else []
    return [PYRAMID, *(name for name in earlier if (run.path / name).is_file()), *learned]


def first_difference(run: RunFolder, again: RunFolder) -> str:
    """Where the tensors of two runs of the same training differ first; "" where they do not."""
    for name in compared(run):
        before, now = run.load(name), again.load(name)
        # Numbers besides the pictures that an earlier release did not keep follow from these.
        apart = _apart(before, {key: t for key, t in now.items() if key in before or t.ndim})
        if apart:
            return f"{name}: {apart}"
    return ""


def _apart(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> str:
    if one.keys() != other.keys() or any(one[k].shape != other[k].shape for k in one):
        return "other tensors"
    different = [k for k in one if not torch.equal(one[k], other[k])]
    if not different:
        return ""
    most = max(float((one[k].double() - other[k].double()).abs().max()) for k in different)
    return f"{len(different)} of {len(one)} tensors differ, by {most:.2g} at most"
