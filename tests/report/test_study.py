"""A study's figures: means over pictures and seeds, effects by pairs, tables."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from report_cases import assert_self_contained, scene

from consingan.images.io import write_image
from consingan.metrics.common import seeded
from consingan.metrics.judge import Judgement
from consingan.metrics.reconstruction import Reconstruction
from consingan.metrics.summary import Summary, summarize_groups
from consingan.report.judging import SIZES_DIFFER
from consingan.report.study import Trained, best, effects, summaries
from consingan.report.study_page import page, signed
from consingan.report.study_tables import latex, markdown, record, table_csv

SWD = {"a.png": 4.0, "b.png": 9.0}  # of pictures, in which they differ far more than settings


def trained(picture: str, scale: float, seed: int, run: Path | None = None) -> Trained:
    """Larger steps are worse by 1, whatever the picture; a seed adds a tenth."""
    swd = SWD[picture] + (scale > 0.2) + seed / 10
    metrics = {"swd": Summary(swd, 0.1, swd, None, None, 5)}
    judgement = Judgement(5, metrics, {}, Reconstruction(20.0 + seed, 0.5))
    variant = (("lr_scale", scale), ("niter", 7))
    return Trained(picture, variant, seed, "finished", "", run, judgement, 60.0)


@pytest.fixture
def study() -> list[Trained]:
    return [trained(p, s, k) for p in SWD for s in (0.1, 0.5) for k in range(3)]


def test_means_are_over_pictures_and_seeds(study: list[Trained]) -> None:
    found = summaries(study)
    assert [dict(variant)["lr_scale"] for variant in found] == [0.1, 0.5]
    first = found[study[0].variant]["swd"]
    assert first.mean == pytest.approx(6.6)
    assert first.count == 6
    assert first.low is not None
    assert first.low < 6.6 < (first.high or 0)


def test_pictures_weigh_alike_however_many_seeds_they_have() -> None:
    assert summarize_groups([[1.0, 1.0, 1.0], [3.0]], 100, seeded(0)).mean == 2.0


def test_one_group_is_the_ordinary_bootstrap() -> None:
    values = [1.0, 2.0, 3.0, 4.0]
    found = summarize_groups([values], 2000, seeded(0))
    assert found.low is not None
    assert 1.2 < found.low < 2.0
    assert 3.0 < (found.high or 0) < 3.8
    assert summarize_groups([[2.0]], 10, seeded(0)) == Summary(2.0, 0.0, 2.0, None, None, 1)


def test_an_effect_is_seen_that_is_smaller_than_the_pictures_differ(study: list[Trained]) -> None:
    (effect,) = effects(study)
    assert (effect.setting, effect.value, effect.first) == ("lr_scale", 0.5, 0.1)
    assert effect.changes["swd"].mean == pytest.approx(1.0)
    assert effect.clear("swd") == "worse"
    assert effect.clear("psnr") == ""


def test_only_pairs_count_for_an_effect(study: list[Trained]) -> None:
    (effect,) = effects([one for one in study if (one.picture, one.seed) != ("a.png", 2)][1:])
    assert effect.changes["swd"].count == 4


@pytest.mark.parametrize("lost", ["a.png", "b.png"])
def test_means_over_different_pictures_are_not_said_to_be_best(
    study: list[Trained], lost: str, tmp_path: Path
) -> None:
    """Of one picture alone a setting may seem better by far, or worse, than of two."""
    words = "over different pictures"
    some = [one for one in study if dict(one.variant)["lr_scale"] == 0.1 or one.picture != lost]
    failed = [replace(one, status="failed", judgement=None) for one in study if one not in some]
    marks = ("**" in markdown([*some, *failed]), "mathbf" in latex([*some, *failed]))
    assert marks == (False, False)
    assert words in page("s", [*some, *failed], tmp_path)
    assert words not in page("s", study, tmp_path)


def test_best_of_each_picture_is_by_the_mean_over_seeds(study: list[Trained]) -> None:
    found = best(study, "swd")
    assert {p: dict(v)["lr_scale"] for p, (v, _) in found.items()} == {"a.png": 0.1, "b.png": 0.1}
    assert found["b.png"][1] == pytest.approx(9.1)


def test_tables_say_mean_and_std(study: list[Trained]) -> None:
    head, _, first, second = markdown(study).splitlines()
    assert head.startswith("| setting | SWD x1000 ↓ | PSNR ↑ |")
    assert first.startswith("| lr_scale 0.1, niter 7 | **6.60 ± 2.74** |")
    assert "| 7.60 ± 2.74 |" in second
    text = latex(study)
    assert r"lr\_scale 0.1, niter 7 & $\mathbf{6.60} \pm 2.74$" in text
    assert text.count(r"\\") == 3


def test_a_training_that_failed_is_in_the_tables_too(study: list[Trained]) -> None:
    broken = Trained("c|d.png", study[0].variant, 0, "failed", "no picture, it seems")
    rows = list(csv.DictReader(io.StringIO(table_csv([*study, broken]))))
    assert len(rows) == 13
    assert rows[-1]["picture"] == "c|d.png"
    assert rows[-1]["error"] == "no picture, it seems"
    assert rows[0]["swd"] == "4.0"
    plain = json.loads(json.dumps(record([*study, broken]), allow_nan=False))
    assert plain["trainings"][-1]["figures"] == {}
    assert plain["effects"][0]["changes"]["swd"]["mean"] == pytest.approx(1.0)
    assert "no picture, it seems" in page("x", [*study, broken], Path())


def test_the_page_is_one_file_with_a_grid_for_each_setting(tmp_path: Path) -> None:
    some = []
    for scale in (0.1, 0.5):
        run = Path(f"job_{scale}")
        (tmp_path / run / "1").mkdir(parents=True)
        write_image(tmp_path / run / "1" / "samples.png", scene(1))
        some += [trained("a.png", scale, seed, run) for seed in range(2)]
    text = page("steps <1>", some, tmp_path)
    assert_self_contained(text)
    assert text.count("<img") == 2
    assert "steps &lt;1&gt;" in text
    assert "lr_scale 0.5, niter 7: SWD 5.00" in text


def test_nothing_is_shown_of_a_study_that_has_not_begun() -> None:
    text = page("x", [Trained("a.png", (), 0, "not begun")], Path())
    assert "1 training of 1 picture, 1 setting, 1 seed: 1 not begun." in text
    assert "<table" not in text
    assert signed(-0.5) == "−0.500"


def test_a_page_says_where_reconstructions_were_judged_at_different_sizes(
    study: list[Trained], tmp_path: Path
) -> None:
    assert SIZES_DIFFER not in page("s", study, tmp_path)
    sketch = Judgement(5, {}, {}, Reconstruction(30.0, 0.9, (12, 16)))
    assert SIZES_DIFFER in page("s", [*study, replace(study[0], judgement=sketch)], tmp_path)
