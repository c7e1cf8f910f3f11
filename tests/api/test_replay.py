"""A run is trained again from its folder alone: the same bits, or it says what differs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from helpers import (
    StopAt,
    assert_same,
    execution,
    fine_tuning_job,
    make_job,
    new_folder,
    outcome,
    resume_to_end,
    save_picture,
)

import consingan
from consingan import cli
from consingan.api.replay import differences, first_difference, replay
from consingan.api.train import go_on
from consingan.errors import InterruptedRunError, UserError
from consingan.machine.execution import Wanted
from consingan.runs.folder import RunFolder
from consingan.training.longer import lengthen
from consingan.training.loop import Trainer
from consingan.training.session import Session

DATA = Path(__file__).parents[1] / "data" / "runs"
FIRST: dict[str, Any] = {
    "niter": 3, "train_stages": 2, "min_size": 14, "max_size": 26, "nfc": 4, "device": "cpu",
    "precision": "float32",
}  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run whose picture is a file."""
    picture = save_picture(tmp_path / "picture.png")
    model = consingan.train(picture, output_dir=tmp_path / "runs", **FIRST)
    assert model.folder is not None
    return model.folder


def noted(path: Path, **changes: Any) -> None:
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps(manifest | changes))


def test_the_same_weights_without_the_picture(run: Path, tmp_path: Path) -> None:
    (tmp_path / "picture.png").unlink()
    done = replay(run, tmp_path / "again")
    assert done.equal
    assert_same(outcome(done.folder.path), outcome(run))
    assert [text for text in done.others if "picture.png" in text] == list(done.others)
    assert done.folder.config == RunFolder.open(run).config


def test_a_run_that_was_lengthened_is_lengthened_again(run: Path, tmp_path: Path) -> None:
    lengthen(RunFolder.open(run), {"niter": 5, "fine_niter": 0})
    resume_to_end(run, "auto")
    done = replay(run, tmp_path / "again")
    assert done.equal, done
    assert RunFolder.open(done.folder.path).config.niter == 5


@pytest.mark.parametrize("base", ["harmonization_run", "one_stage_run"])
def test_a_fine_tuning_is_trained_again(
    base: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    naive = save_picture(tmp_path / "naive.png", seed=4)
    job = fine_tuning_job(request.getfixturevalue(base), naive)
    run = new_folder(tmp_path, job)
    Session(Trainer(job.training), run).run()
    done = replay(run.path, tmp_path / "again")
    assert done.equal, done


def test_a_fine_tuning_that_kept_no_start_is_refused(one_stage_run: Path, tmp_path: Path) -> None:
    """Of one stage releases before 1.12 kept none."""
    naive = save_picture(tmp_path / "naive.png", seed=4)
    job = fine_tuning_job(one_stage_run, naive)
    run = new_folder(tmp_path, job)
    Session(Trainer(job.training), run).run()
    (run.path / "start.safetensors").unlink()
    with pytest.raises(UserError, match=r"cannot be trained again: .*Fine-tune the run that it"):
        replay(run.path, tmp_path / "again")
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("kind", ["1/generation", "1/fine_tuned", "2/animation"])
def test_runs_of_earlier_releases_are_trained_again(kind: str, tmp_path: Path) -> None:
    """They say less of themselves, and may come from another processor."""
    path = Path(shutil.copytree(DATA / kind, tmp_path / "run"))
    done = replay(path, tmp_path / "again")
    assert "The run does not say on which processor it was trained." in done.others
    assert done.folder.finished_stages == RunFolder.open(path).stages


def test_what_is_not_as_it_was_is_said(run: Path, tmp_path: Path) -> None:
    manifest = RunFolder.open(run).manifest
    assert list(differences(manifest, execution("auto"))) == []
    save_picture(tmp_path / "picture.png", seed=4)
    changed = {
        **manifest,
        "versions": {**manifest["versions"], "torch": "2.4.0"},
        "machine": {**manifest["machine"], "processor": "another"},
        "execution": {**manifest["execution"], "threads": 7},
    }
    said = " ".join(differences(changed, execution("auto")))
    for word in ("torch was 2.4.0", "processor was another", "threads was 7", "another picture"):
        assert word in said


def test_the_command_says_whether_it_is_the_same(run: Path, tmp_path: Path) -> None:
    words = ["replay", str(run), "--output_dir", str(tmp_path / "again")]
    result = CliRunner().invoke(cli.main, words)
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith("The same weights, bit for bit.\n")
    (again,) = (tmp_path / "again").glob("*/*")
    shutil.copy(again / "0" / "weights.safetensors", again / "1" / "weights.safetensors")
    assert first_difference(RunFolder.open(run), RunFolder.open(again)).startswith("1/weights")


def test_settings_that_were_edited_since_are_said(run: Path, tmp_path: Path) -> None:
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(dict(reversed(config.items()))))
    assert replay(run, tmp_path / "same").others == ()
    (run / "config.json").write_text(json.dumps(config | {"lr_scale": 0.5}))
    words = ["replay", str(run), "--output_dir", str(tmp_path / "again")]
    result = CliRunner().invoke(cli.main, words)
    assert result.exit_code == 1
    assert "config.json is not what the run was trained with" in result.stderr
    assert "report this" not in result.output


