"""Samples beside real crops: the figures, the sheet, and what the report says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from helpers import picture
from torch import Tensor

from consingan.methods.contract import Crops
from consingan.methods.dcgan.crops import cut
from consingan.methods.registry import METHODS
from consingan.outputs.crops import BesideCrops, beside_crops
from consingan.outputs.requests import SamplesRequest
from consingan.outputs.samples import RandomSamples, begin
from consingan.report.kinds import KINDS
from consingan.report.material import Facts

REAL = picture(40, 44)


@dataclass
class Cuts:
    """Its samples are crops of the image, or noise."""

    noise: bool = False
    real: Tensor = REAL
    sizes: tuple[tuple[int, int], ...] = ((16, 16),)
    least_size: tuple[int, int] = (8, 8)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def crops(self, count: int, seed: int) -> Tensor:
        return cut(self.real, 16, count, torch.Generator().manual_seed(seed), flips=True)

    def sample(self, indices: Sequence[int], size: Any, seed: int) -> Tensor:
        count = len(indices)
        if self.noise:
            return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(9)) * 2 - 1
        return self.crops(count, seed + 1000 + indices[0])

    def at_a_time(self, size: Any) -> int:
        return 24


def test_real_crops_are_as_near_as_two_sets_of_crops_and_noise_is_not() -> None:
    assert isinstance(Cuts(), Crops)
    good, bad = beside_crops(Cuts(), 0), beside_crops(Cuts(noise=True), 0)
    assert len(good.samples) == len(good.crops) == 64
    assert good.between_crops == bad.between_crops
    assert good.distance < 2 * good.between_crops < bad.distance


def verdict(found: BesideCrops) -> tuple[str, str]:
    method = METHODS["dcgan"]
    facts = Facts(method.config(), "samples", method, made=RandomSamples([], found))
    (only,) = KINDS["samples"].verdicts(facts)
    return only.level, only.text


def test_the_report_judges_samples_by_crops() -> None:
    pictures = torch.zeros(1, 3, 16, 16)
    good, bad = (BesideCrops(pictures, pictures, value, 3.0) for value in (4.0, 28.0))
    assert verdict(good) == (
        "good", "Samples have the patches of real crops (SWD 4.0, two sets of crops 3.0)."
    )  # fmt: skip
    assert verdict(bad)[0] == "bad"
    figures = KINDS["samples"].figures(RandomSamples([], bad))
    assert figures == {"beside_crops": {"swd_to_crops": 28.0, "swd_between_crops": 3.0}}


def test_samples_are_compared_as_they_are_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consingan.outputs.crops.COUNT", 4)
    found = beside_crops(Cuts(), 0, lambda sample, index: torch.full_like(sample, index / 4))
    assert found.samples[:, 0, 0, 0].tolist() == [0, 0.25, 0.5, 0.75]


def test_a_sheet_lies_beside_the_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consingan.outputs.crops.COUNT", 4)
    model = Cuts()
    model.config = SimpleNamespace(
        train_mode="generation", channels="auto", wraps=(0, 0), finished=0.0, finished_within=0.0
    )  # type: ignore[attr-defined]
    said: list[str] = []
    work = begin(model, SamplesRequest(num_samples=2))
    made = work.write(tmp_path, said.append)
    assert made.crops is None  # without a report nothing is compared
    made = work.examine(made, tmp_path, said.append)
    assert (tmp_path / "crops_beside_samples.png").is_file()
    assert made.crops is not None
    assert any(line.startswith("4 samples against 4 crops") for line in said)


def test_it_is_said_once_that_the_compared_samples_are_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("crops", "samples"):
        monkeypatch.setattr(f"consingan.outputs.{module}.COUNT", 4)
    model = Cuts()
    config = SimpleNamespace(method="dcgan", train_mode="generation", channels="auto")
    config.wraps, config.finished, config.finished_within = (False, False), 0.0, 0.0
    model.config = config  # type: ignore[attr-defined]
    said: list[str] = []
    work = begin(model, SamplesRequest(num_samples=1, one_size=True, finish=0.5))
    work.examine(work.write(tmp_path, said.append), tmp_path, said.append)
    words = "4 samples are finished, too, to be compared with crops of the image."
    assert said.count(words) == 1
