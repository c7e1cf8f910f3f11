"""Rows keep their height."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from consingan.methods.patches.config import PatchesConfig
from consingan.methods.patches.method import PATCHES
from consingan.methods.patches.model import PatchDiffusion
from consingan.methods.patches.rows import by_rows
from consingan.methods.registry import config_from_json
from consingan.nn.noise import stream


def landscape(height: int = 26, width: int = 30) -> Tensor:
    """Bright above, dark below, noise everywhere."""
    noise = torch.rand(1, 3, height, width, generator=stream("rows")) - 0.5
    return torch.linspace(0.6, -0.6, height).view(1, 1, height, 1) + 0.4 * noise


def height_of_rows(made: Tensor, real: Tensor) -> float:
    """Correlation of the rows' means with the picture's."""
    rows = torch.stack([x.mean((0, 1, 3)) for x in (made, real)])
    return float(torch.corrcoef(rows)[0, 1])


@pytest.mark.parametrize("engine", ["exact", "fast"])
def test_what_is_above_stays_above(engine: str) -> None:
    real, found = landscape(), []
    for share in (0.0, 1.0):
        config = PatchesConfig(patch=5, rows=share)
        made = PatchDiffusion(config, real, engine).sample(range(4))
        found.append(min(height_of_rows(one, real) for one in made.split(1)))
    assert found[1] > 0.8 > found[0]


def test_only_behind_pure_noise_anything_is_added() -> None:
    real, clean = landscape()[0], torch.zeros(3, 18, 30)
    denoise = by_rows(lambda _x, _alpha, _sigma: clean, real, 1.0)
    assert torch.equal(denoise(clean, 0.1, 0.9), clean)
    first = denoise(clean, 0.0, 1.0)
    assert torch.equal(first, first[:, :, :1].expand_as(first))
    assert abs(float(first.mean())) < 1e-3
    assert float(first[:, 0].mean()) > 0.4 > -0.4 > float(first[:, -1].mean())
    half = by_rows(lambda _x, _alpha, _sigma: clean, real, 0.5)(clean, 0.0, 1.0)
    torch.testing.assert_close(half, first / 2)


def test_a_picture_without_a_top_is_sampled_as_before() -> None:
    real = landscape().mean(2, keepdim=True).expand(-1, -1, 26, -1).contiguous()
    made = [
        PatchDiffusion(PatchesConfig(patch=5, rows=share), real, "fast").sample([0])
        for share in (0.0, 1.0)
    ]
    torch.testing.assert_close(made[1], made[0], rtol=0, atol=1e-3)


@pytest.mark.parametrize("tile", ["both", "vertical"])
def test_a_tile_without_a_top_has_no_rows(tile: str) -> None:
    made = [
        PatchDiffusion(PatchesConfig(patch=5, tile=tile, rows=share), landscape(), "fast").sample(
            [0]
        )
        for share in (0.0, 1.0)
    ]
    assert torch.equal(made[0], made[1])


def test_runs_of_earlier_versions_and_the_published_method_have_none() -> None:
    kept = PatchesConfig(input_name="a.png").to_json()
    assert kept.pop("rows") == 1
    assert config_from_json({**kept, "method": "patches"}).rows == 0  # type: ignore[attr-defined]
    assert PATCHES.presets["published"] == {"balance": 0, "sw_steps": 0, "rows": 0}


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, False),
        ({"tile": "horizontal"}, False),
        ({"tile": "both"}, True),
        ({"train_mode": "retarget", "loosen": 0.5}, True),
        ({"train_mode": "animation"}, True),
    ],
)
def test_where_rows_change_nothing_it_is_said(settings: dict[str, object], named: bool) -> None:
    idle = {name for name, _ in PATCHES.idle(PatchesConfig(input_name="a.png", **settings))}  # type: ignore[arg-type]
    assert ("rows" in idle) == named


@pytest.mark.parametrize(
    ("settings", "advised"),
    [
        ({}, True),
        ({"rows": 0.0}, False),
        ({"tile": "both"}, False),
        ({"train_mode": "retarget"}, False),
    ],
)
def test_samples_that_are_alike_are_told_of_rows_where_they_decide(
    settings: dict[str, object], advised: bool
) -> None:
    advice = PATCHES.remedy("alike", PatchesConfig(input_name="a.png", **settings))  # type: ignore[arg-type]
    assert ("lower --rows (now 1)" in advice) == advised
    laid_out = settings.get("train_mode") == "retarget"
    assert ("raise --loosen (now 0)" if laid_out else "raise --min_side") in advice
