"""Watching a training: progress bar, TensorBoard, curves, grids of samples."""

from __future__ import annotations

import contextlib
import math
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from consingan.images.io import write_image
from consingan.images.raster import Pixels
from consingan.machine.progress import on_terminal
from consingan.methods.contract import Reconstructs
from consingan.methods.registry import method_of
from consingan.outputs.finish import sketched_of
from consingan.outputs.formats import for_eyes
from consingan.outputs.reconstruction import reconstruction
from consingan.outputs.registry import sheet_of
from consingan.runs.curves import save_curves
from consingan.runs.progress import Progress, remove_progress, write_progress
from consingan.training.loop import ATTEMPTS, Trainer
from consingan.training.records import Record, StageRecord, StageRestarted, StageStarted, StepRecord

SCALARS_EVERY = 10  # iterations between two points of TensorBoard's curves
NOTE_EVERY = 2.0  # seconds between two notes of the progress
SHOW_EVERY = 0.3  # seconds between two looks at the losses, which may stall a GPU
ENDS = {
    "flat": "gives the image back no better than one flat color.",
    "beaten": "ended with a critic that tells all samples from the image: they hardly get better.",
}


@dataclass
class ProgressBar:
    """One bar for the whole run with the time that is left for all of it.

    Iterations of fine stages take longer, so the bar counts work, not iterations. Where standard
    error is no terminal, it prints one line a stage instead. `file` is drawn on instead of
    standard error, whatever it is.
    """

    trainer: Trainer
    say: Callable[[str], None]
    bar: Any = None
    shown_at: float = 0.0
    done: float = 0.0
    started: float = field(default_factory=time.perf_counter)
    file: Any = None

    def __post_init__(self) -> None:
        from tqdm import tqdm

        training, first = self.trainer.training, self.trainer.stage
        costs = self.costs = [training.cost(stage) for stage in range(training.stages)]
        total = sum(
            cost * training.iterations(stage) for stage, cost in enumerate(costs) if stage >= first
        )
        drawn = on_terminal() if self.file is None else {}
        past = self.trainer.iteration * costs[first] if first < len(costs) else 0.0
        self.bar = tqdm(
            total=total,
            initial=past,
            file=self.file,
            bar_format="{percentage:3.0f}%|{bar}| {elapsed} spent, {remaining} left{postfix}",
            dynamic_ncols="ncols" not in drawn,
            smoothing=0.1,
            **drawn,
        )

    def observe(self, record: Record, trainer: Trainer) -> None:
        """Move on by one iteration."""
        if isinstance(record, StepRecord):
            self.bar.update(self.costs[record.stage])
            now = time.perf_counter()
            if not self.bar.disable and now - self.shown_at > SHOW_EVERY:
                self.shown_at = now
                self.bar.set_postfix_str(self._losses(record, trainer), refresh=False)
        elif isinstance(record, StageRestarted):
            self.bar.update(-record.iterations * self.costs[record.stage])
        elif isinstance(record, StageRecord):
            self._finished(record, trainer)

    def _losses(self, record: StepRecord, trainer: Trainer) -> str:
        return (
            f" stage {record.stage + 1}/{trainer.stages} "
            f"iteration {record.iteration + 1}/{trainer.iterations} "
            + method_of(trainer.config.method).in_short(record.losses.tolist())
        )

    def _finished(self, record: StageRecord, trainer: Trainer) -> None:
        if self.bar.disable:
            spent = time.perf_counter() - self.started
            self.say(
                f"stage {record.stage + 1}/{trainer.stages} finished "
                f"{spent:.0f} s after this start{_last(record, trainer)}"
            )
        if record.stage + 1 == trainer.stages:
            self.close()

    def close(self) -> None:
        """Leave the terminal in order."""
        self.bar.close()


def _last(record: StageRecord, trainer: Trainer) -> str:
    """How well the stage gives back the image, where its method measures that and it learned."""
    name = method_of(trainer.config.method).reconstruction
    if not name or len(record.losses) < 2:
        return ""
    value = record.losses[-1, trainer.training.losses.index(name)].item()
    return f", reconstruction loss {value:.4f}"


@dataclass
class ProgressNotes:
    """Notes down in the run's folder how far the training is, while it runs."""

    folder: Path
    begun: float = field(default_factory=time.perf_counter)
    noted: float = -math.inf
    done_before: float | None = None

    def observe(self, record: Record, trainer: Trainer) -> None:
        """Note it down every few seconds, and when a stage begins."""
        now = time.perf_counter()
        started = isinstance(record, StageStarted)
        if not started and (not isinstance(record, StepRecord) or now - self.noted < NOTE_EVERY):
            return
        self.noted = now
        done = self._done(trainer)
        if self.done_before is None:
            self.done_before, self.begun = done, now
        gained = done - self.done_before
        left = (1 - done) * (now - self.begun) / gained if gained > 0 else None
        write_progress(
            self.folder,
            Progress(
                trainer.stage + 1, trainer.stages, trainer.iteration, trainer.iterations, done, left
            ),
        )

    def _done(self, trainer: Trainer) -> float:
        """Share of all iterations, each counted by what it costs; a fine-tuning begins late."""
        training = trainer.training
        stages = range(training.first, training.stages)
        works = {k: training.cost(k) * training.iterations(k) for k in stages}
        before = sum(work for k, work in works.items() if k < trainer.stage)
        done = before + training.cost(trainer.stage) * trainer.iteration
        return min(1.0, done / sum(works.values()))

    def close(self) -> None:
        """The training has ended, or is about to."""
        remove_progress(self.folder)


