"""What a report says of large pictures."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from report_cases import Page, scene
from small_models import model

from consingan.images.io import unit
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.registry import METHODS
from consingan.metrics.reconstruction import reconstruction_quality
from consingan.outputs import large
from consingan.outputs.large import look_at
from consingan.outputs.requests import SamplesRequest
from consingan.outputs.samples import RandomSamples
from consingan.report.kinds import KINDS
from consingan.report.large import (
    contrast_of,
    how_judged,
    judge_windows,
    on_windows,
    quality_of,
)
from consingan.report.material import Facts
from consingan.report.page import report
from consingan.report.write import Extras, judged
from consingan.runs.load import LoadedRun


@pytest.fixture
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "LARGE", 2000)
    monkeypatch.setattr(large, "SIDE", 32)


IMAGE = scene(1, 96, 128)


@pytest.mark.usefixtures("small_is_large")
@pytest.mark.parametrize(
    ("picture", "level"),
    [
        (IMAGE, "good"),
        (IMAGE.flip(3), "good"),
        (torch.randn(IMAGE.shape, generator=torch.Generator().manual_seed(1)).clamp(-1, 1), "bad"),
    ],
    ids=["itself", "mirrored", "noise"],
)
def test_fine_detail_is_told_by_windows(picture: torch.Tensor, level: str) -> None:
    windows = judge_windows(IMAGE, [look_at(picture).windows])
    (verdict,) = on_windows(Facts(ConSinGANConfig(), windows=windows))
    assert verdict.level == level, verdict.text


@pytest.mark.usefixtures("small_is_large")
def test_windows_of_the_image_itself_have_no_distance() -> None:
    found = judge_windows(IMAGE, [look_at(IMAGE).windows, look_at(IMAGE.flip(2)).windows])
    assert found is not None
    assert found.distances[0] == 0
    assert found.distances[1] > 0
    assert found.between > 0
    assert found.to_json()["count"] == 6


def test_of_small_pictures_there_are_none() -> None:
    assert judge_windows(IMAGE, []) is None
    assert not list(on_windows(Facts(ConSinGANConfig())))
    made = unit(IMAGE.flip(3))
    assert quality_of(unit(IMAGE), made) == reconstruction_quality(unit(IMAGE), made)


@pytest.mark.usefixtures("small_is_large")
@pytest.mark.parametrize("sketched", [False, True])
@pytest.mark.parametrize("side", [12, 96])
def test_contrast_is_what_one_flat_color_lacks(side: int, sketched: bool) -> None:
    colors = torch.tensor([0.6, 0.0, -0.6])[None, :, None, None]
    real = colors + 0.3 * scene(1, side, 128)
    coarse = real[..., :8, :32]
    sketch = (coarse, coarse.mean((2, 3), keepdim=True).expand_as(coarse)) if sketched else None
    looked_at = look_at(real).windows if side == 96 else real
    flat = looked_at.mean((0, 2, 3))[None, :, None, None].expand_as(real).contiguous()
    lacking = quality_of(unit(real), unit(flat), sketch).psnr
    assert -20 * math.log10(contrast_of(unit(real), sketch)) == pytest.approx(lacking)


@pytest.mark.usefixtures("small_is_large")
def test_the_reconstruction_is_judged_on_windows() -> None:
    damaged = IMAGE.clone()
    damaged[..., :1, :] = 0  # above all windows
    assert quality_of(unit(IMAGE), unit(damaged)).psnr == 100


def test_a_page_says_how_a_large_picture_was_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = LoadedRun(tmp_path, METHODS["consingan"], model(), {})
    monkeypatch.setattr(large, "LARGE", 1200)
    monkeypatch.setattr(large, "SIDE", 10)
    looks = [look_at(run.model.sample([k])) for k in range(2)]
    made = RandomSamples([x.picture for x in looks], windows=[x.windows for x in looks])
    said: list[str] = []
    material = replace(judged(run, made, Extras(say=said.append)), request=SamplesRequest())
    page = Page(report(material))
    sentence = how_judged(material)
    assert "reduced to 18x45 px" in sentence
    assert "windows of 10 px at full size" in sentence
    assert sentence in said
    assert sentence in page.text
    assert material.judgement is not None
    assert material.judgement.reconstruction == material.quality
    assert material.samples[0].shape[-2:] == (45, 18)
    assert np.isfinite(material.windows.mean)  # type: ignore[union-attr]
    assert KINDS["samples"].what == "samples"
