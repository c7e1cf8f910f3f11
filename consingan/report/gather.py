"""Everything that a report shows, collected from a run."""

from __future__ import annotations

import dataclasses
import itertools
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from consingan.api import ARRAY_NAME
from consingan.checkpoint import MANIFEST, RunFolder
from consingan.compositing import Composite
from consingan.config import Config, choose, flag_name
from consingan.images import image_stem
from consingan.metrics.judge import Judgement
from consingan.metrics.reconstruction import Reconstruction
from consingan.modes import MODES
from consingan.pictures import read_curves
from consingan.program import started_as
from consingan.report.verdicts import Facts, Region, Verdict, verdicts
from consingan.runs import LoadedRun, choose_settings

if TYPE_CHECKING:
    from consingan.report.verdicts import Curves

Size = tuple[int, int]


@dataclass(frozen=True)
class Setting:
    """One setting of a run, beside what it is when nobody says anything."""

    flag: str
    value: Any
    default: Any

    @property
    def changed(self) -> bool:
        """Whether it is not the default."""
        return bool(self.value != self.default)


@dataclass(frozen=True)
class Material:
    """What a report is made from; pictures are (1, 3, h, w) in [-1, 1] on the CPU.

    Attributes:
        path: the run's folder, as the user named it.
        config: the run's settings.
        sizes: (h, w) in px of each finished stage.
        manifest: what the run's folder says of itself; empty for a run of the authors' program.
        curves: loss curves of the finished stages.
        real: the training image.
        reconstruction: what the fixed noise gives.
        samples: random samples, or frames of an animation.
        fps: frames per second of the animation.
        maps: novelty maps of the first few samples.
        composite: the user's own picture and what became of it.
        judgement: of the samples.
        quality: of the reconstruction.
        region: of the composite, before and after.
        evaluation: the command that made the samples or the composite, where one was typed.
    """

    path: Path
    config: Config
    sizes: Sequence[Size]
    manifest: Mapping[str, Any]
    curves: Curves
    real: Tensor
    reconstruction: Tensor
    samples: Sequence[Tensor] = ()
    fps: float = 10.0
    maps: Sequence[Tensor] = ()
    composite: Composite | None = None
    judgement: Judgement | None = None
    quality: Reconstruction | None = None
    region: Region | None = None
    evaluation: str = ""

    @property
    def name(self) -> str:
        """Of the training image."""
        return image_stem(self.config.input_name)

    @property
    def kind(self) -> str:
        """What the mode makes: samples, animation or composite."""
        return MODES[self.config.train_mode].report

    @property
    def seconds(self) -> float | None:
        """Time spent on the finished stages; None where nobody noted it."""
        times = self.manifest.get("seconds_per_stage")
        return sum(times) if times else None

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """What the figures mean in plain words."""
        return verdicts(
            Facts(
                config=self.config,
                kind=self.kind,
                judgement=self.judgement,
                quality=self.quality,
                short_side=min(self.real.shape[-2:]),
                contrast=float(self.real.std()) / 2,
                curves=self.curves,
                finished=len(self.sizes),
                status=self.manifest.get("status", "finished"),
                region=self.region,
            )
        )


def gather(run: LoadedRun) -> Material:
    """Collect what a run knows of itself; pictures and figures of samples are added to it."""
    model = run.model
    manifest: Mapping[str, Any] = {}
    if (run.path / MANIFEST).is_file():
        manifest = RunFolder.open(run.path).manifest
    curves = [losses for losses in read_curves(run.path) if len(losses["g_reconstruction"])]
    return Material(
        path=run.path,
        config=model.config,
        sizes=model.sizes,
        manifest=manifest,
        curves=curves[: len(model.sizes)],
        real=model.real.cpu(),
        reconstruction=model.reconstruction().cpu(),
    )


def settings(config: Config) -> list[Setting]:
    """All settings, those that differ from the mode's defaults first."""
    usual = choose({"mode": MODES[config.train_mode].overrides}).config
    found = [
        Setting(f"--{flag_name(f)}", getattr(config, f.name), getattr(usual, f.name))
        for f in dataclasses.fields(Config)
        if f.name not in ("input_name", "train_mode")
    ]
    mode = Setting("--train_mode", config.train_mode, Config().train_mode)
    found = [Setting("--input_name", config.input_name, ""), mode, *found]
    return sorted(found, key=lambda setting: not setting.changed)


def training_command(material: Material) -> str:
    """The command that trains the same model again.

    Written from the settings, so that it holds the seed even where that was drawn. Fine-tuning
    starts from another run, which only the command that was typed knows; a tensor comes from
    Python.
    """
    config = material.config
    if config.input_name == ARRAY_NAME:
        return _python_call(config)
    if config.fine_tune and material.manifest.get("command"):
        return str(material.manifest["command"])
    given = [field for field in dataclasses.fields(Config) if _must_be_given(field.name, config)]
    words = (_words(flag_name(field), getattr(config, field.name)) for field in given)
    return shlex.join(itertools.chain(started_as("train"), *words))


def _must_be_given(name: str, config: Config) -> bool:
    """Whether a training has another value of a field unless it is told this one."""
    if name in ("train_mode", "preset"):
        return bool(getattr(config, name) != getattr(Config(), name))
    if name == "manual_seed":
        return True  # drawn if nobody gives it
    told = {"train_mode": config.train_mode, "preset": config.preset}
    return bool(getattr(config, name) != getattr(choose_settings(told).config, name))


def _python_call(config: Config) -> str:
    given = (
        f"{field.name}={getattr(config, field.name)!r}"
        for field in dataclasses.fields(Config)
        if field.name != "input_name" and _must_be_given(field.name, config)
    )
    return f"consingan.train({', '.join([ARRAY_NAME, *given])})"


def _words(flag: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no_{flag}"]
    return [f"--{flag}", str(value)]


def evaluation_command(material: Material) -> str:
    """The command that makes the same pictures again."""
    words = (*started_as("evaluate"), "--model_dir", str(material.path))
    return material.evaluation or shlex.join(words)