@dataclass
class Sheets:
    """A grid of samples after every stage, the reconstruction at the end.

    Attributes:
        folder: of the run.
        naive: the user's own picture, (1, 3, H, W) in [-1, 1].
        drawn: the grid of the stage that ended last, (height, width, 3) in 0 to 255; None: it has
            none.
    """

    folder: Path
    naive: Tensor | None = None
    drawn: Pixels | None = field(default=None, init=False)

    def observe(self, record: Record, trainer: Trainer) -> None:
        """Draw after each stage."""
        if not isinstance(record, StageRecord):
            return
        self.drawn = None
        if adds_nothing(record, trainer):
            return
        self.drawn = sheet_of(trainer.model, self.naive)
        write_image(self.folder / str(record.stage) / "samples.png", self.drawn)
        if record.stage + 1 == trainer.stages and isinstance(trainer.model, Reconstructs):
            model: Any = trainer.model
            (given_back,) = for_eyes(model, [reconstruction(model)])
            write_image(self.folder / "reconstruction.png", given_back)


def adds_nothing(record: StageRecord, trainer: Trainer) -> bool:
    """Whether a stage was only begun, so that samples are those before it, and is not the last."""
    return record.stage + 1 < trainer.stages and sketched_of(trainer.model) is not None


@dataclass
class Pictures(Sheets):
    """The same, and after every stage the curves, which take longer to draw than small stages."""

    def observe(self, record: Record, trainer: Trainer) -> None:
        """Draw after each stage."""
        super().observe(record, trainer)
        if isinstance(record, StageRecord) and not adds_nothing(record, trainer):
            save_curves(self.folder, method_of(trainer.config.method).reconstruction)


class TensorBoard:
    """Scalars and grids of samples for `tensorboard --logdir TrainedModels`.

    Where they cannot be written (a full disk, a path that it does not take) the training goes on
    without them, and says so: what it learned is another file, which may have room.

    Args:
        folder: of the run.
        sheets: whose grids are shown, too; observes before this does.
    """

    def __init__(self, folder: Path, sheets: Sheets) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        self.sheets = sheets
        self.writer: Any = None
        self.hook, threading.excepthook = threading.excepthook, self._of_thread
        with self._dispensable():
            place = str(folder / "tensorboard")
            self.writer = SummaryWriter(place, max_queue=1000, flush_secs=60)

    def _of_thread(self, error: Any) -> None:
        """Leave what ends the writer's thread to the next call of it, which raises the same."""
        if not type(error.thread).__module__.startswith("tensorboard."):
            self.hook(error)

    @contextlib.contextmanager
    def _dispensable(self) -> Iterator[None]:
        try:
            yield
        except (OSError, UnicodeEncodeError) as error:
            self.writer = None
            # It takes only names that are UTF-8; all else of a run takes any.
            reason = error.strerror if isinstance(error, OSError) else "the path is not UTF-8"
            why = f"TensorBoard's files cannot be written ({reason})"
            warnings.warn(f"{why}; the training goes on without them", stacklevel=2)

    def observe(self, record: Record, trainer: Trainer) -> None:
        """Write scalars every few iterations and the grid after each stage."""
        if self.writer is not None:
            with self._dispensable():
                self._write(record, trainer)

    def _write(self, record: Record, trainer: Trainer) -> None:
        if isinstance(record, StepRecord) and record.iteration % SCALARS_EVERY == 0:
            before = range(trainer.training.first, record.stage)
            step = sum(map(trainer.training.iterations, before)) + record.iteration
            for name, value in zip(trainer.training.losses, record.losses.tolist(), strict=True):
                self.writer.add_scalar(f"stage_{record.stage}/{name}", value, record.iteration)
                self.writer.add_scalar(f"all_stages/{name}", value, step)
        elif isinstance(record, StageRecord):
            self._end_stage(record, trainer)

    def _end_stage(self, record: StageRecord, trainer: Trainer) -> None:
        if self.sheets.drawn is not None:
            sheet = torch.from_numpy(self.sheets.drawn)
            self.writer.add_image("samples", sheet, record.stage, dataformats="HWC")
        for name, value in trainer.training.scalars(record.stage).items():
            self.writer.add_scalar(name, value, record.stage)
        self.writer.flush()

    def close(self) -> None:
        """Write what is left."""
        if self.writer is not None:
            with self._dispensable():
                self.writer.close()
        threading.excepthook = self.hook


class Saturation:
    """Warns after a stage that came to nothing, mostly of too large steps."""

    def observe(self, record: Record, trainer: Trainer) -> None:
        """Look at the stages that began anew, and at those that ended flat."""
        if isinstance(record, StageRestarted):
            warnings.warn(
                f"stage {record.stage + 1} ended in one flat color after {record.iterations} "
                "iterations, as happens now and then; it begins anew with other random numbers "
                f"(attempt {record.attempt + 1} of {ATTEMPTS}).",
                stacklevel=2,
            )
        if not isinstance(record, StageRecord):
            return
        training, method = trainer.training, method_of(trainer.config.method)
        curves = dict(zip(training.losses, record.losses.T.tolist(), strict=True))
        flat, beaten = training.flat(record.stage, record.losses), method.beaten(curves)
        for symptom in ["flat"] * flat + ["beaten"] * beaten:
            text = f"{ENDS[symptom]} {method.remedy(symptom, trainer.config)}"
            warnings.warn(f"stage {record.stage + 1} {text}", stacklevel=2)
