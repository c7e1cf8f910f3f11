"""What a report is made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from consingan.images.channels import eye
from consingan.images.names import image_stem
from consingan.images.resize import same_shape
from consingan.methods.contract import Method, Size
from consingan.methods.registry import method_of
from consingan.metrics.judge import Judgement
from consingan.metrics.reconstruction import Reconstruction
from consingan.runs.curves import Curves
from consingan.runs.manifest import pictures_of
from consingan.settings.config import Config

Level = Literal["good", "fair", "bad"]
LEVELS: tuple[Level, ...] = ("bad", "fair", "good")
STOPPING = ("flat", "diverged")  # symptoms for which a training had better not go on
Curve = np.ndarray[Any, Any]


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
        kept: share of the naive image's pixels that are the training image's.
        distance: swd of the whole naive image, as a share of that of one flat color.
    """

    before: dict[str, float]
    after: dict[str, float]
    whole: bool = False
    kept: float = 1.0
    distance: float = 0.0


@dataclass(frozen=True)
class Windows:
    """Samples at full size, on windows that lie at the same places in all and in the image.

    Attributes:
        real: the image's, (n, C, side, side) in [-1, 1].
        sample: those of the first sample.
        distances: of each sample's patches to the image's, see `metrics.swd.pooled_distances`.
        between: the same of other windows of the image.
    """

    real: Tensor
    sample: Tensor
    distances: Sequence[float]
    between: float

    @property
    def mean(self) -> float:
        """Of all samples."""
        return sum(self.distances) / len(self.distances)

    def to_json(self) -> dict[str, Any]:
        """For metrics.json."""
        count, _, _, side = self.real.shape
        return {
            "count": count, "side": side, "swd": list(self.distances), "between": self.between,
        }  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What the verdicts are made from.

    Attributes:
        config: the run's settings.
        kind: the output, a key of `outputs.registry.OUTPUTS`.
        method: that it was trained with.
        judgement: of the samples or frames, where there are any.
        quality: of the reconstruction.
        short_side: of the real image, in px.
        contrast: of the real image, see `report.large.contrast_of`.
        reconstruction: the loss of that name in each finished stage, where there is one.
        beaten: whether a critic won, see `Method.beaten`.
        stages: how many a whole training has.
        finished: how many of them are finished.
        status: what the manifest says.
        region: of a composite.
        windows: of large samples, see `report.large`.
        flat: swd of one flat color, the real image's mean, to that image.
        request: what was asked for, if that is known.
        made: what the output left, see its module.
        starts: stages at which a film or a picture of the user's own can start.
    """

    config: Config
    kind: str = "samples"
    method: Method = field(default_factory=lambda: method_of(None))
    judgement: Judgement | None = None
    quality: Reconstruction | None = None
    short_side: int = 250
    contrast: float = 0.25
    reconstruction: Sequence[Curve] = ()
    beaten: bool = False
    stages: int = 0
    finished: int = 0
    status: str = "finished"
    region: Region | None = None
    windows: Windows | None = None
    flat: float | None = None
    request: Any = None
    made: Any = None
    starts: Sequence[int] = ()

    def remedy(self, symptom: str) -> str:
        """Advice in the method's own flags; of a training that is to go on only what stops it."""
        if self.finished < self.stages and symptom not in STOPPING:
            return ""
        return self.method.remedy(symptom, self.config)


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
class Baseline:
    """Samples that were made without training.

    Attributes:
        title: of the method that made them.
        samples: the first of them, (1, 3, h, w) in [-1, 1].
        judgement: of all of them.
        seconds: that each took, by the clock.
    """

    title: str
    samples: Sequence[Tensor]
    judgement: Judgement
    seconds: float


@dataclass(frozen=True)
class Material:
    """What a report is made from; pictures are (1, C, h, w) in [-1, 1] on the CPU.

    Attributes:
        path: the run's folder, as the user named it.
        config: the run's settings.
        sizes: (h, w) in px of each finished stage.
        manifest: what the run's folder says of itself; empty for a run of the authors' program.
        curves: loss curves of the finished stages.
        stages: how many a whole training has.
        real: the training image.
        reconstruction: what the model gives back of it, where it can.
        sketch: image and reconstruction at the last stage that was trained, where finer ones were
            only begun.
        samples: random samples, or frames of an animation.
        maps: novelty maps of the first few samples.
        made: what the output left, see its module.
        judgement: of the samples.
        quality: of the reconstruction.
        region: of the composite, before and after.
        windows: of large samples, see `report.large`.
        flat: swd of one flat color, the real image's mean, to that image.
        request: what was asked for.
        baseline: samples without training, of a trained run.
        evaluation: the command that made the samples or the composite, where one was typed.
        weights: of the model, see `runs.load.LoadedRun`.
        starts: stages at which a film or a picture of the user's own can start.
        replayed: whether only the run's own copy of its images trains it again: its release filled
            the hole otherwise than this one does.
    """

    path: Path
    config: Config
    sizes: Sequence[Size]
    manifest: Mapping[str, Any]
    curves: Curves
    stages: int
    real: Tensor
    reconstruction: Tensor | None
    sketch: tuple[Tensor, Tensor] | None = None
    samples: Sequence[Tensor] = ()
    maps: Sequence[Tensor] = ()
    made: Any = None
    judgement: Judgement | None = None
    quality: Reconstruction | None = None
    region: Region | None = None
    windows: Windows | None = None
    flat: float | None = None
    request: Any = None
    baseline: Baseline | None = None
    evaluation: str = ""
    weights: str = ""
    starts: Sequence[int] = ()
    replayed: bool = False

    @cached_property
    def seen(self) -> Callable[[Tensor], Tensor]:
        """A picture of the model's for the page, (1, 3, h, w)."""
        return eye(self.real, self.config.channels)

    @property
    def name(self) -> str:
        """Of the training image."""
        return image_stem(self.config.input_name)

    @property
    def method(self) -> Method:
        """That it was trained with."""
        return method_of(self.config.method)

    @property
    def kind(self) -> str:
        """The output: samples, film or composite."""
        return self.method.task_of(self.config).output

    @property
    def seconds(self) -> float | None:
        """Time spent on the finished stages; None where nobody noted it."""
        times = self.manifest.get("seconds_per_stage")
        return sum(times) if times else None


def of_one_image(some: Sequence[Material]) -> bool:
    """Whether runs were trained on the same picture, as far as what they kept of it tells."""
    return all(_alike(some[0], other) for other in some[1:])


def _alike(one: Material, other: Material) -> bool:
    """The name does not tell: a file can lie elsewhere or be replaced, and arrays have none."""
    files = [pictures_of({**m.manifest}).get("input_name", {}).get("sha256") for m in (one, other)]
    known = all(files)
    if known and files[0] == files[1]:
        return one.config.page == other.config.page
    if one.real.shape == other.real.shape:
        return torch.equal(one.real.cpu(), other.real.cpu())
    sides = ((m.real.shape[-2], m.real.shape[-1]) for m in (one, other))
    return not known and same_shape(*sides) and one.config.input_name == other.config.input_name
