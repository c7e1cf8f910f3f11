"""Watching a training: progress bar, TensorBoard, curves, grids of samples."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from consingan.images.io import to_pixels, write_image
from consingan.images.resize import resize_to
from consingan.images.sheets import grid
from consingan.machine.precision import Arithmetic
from consingan.methods.consingan import sampling
from consingan.methods.consingan.engine import LOSSES
from consingan.methods.consingan.saturation import ENOUGH, flat_loss
from consingan.nn.noise import stream
from consingan.runs.curves import save_curves
from consingan.training.loop import ATTEMPTS, Trainer
from consingan.training.records import Record, StageRecord, StageRestarted, StepRecord

GRID_SAMPLES = 7  # beside the real image, in two rows
SCALARS_EVERY = 10  # iterations between two points of TensorBoard's curves
SHOW_EVERY = 0.3  # seconds between two looks at the losses, which may stall a GPU


def stage_costs(trainer: Trainer) -> list[float]:
    """Relative time of one iteration of each stage, by the pixels that its networks work on.

    Whatever the pixels, a layer takes as long as some of them do: on a CPU few, while a GPU's
    kernels take long to launch. A critic step takes about a fifth of an iteration of three.
    """
    pixels = [float(r.shape[-2] * r.shape[-1]) for r in trainer.reals]
    fixed = 750.0 if trainer.device.type == "cpu" else 2500.0
    generator_share, critic_step = 0.15, 0.19
    costs = (
        (fixed * (stage + 3) + pixels[stage] + generator_share * sum(pixels[:stage]))
        * (1 + critic_step * (trainer.config_of(stage).d_steps - 3))
        for stage in range(len(pixels))
    )
    return [float(round(cost)) for cost in costs]  # whole, so that they add up without rounding


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

        costs = stage_costs(self.trainer)
        first = self.trainer.stage
        self.costs = costs
        total = sum(
            cost * self.trainer.iterations_of(stage)
            for stage, cost in enumerate(costs)
            if stage >= first
        )
        past = self.trainer.iteration * costs[first] if first < len(costs) else 0.0
        self.bar = tqdm(
            total=total,
            initial=past,
            file=self.file,
            disable=self.file is None and not sys.stderr.isatty(),
            bar_format="{percentage:3.0f}%|{bar}| {elapsed} spent, {remaining} left{postfix}",
            dynamic_ncols=True,
            smoothing=0.1,
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
        real, fake, penalty, adversarial, reconstruction = record.losses.tolist()
        return (
            f" stage {record.stage + 1}/{trainer.config.train_stages} "
            f"iteration {record.iteration + 1}/{trainer.iterations} "
            f"D {fake - real + penalty:.3f} G {adversarial:.3f} rec {reconstruction:.4f}"
        )

    def _finished(self, record: StageRecord, trainer: Trainer) -> None:
        if self.bar.disable:
            spent = time.perf_counter() - self.started
            last = record.losses[-1, LOSSES.index("g_reconstruction")].item()
            self.say(
                f"stage {record.stage + 1}/{trainer.config.train_stages} finished "
                f"{spent:.0f} s after this start, reconstruction loss {last:.4f}"
            )
        if record.stage + 1 == trainer.config.train_stages:
            self.close()

    def close(self) -> None:
        """Leave the terminal in order."""
        self.bar.close()


@dataclass
class Pictures:
    """A grid of samples and the curves after every stage, the reconstruction at the end.

    The grid has the real image at its top left, then the reconstruction, then what the mode is
    about: random samples, or the user's own picture harmonized or edited.
    """

    folder: Path
    naive: Tensor | None = None
    arithmetic: Arithmetic = field(default_factory=Arithmetic)

    def observe(self, record: Record, trainer: Trainer) -> None:
        """Draw after each stage."""
        if not isinstance(record, StageRecord):
            return
        write_image(self.folder / str(record.stage) / "samples.png", self.sheet(trainer))
        save_curves(self.folder)
        if record.stage + 1 == trainer.config.train_stages:
            write_image(self.folder / "reconstruction.png", trainer.model.reconstruction())

    def sheet(self, trainer: Trainer) -> Tensor:
        """The grid, (3, H, W) in [-1, 1]."""
        model = trainer.model
        pictures = [model.real, model.reconstruction()]
        if self.naive is None and not model.mode.takes_naive_image:
            pictures += sampling.random_samples(
                model, GRID_SAMPLES - 1, seed=model.config.manual_seed, arithmetic=self.arithmetic
            )
        elif self.naive is not None:
            rng = stream(model.config.manual_seed, "monitor")
            pictures.append(resize_to(self.naive, model.sizes[-1]).clamp(-1, 1))
            pictures.append(sampling.from_image(model, self.naive, rng, arithmetic=self.arithmetic))
        return grid(pictures)


class TensorBoard:
    """Scalars and grids of samples for `tensorboard --logdir TrainedModels`."""

    def __init__(self, folder: Path, pictures: Pictures) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        self.writer = SummaryWriter(str(folder / "tensorboard"), max_queue=1000, flush_secs=60)
        self.pictures = pictures

    def observe(self, record: Record, trainer: Trainer) -> None:
        """Write scalars every few iterations and the grid after each stage."""
        if isinstance(record, StepRecord) and record.iteration % SCALARS_EVERY == 0:
            before = sum(trainer.iterations_of(k) for k in range(record.stage))
            step = before + record.iteration
            for name, value in zip(LOSSES, record.losses.tolist(), strict=True):
                self.writer.add_scalar(f"stage_{record.stage}/{name}", value, record.iteration)
                self.writer.add_scalar(f"all_stages/{name}", value, step)
        elif isinstance(record, StageRecord):
            sheet = torch.from_numpy(to_pixels(self.pictures.sheet(trainer)))
            self.writer.add_image("samples", sheet, record.stage, dataformats="HWC")
            amplitude = trainer.model.anchors[record.stage].amplitude
            self.writer.add_scalar("noise_amplitude", amplitude, record.stage)
            self.writer.flush()

    def close(self) -> None:
        """Write what is left."""
        self.writer.close()


COLLAPSE_ADVICE = "Train anew with a smaller --lr_scale, --lr_g and --lr_d, or with --batch_norm."


class Collapse:
    """Warns after a stage that gives the image back no better than one flat color does.

    So ends a training whose steps are too large: the generator's last activation saturates, and
    with it all gradients vanish. The stages above would be wasted.
    """

    def observe(self, record: Record, trainer: Trainer) -> None:
        """Look at the reconstruction of a stage that has had the time to learn it."""
        if isinstance(record, StageRestarted):
            warnings.warn(
                f"stage {record.stage + 1} ended in one flat color after {record.iterations} "
                "iterations, as happens now and then; it begins anew with other random numbers "
                f"(attempt {record.attempt + 1} of {ATTEMPTS}).",
                stacklevel=2,
            )
        if not isinstance(record, StageRecord) or trainer.config.alpha == 0:
            return
        curve = record.losses[:, LOSSES.index("g_reconstruction")]
        if trainer.config.niter < ENOUGH:  # the first stage's count, which no later one exceeds
            return
        flat = flat_loss(trainer.reals[record.stage], trainer.config.alpha)
        if curve[-len(curve) // 10 :].median().item() > flat:
            warnings.warn(
                f"stage {record.stage + 1} gives the image back no better than one flat color. "
                f"{COLLAPSE_ADVICE}",
                stacklevel=2,
            )