def test_an_unfinished_run_is_refused(run: Path, tmp_path: Path) -> None:
    noted(run, status="interrupted")
    with pytest.raises(UserError, match="is not finished"):
        replay(run, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_what_was_learned_must_be_there_before_it_is_trained_again(
    run: Path, tmp_path: Path
) -> None:
    for name, said in (("0", "is damaged"), ("1", "is missing")):
        weights = run / name / "weights.safetensors"
        whole = weights.read_bytes()
        weights.write_bytes(whole[:-9])
        if said == "is missing":
            weights.unlink()
        with pytest.raises(UserError, match=f"{name}/weights.safetensors {said}"):
            replay(run, tmp_path / "again")
        weights.write_bytes(whole)
    assert not (tmp_path / "again").exists()


def test_a_stopped_replay_names_its_own_run(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_: object) -> None:
        raise InterruptedRunError(2)

    monkeypatch.setattr(Session, "run", stop)
    result = CliRunner().invoke(
        cli.main, ["replay", str(run), "--output_dir", str(tmp_path / "again")]
    )
    (again,) = (tmp_path / "again").glob("*/*")
    assert result.exit_code == 130
    assert f"--model_dir {again}" in result.output
    assert str(run) not in result.output


def test_a_run_that_went_on_otherwise_says_from_where_on(tmp_path: Path) -> None:
    run = new_folder(tmp_path, make_job("fast"))
    with pytest.raises(InterruptedRunError):
        Session(Trainer(make_job("fast").training), run, [StopAt(6)]).run()
    go_on(run, Wanted(engine="plain"))
    (entry,) = run.manifest["resumed"]
    assert (entry["stage"], entry["execution"]["engine"]) == (1, "plain")
    (said,) = differences(run.manifest, execution("fast"))
    assert (
        said == "From iteration 2 of stage 2 on it was trained with engine plain instead of fast."
    )


def test_a_run_that_went_on_as_before_notes_nothing(tmp_path: Path) -> None:
    run = new_folder(tmp_path, make_job("fast"))
    with pytest.raises(InterruptedRunError):
        Session(Trainer(make_job("fast").training), run, [StopAt(6)]).run()
    go_on(run, Wanted())
    assert "resumed" not in run.manifest


@pytest.mark.parametrize("kept", [3, [3], [{"stage": 1}], [{"stage": "1", "iteration": 0}]])
def test_a_note_on_going_on_that_is_none_is_left_out(run: Path, kept: Any) -> None:
    noted(run, resumed=kept)
    assert list(differences(RunFolder.open(run).manifest, execution("auto"))) == []
