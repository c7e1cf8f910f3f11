"""A run with a picture of the user's own is evaluated with that picture, wherever that is asked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from commands import (
    TINY,
    evaluate_model,
    main_train,
    mask_of_scene,
    naive_scene,
    only_run,
    pixels_of,
    save,
    scene,
)

from consingan.machine.files import fingerprint

RESULT = "harmonized_wo_mask_full_size.png"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that was trained with the relative path of a picture; copy it."""
    root = tmp_path_factory.mktemp("own")
    save(root / "b/cat.png", naive_scene())
    trained_in(root)
    return root


def trained_in(root: Path, *more: object) -> Path:
    picture = save(root / "a/cat.png", scene())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        made = main_train("--input_name", picture, "--naive_img", "b/cat.png", "--train_mode",
                          "harmonization", "--output_dir", root / "runs", *TINY, *more)  # fmt: skip
    assert made.exit_code == 0, made.output
    return only_run(root / "runs")


@pytest.fixture
def run(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The run copied, and a present folder where another picture lies at the same path."""
    save(tmp_path / "elsewhere/b/cat.png", scene()[::-1].copy())
    monkeypatch.chdir(tmp_path / "elsewhere")
    return Path(shutil.copytree(only_run(home / "runs"), tmp_path / "run"))


def moved(run: Path, picture: Path) -> None:
    """Let the run be as if its picture had lain at `picture`."""
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["pictures"]["naive_img"]["path"] = str(picture)
    (run / "manifest.json").write_text(json.dumps(manifest))


def evaluated(run: Path, *more: object) -> str:
    made = evaluate_model("--model_dir", run, "--device", "cpu", "--no_metrics", *more)
    assert made.exit_code == 0, made.output
    return made.output


def result_of(run: Path) -> list[int]:
    return pixels_of(run / "Evaluation" / RESULT).tolist()


def input_of(run: Path) -> dict[str, str]:
    record = json.loads((run / "Evaluation" / "evaluation.json").read_text())
    return record["inputs"]["naive_img"]


def result_with(run: Path, picture: Path) -> list[int]:
    """The result where the picture is named, and has no mask."""
    evaluated(run, "--naive_img", shutil.copyfile(picture, run / "named.png"))
    return result_of(run)


def test_the_picture_of_the_training_counts_not_another_at_its_path(home: Path, run: Path) -> None:
    expected = result_with(run, home / "b/cat.png")
    assert result_with(run, Path("b/cat.png")) != expected
    evaluated(run)
    assert result_of(run) == expected
    assert input_of(run)["path"] == str(home / "b/cat.png")


def test_a_mask_beside_that_picture_is_taken(home: Path, run: Path, tmp_path: Path) -> None:
    picture = save(tmp_path / "own/cat.png", pixels_of(home / "b/cat.png"))
    save(tmp_path / "own/cat_mask.png", mask_of_scene())
    shutil.copyfile(home / "b/cat.png", picture)
    moved(run, picture)
    evaluated(run)
    assert (run / "Evaluation" / "harmonized_w_mask_full_size.png").is_file()


@pytest.mark.parametrize("replaced", [False, True])
def test_the_runs_own_copy_stands_in_for_it(
    home: Path, run: Path, tmp_path: Path, replaced: bool
) -> None:
    picture, then = tmp_path / "own/cat.png", fingerprint(home / "b/cat.png")
    if replaced:
        save(picture, scene()[:, ::-1].copy())
        save(tmp_path / "own/cat_mask.png", mask_of_scene())  # of the other picture
    expected = result_with(run, home / "b/cat.png")
    moved(run, picture)
    said = evaluated(run)
    why = "is another picture by now" if replaced else "is not there any more"
    assert f"Note: {picture} {why}; the run's own copy is taken" in said
    assert result_of(run) == expected
    assert input_of(run) == {"path": str(picture), "sha256": then}
    assert (run / "Evaluation" / "naive" / "cat" / RESULT).is_file()


def test_the_copy_takes_a_mask_that_is_named(run: Path, tmp_path: Path) -> None:
    moved(run, tmp_path / "gone.png")
    mask = save(tmp_path / "mask.png", mask_of_scene())
    evaluated(run, "--mask", mask)
    assert (run / "Evaluation" / "harmonized_w_mask_full_size.png").is_file()
    record = json.loads((run / "Evaluation" / "evaluation.json").read_text())
    assert record["inputs"]["mask"]["sha256"] == fingerprint(mask)


def test_a_run_that_noted_no_pictures_reads_its_path_or_takes_its_copy(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    del manifest["pictures"]
    (run / "manifest.json").write_text(json.dumps(manifest))
    expected = result_with(run, Path("b/cat.png"))
    evaluated(run)
    assert result_of(run) == expected
    Path("b/cat.png").unlink()
    assert "the run's own copy is taken" in evaluated(run)
    assert result_of(run) != expected


@pytest.mark.parametrize("fit", ["crop", "stretch"])
def test_it_is_fitted_as_in_the_training_unless_typed(tmp_path: Path, fit: str) -> None:
    save(tmp_path / "b/cat.png", naive_scene(40, 40))
    run = trained_in(tmp_path, "--fit", fit)
    evaluated(run)
    expected = result_of(run)
    evaluated(run, "--naive_img", tmp_path / "b/cat.png", "--fit", fit)
    assert result_of(run) == expected
    refused = evaluate_model("--model_dir", run, "--device", "cpu", "--fit", "exact")
    assert refused.exit_code == 2
    assert "use --fit crop or --fit stretch" in refused.output
    (tmp_path / "b/cat.png").unlink()
    evaluated(run)
    assert result_of(run) == expected
