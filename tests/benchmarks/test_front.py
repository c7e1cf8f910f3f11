"""The benchmark of recipes: what is held against what, and that it goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from report_cases import scene

from benchmarks import front
from benchmarks.clock import CLOCK
from benchmarks.front import collapse_rows, in_order, main, orders_by_recipe, stored
from benchmarks.front_table import average_rows, by_picture, collapsed, picture_rows, ratio_rows
from benchmarks.recipes import RECIPES
from consingan.errors import UserError
from consingan.images.io import write_image

TINY = {"train_stages": 2, "niter": 2, "nfc": 4, "min_size": 16}


def record(image: str, swd: float, seed: int = 0, psnr: float = 30.0) -> dict[str, Any]:
    metrics = {"swd": {"mean": swd}, "diversity": {"mean": 0.5}}
    about = {"image": image, "seed": seed, "cpu": 10.0 * swd}
    return {**about, "metrics": metrics, "reconstruction": {"psnr": psnr}}


def test_ratios_are_to_the_first_recipe_on_the_same_picture() -> None:
    first = [record("a", 2), record("a", 4, 1), record("b", 10), record("c", 1)]
    other = [record("a", 6), record("b", 5)]
    (row,) = ratio_rows({"paper": first, "other": other})
    assert row["pictures"] == 2
    assert row["SWD ↓"].startswith("1.25 (")
    assert row["worst SWD"] == 2
    assert row["diversity ↑"] == "1 (1 to 1)"


def test_pictures_weigh_alike_and_failures_are_counted() -> None:
    some = [record("a", 2), record("a", 4, 1), record("b", 9), {"image": "b", "error": "no"}]
    (row,) = average_rows({"paper": some})
    assert (row["pictures"], row["trainings"], row["failed"]) == (2, 3, 1)
    assert row["SWD ↓"].startswith("6 (")
    assert row["CPU s"].startswith("60 (")
    assert by_picture(some, "swd") == {"a": [2, 4], "b": [9]}
    found = [(row["picture"], row["SWD ↓"]) for row in picture_rows({"paper": some})]
    assert found == [("a", 3), ("b", 9)]


def test_collapse_is_a_picture_not_given_back_or_samples_alike() -> None:
    alike = record("a", 1)
    alike["metrics"]["diversity"]["mean"] = 0.0
    bad = [record("a", 1, 1, psnr=9.0), alike, {"image": "b", "seed": 2, "error": "no"}]
    assert [collapsed(r) for r in [record("a", 1), *bad]] == [False, True, True, True]
    without = {k: v for k, v in record("a", 1).items() if k != "reconstruction"}
    assert not collapsed(without)  # not measured is not bad
    (row,) = collapse_rows({"fast": [record("a", 1), *bad]})
    assert (row["trainings"], row["collapsed"], row["lowest PSNR"]) == (4, 3, 9.0)
    assert row["which"] == "a seed 1, a seed 0, b seed 2"


def test_orders_come_seed_by_seed(tmp_path: Path) -> None:
    pictures = [tmp_path / name for name in ("b.png", "a.png")]
    for picture in pictures:
        write_image(picture, scene(1))
    orders = orders_by_recipe(["paper", "draft"], pictures, seeds=2, size=40, samples=3)
    found = [(o.seed, o.label, o.typed.get("preset")) for o in in_order(orders)]
    assert found == [(s, p, n) for s in (0, 1) for p in ("b.png", "a.png") for n in (None, "draft")]


def test_unknown_recipes_are_refused() -> None:
    with pytest.raises(UserError, match="There is no recipe 'slow'"):
        front.recipe_named("slow")


def test_it_trains_beside_stored_figures_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "tiny", {**TINY, "sw_weight": 1.0, "init": "he"})
    folder, output, kept = tmp_path / "images", tmp_path / "output", tmp_path / "kept"
    folder.mkdir()
    write_image(folder / "a.png", scene(1))
    own = kept / "paper" / "seed_0" / "images" / "a.png.json"
    own.parent.mkdir(parents=True)
    own.write_text(json.dumps(record("a.png", 2)), encoding="utf-8")
    words = ["train", str(folder), "--recipes", "paper,tiny", "--samples", "2", "--max_size", "32",
             "--beside", str(kept), "--output", str(output)]  # fmt: skip
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    table = json.loads((output / "front.json").read_text("utf-8"))
    assert [row["recipe"] for row in table["On average"]] == ["paper", "tiny"]
    assert table["Ratios to the first recipe"][0]["pictures"] == 1
    (clock,) = output.rglob(CLOCK)
    before = clock.read_text("utf-8")
    assert json.loads(before)["seconds"] > 0
    assert float(table["On average"][1]["CPU s"]) > 0
    assert (output / "front.png").is_file()
    again = CliRunner().invoke(main, words)
    assert again.exit_code == 0, again.output
    assert clock.read_text("utf-8") == before


def test_several_stores_are_taken_together(tmp_path: Path) -> None:
    folder, output = tmp_path / "images", tmp_path / "output"
    folder.mkdir()
    write_image(folder / "a.png", scene(1))
    words = ["train", str(folder), "--recipes", "paper", "--output", str(output)]
    for number, swd in enumerate((2, 4)):
        own = tmp_path / str(number) / "paper" / "seed_0" / "images" / "a.png.json"
        own.parent.mkdir(parents=True)
        own.write_text(json.dumps(record("a.png", swd)), encoding="utf-8")
        words += ["--beside", str(tmp_path / str(number))]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    (row,) = json.loads((output / "front.json").read_text("utf-8"))["On average"]
    assert (row["trainings"], row["SWD ↓"]) == (2, "3 (2 to 4)")


def test_each_order_says_where_it_is_trained(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", scene(1))
    settings = {"seeds": 1, "size": 40, "samples": 3}
    (order,) = orders_by_recipe(
        ["fast"], [tmp_path / "a.png"], **settings, device="cuda", train_stages=2
    )["fast"]
    assert (order.machine["device"], order.typed["train_stages"]) == ("cuda", 2)


def test_what_the_quality_benchmark_wrote_is_a_stored_preset(tmp_path: Path) -> None:
    kept = tmp_path / "quality.json"
    own = {"settings": {"manual_seed": 3}, "images": [record("a.png", 2), record("b.png", 4)]}
    kept.write_text(json.dumps(own), encoding="utf-8")
    (made,) = stored(kept, [Path("pictures/b.png")])["paper"]
    assert (made["image"], made["seed"], made["preset"]) == ("b.png", 3, "paper")
