"""What a report is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from consingan.images.io import image_stem
from consingan.methods.consingan.tasks import MODES
from consingan.metrics.judge import Judgement
from consingan.metrics.reconstruction import Reconstruction
from consingan.outputs.composite import Composite
from consingan.runs.curves import Curves
from consingan.settings.config import Config

Size = tuple[int, int]
Level = Literal["good", "fair", "bad"]


@dataclass(frozen=True)
class Verdict:
    """One sentence, how good the news is, and what to do about it."""

    level: Level
    text: str
    advice: str = ""


@dataclass(frozen=True)
class Region:
    """The part of a user's picture that was changed, before and after, against the real image.

    Attributes:
        before: metric -> value of the naive image's region; lower is better.
        after: the same of the result.
        whole: whether it is the whole picture, for want of a mask.
    """

    before: dict[str, float]
    after: dict[str, float]
    whole: bool = False


@dataclass(frozen=True)
class Facts:
    """What the verdicts are made from.

    Attributes:
        config: the run's settings.
        kind: what the mode makes: samples, an animation's frames or a composite.
        judgement: of the samples or frames, where there are any.
        quality: of the reconstruction.
        short_side: of the real image, in px.
        contrast: standard deviation of the real image, in [0, 1].
        curves: loss curves of each finished stage.
        finished: stages that are finished.
        status: what the manifest says.
        region: of a composite.
    """

    config: Config
    kind: str = "samples"
    judgement: Judgement | None = None
    quality: Reconstruction | None = None
    short_side: int = 250
    contrast: float = 0.25
    curves: Curves = field(default_factory=tuple)
    finished: int = 0
    status: str = "finished"
    region: Region | None = None


@dataclass(frozen=True)
class Made:
    """What the evaluation has made already.

    Attributes:
        samples: random samples at the training size, (1, 3, h, w) in [-1, 1] on the CPU.
        composite: the user's own picture and its result.
    """

    samples: Sequence[Tensor] = ()
    composite: Composite | None = None


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
