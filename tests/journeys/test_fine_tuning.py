from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from helpers import (
    ENGINES,
    SETTINGS,
    FailAt,
    assert_same,
    discriminator_of,
    execution,
    fine_tuning_job,
    make_job,
    new_folder,
    outcome,
    picture,
    resume_to_end,
    save_picture,
    train_folder,
)
from pictures import texture
from PIL import Image
from torch import Tensor

from consingan.cli.training import train
from consingan.errors import UserError
from consingan.images.io import read_image, write_image
from consingan.images.resize import resize_to
from consingan.machine.files import read_json, write_json
from consingan.methods.command import training_commands
from consingan.methods.consingan.presets import COMPOSING
from consingan.report.gather import gather
from consingan.report.write import write_basics
from consingan.runs.folder import RunFolder
from consingan.runs.load import load_run
from consingan.runs.snapshots import snapshot_file, snapshots
from consingan.training import prepare
from consingan.training.loop import Trainer
from consingan.training.observers import Pictures
from consingan.training.prepare import Job
from consingan.training.records import StageRecord, StageStarted, StepRecord
from consingan.training.session import Session
from consingan.training.snapshots import EVERY, Snapshots


@pytest.fixture
def naive(tmp_path: Path) -> Path:
    return save_picture(tmp_path / "naive.png", height=44, width=52, seed=4)


def watched(job: Job, folder: RunFolder, every: int) -> Snapshots:
    assert job.naive is not None
    return Snapshots(folder.path, job.naive, every)


@pytest.mark.parametrize("engine", ENGINES)
def test_only_the_last_stages_change(harmonization_run: Path, naive: Path, engine: str) -> None:
    """Older stages' weights are untouched, fixed noise and amplitudes are kept."""
    base = load_run(harmonization_run).model
    trainer = Trainer(fine_tuning_job(harmonization_run, naive, engine).training)
    seen = list(trainer.run())
    assert [r.stage for r in seen] == [2] * 5
    assert [type(r) for r in seen] == [StageStarted, *[StepRecord] * 3, StageRecord]
    before = base.generator.state_dict()
    for name, value in trainer.model.generator.state_dict().items():
        untouched = name.startswith(("head.", "body.0."))  # train_depth is 2
        if name.endswith("conv.bias") and "tail" not in name and not untouched:
            continue  # normalized right after: its gradient is rounding
        assert torch.equal(value, before[name]) == untouched, name
    for kept, own in zip(trainer.model.anchors, base.anchors, strict=True):
        assert torch.equal(kept.noise, own.noise)
        assert torch.equal(kept.real, own.real)
        assert kept.amplitude == own.amplitude


def test_the_source_is_the_naive_image(harmonization_run: Path, naive: Path) -> None:
    training: Any = fine_tuning_job(harmonization_run, naive).training
    size = training.model.sizes[0]
    expected = resize_to(read_image(naive), size).clamp(-1, 1)
    assert torch.equal(training.source_image, expected)
    shapes = training.shapes(2)
    for iteration in range(3):
        draws = training.randomness.draws(2, iteration, shapes, training.source_image, 3)
        assert torch.equal(draws.noises[0], expected)


def test_editing_adds_noise_to_the_source(tmp_path: Path, naive: Path) -> None:
    job = make_job(train_mode="editing")
    folder = new_folder(tmp_path, job)
    Session(Trainer(job.training), folder).run()
    training: Any = fine_tuning_job(folder.path, naive).training
    draws = training.randomness.draws(2, 0, training.shapes(2), training.source_image, 3)
    noise = draws.noises[0] - training.source_image
    assert 0.07 < float(noise.std()) < 0.13


def test_settings_come_from_the_run(harmonization_run: Path, naive: Path) -> None:
    base = RunFolder.open(harmonization_run).config
    typed = {"fine_tune": True, "naive_img": str(naive), "lr_g": 1e-3}
    job = prepare.prepare(typed, execution(), base=harmonization_run)
    expected = base.replace(niter=500, fine_tune=True, naive_img=str(naive), lr_g=1e-3)
    assert job.chosen.config == expected
    assert job.chosen.origin["lr_g"] == "typed"
    assert job.chosen.origin["niter"] == "fine-tuning"
    assert job.chosen.origin["nfc"] == "run"


def test_what_an_own_picture_keeps_is_the_training_image_at_its_own_size(tmp_path: Path) -> None:
    photo = texture(44, 52)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    base = train_folder(
        tmp_path / "base", image=read_image(tmp_path / "photo.png"), train_mode="harmonization",
        input_name=str(tmp_path / "photo.png"),
    )  # fmt: skip
    for opacity, said in ((255, "is erased"), (0, "a layer that covers")):
        rgba = np.dstack([photo, np.full((44, 52), opacity, np.uint8)])
        rgba[4:8, 4:8] = (250, 20, 200, 255 - opacity)
        Image.fromarray(rgba).save(tmp_path / "own.png")
        job = fine_tuning_job(base.path, tmp_path / "own.png")
        assert job.naive is not None
        assert said in job.said_of_pictures[0]
        whole = read_image(tmp_path / "photo.png")
        assert torch.equal(job.naive[..., 8:, 8:], whole[..., 8:, 8:])


def test_snapshots(tmp_path: Path, harmonization_run: Path, naive: Path) -> None:
    job = fine_tuning_job(harmonization_run, naive, niter=5)
    folder = new_folder(tmp_path, job)
    weights: dict[int, dict[str, Tensor]] = {}

    class Keep:
        def observe(self, record: Any, trainer: Any) -> None:
            if isinstance(record, StepRecord):
                state = trainer.model.generator.state_dict()
                weights[record.iteration + 1] = {k: v.clone() for k, v in state.items()}

    Session(Trainer(job.training), folder, [watched(job, folder, 2), Keep()]).run()
    assert snapshots(folder.path) == [2, 4, 5]
    for iteration in (2, 4, 5):
        run = load_run(folder.path, iteration=iteration)
        assert run.notes == (f"Snapshot {iteration}.",)
        assert_same(run.model.generator.state_dict(), weights[iteration])
        shown = (folder.path / snapshot_file(iteration)).with_suffix(".png")
        assert read_image(shown).shape == run.model.real.shape
    assert_same(load_run(folder.path).model.generator.state_dict(), weights[5])
    strip = read_image(folder.path / "snapshots.png")
    assert strip.shape[-1] >= 3 * job.training.reals[-1].shape[-1]
    with pytest.raises(UserError, match=r"no snapshot of iteration 3; there are: 2, 4, 5\."):
        load_run(folder.path, iteration=3)
    with pytest.raises(UserError, match="which only fine-tuned runs have; leave --iteration out"):
        load_run(harmonization_run, iteration=2)


def test_snapshots_are_taken_every_fifty_iterations() -> None:
    assert EVERY == 50
    assert Snapshots.__dataclass_fields__["every"].default == EVERY


def test_a_crash_in_a_snapshot_is_made_up_for(
    tmp_path: Path, harmonization_run: Path, naive: Path
) -> None:
    paths = []
    for at in (None, 2, 4, 6):
        job = fine_tuning_job(harmonization_run, naive, niter=5)
        folder = new_folder(tmp_path, job)
        keeper = watched(job, folder, 2)
        if at is None:
            Session(Trainer(job.training), folder, [keeper]).run()
        else:
            with pytest.raises(RuntimeError, match="a crash"):
                Session(Trainer(job.training), folder, [FailAt(at), keeper], save_every=1).run()
            assert folder.finished_stages == 0
            resume_to_end(folder.path, observers=[keeper])
        assert snapshots(folder.path) == [2, 4, 5]
        assert (folder.path / "snapshots.png").is_file()
        paths.append(folder.path)
    for path in paths[1:]:
        assert_same(outcome(path), outcome(paths[0]))


def test_the_runs_own_channels_can_be_typed(harmonization_run: Path, naive: Path) -> None:
    job = fine_tuning_job(harmonization_run, naive, channels="rgb", nc_im=3, mask="")
    assert job.chosen.config.channels == "rgb"


@pytest.mark.parametrize("channels", ["gray", "rgba"])
def test_a_run_that_an_earlier_release_gave_other_channels_can_be_evaluated(
    tmp_path: Path, harmonization_run: Path, naive: Path, channels: str
) -> None:
    folder = new_folder(tmp_path, fine_tuning_job(harmonization_run, naive, niter=1))
    Session(Trainer(fine_tuning_job(harmonization_run, naive, niter=1).training), folder).run()
    settings = read_json(folder.path / "config.json")
    write_json(folder.path / "config.json", {**settings, "channels": channels})
    run = load_run(folder.path)
    assert run.model.config.channels == "auto"
    write_basics(run, tmp_path, "png", print)
    with Image.open(tmp_path / "reconstruction.png") as written:
        assert written.mode == "RGB"


def test_the_curves_of_a_fine_tuning_are_those_of_its_stage(
    tmp_path: Path, harmonization_run: Path, naive: Path
) -> None:
    job = fine_tuning_job(harmonization_run, naive)
    folder = new_folder(tmp_path, job)
    Session(Trainer(job.training), folder, [Pictures(folder.path)]).run()
    assert (folder.path / "losses.png").is_file()
    assert list(gather(load_run(folder.path)).curves) == [2]


def test_a_fine_tuned_run_loads_and_is_named(
    tmp_path: Path, harmonization_run: Path, naive: Path
) -> None:
    job = fine_tuning_job(harmonization_run, naive)
    folder = new_folder(tmp_path, job)
    Session(Trainer(job.training), folder).run()
    assert "_harmonization_fine-tune_" in folder.path.name
    model = load_run(folder.path).model
    assert_same(model.generator.state_dict(), job.training.model.generator.state_dict())
    assert_same(discriminator_of(folder), job.training.discriminator.state_dict())
    source = folder.load("pyramid.safetensors")["source"]
    assert torch.equal(source, job.training.source_image)


def test_resuming_needs_neither_the_base_nor_the_picture(
    tmp_path: Path, harmonization_run: Path
) -> None:
    base = Path(shutil.copytree(harmonization_run, tmp_path / "base"))
    naive = save_picture(tmp_path / "naive.png", height=44, width=52, seed=4)
    job = fine_tuning_job(base, naive)
    folder = new_folder(tmp_path, job)
    with pytest.raises(RuntimeError):
        Session(Trainer(job.training), folder, [FailAt(2)], save_every=1).run()
    shutil.rmtree(base)
    naive.unlink()
    result = CliRunner().invoke(
        train, ["--resume", "--model_dir", str(folder.path), "--no_tensorboard"]
    )
    assert result.exit_code == 0, result.output
    assert folder.manifest["status"] == "finished"
    assert (folder.path / "snapshots.png").is_file()


def refused(base: Path | None, **typed: Any) -> str:
    with pytest.raises(UserError) as caught:
        prepare.prepare({"fine_tune": True, "manual_seed": 0, **typed}, execution(), base=base)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_refusals(tmp_path: Path, harmonization_run: Path, finished_run: Path, naive: Path) -> None:
    own = {"naive_img": str(naive)}
    assert "--fine_tune needs --model_dir" in refused(None, **own)
    assert "--fine_tune needs --naive_img" in refused(harmonization_run)
    assert "was trained for generation" in refused(finished_run, **own)
    for mode in ("editing", "generation"):
        text = refused(harmonization_run, **own, train_mode=mode)
        assert "was trained for harmonization" in text
    assert "--nfc 9 differs from the run's 4" in refused(harmonization_run, **own, nfc=9)
    for name, value, of_run in (
        ("channels", "rgba", "rgb"), ("nc_im", 1, "3"), ("mask", "m.png", "none"),
    ):  # fmt: skip
        text = refused(harmonization_run, **own, **{name: value})
        assert f"--{name} {value} differs from the run's {of_run} and cannot be changed" in text
    other = save_picture(tmp_path / "other.png", seed=1)
    text = refused(harmonization_run, **own, input_name=str(other))
    assert "--input_name is not the picture that" in text
    missing = refused(harmonization_run, naive_img=str(tmp_path / "missing.png"))
    assert "There is no picture" in missing
    wide = save_picture(tmp_path / "wide.png", height=20, width=60)
    assert "--fit crop" in refused(harmonization_run, naive_img=str(wide))
    assert "There is no run folder" in refused(tmp_path / "none", **own)


@pytest.mark.parametrize(
    "mode", [{}, {"train_mode": "paint2image"}, {"train_mode": "harmonization"}]
)
@pytest.mark.parametrize("method", ["singan", "patches", "dcgan"])
def test_a_run_of_another_method_is_refused(
    harmonization_run: Path, naive: Path, method: str, mode: dict[str, str]
) -> None:
    text = refused(harmonization_run, naive_img=str(naive), method=method, **mode)
    assert f"trained with --method consingan, not {method}; leave --method out" in text


def test_the_training_picture_itself_may_be_named(
    tmp_path: Path, harmonization_run: Path, naive: Path
) -> None:
    same = tmp_path / "picture.png"
    write_image(same, picture())
    job = fine_tuning_job(
        harmonization_run, naive, input_name=str(same), train_mode="harmonization"
    )
    assert job.training.first == SETTINGS["train_stages"] - 1


def test_an_unfinished_run_is_refused(tmp_path: Path, harmonization_run: Path, naive: Path) -> None:
    run = Path(shutil.copytree(harmonization_run, tmp_path / "run"))
    RunFolder(run).note(finished_stages=2, status="interrupted")
    text = refused(run, naive_img=str(naive))
    assert "is not finished" in text
    assert f"main_train.py --resume --model_dir {run}" in text


def test_nothing_is_written_when_it_is_refused(
    tmp_path: Path, finished_run: Path, naive: Path
) -> None:
    out = tmp_path / "out"
    arguments = ["--fine_tune", "--model_dir", str(finished_run), "--naive_img", str(naive)]
    result = CliRunner().invoke(train, [*arguments, "--output_dir", str(out)])
    assert result.exit_code == 2
    assert "was trained for generation" in result.output
    assert not out.exists()


def test_the_base_run_is_left_as_it_was(
    tmp_path: Path, harmonization_run: Path, naive: Path
) -> None:
    before = {p: p.read_bytes() for p in harmonization_run.rglob("*") if p.is_file()}
    job = fine_tuning_job(harmonization_run, naive)
    Session(Trainer(job.training), new_folder(tmp_path, job)).run()
    assert {p: p.read_bytes() for p in harmonization_run.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("base_preset", ["paper", "fast"])
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({}, {"niter": 3, "fine_niter": 0, "fine_d_steps": 0}),
        ({"preset": "fast"}, {"niter": 3, "fine_niter": 3, "fine_d_steps": 1}),
        ({"preset": "fast", "niter": 999}, {"niter": 999, "fine_niter": 999, "fine_d_steps": 1}),
        ({"preset": "fast", "niter": None}, {"niter": 500, "fine_niter": 180, "fine_d_steps": 1}),
        ({"preset": "draft", "fine_niter": 7}, {"niter": 3, "fine_niter": 7, "fine_d_steps": 1}),
    ],
)
def test_a_preset_counts_for_fine_tuning_too(
    tmp_path: Path,
    harmonization_run: Path,
    typed: dict[str, Any],
    expected: dict[str, int],
    base_preset: str,
) -> None:
    naive = save_picture(tmp_path / "naive.png", seed=4)
    base = Path(shutil.copytree(harmonization_run, tmp_path / "base"))
    settings = (
        read_json(base / "config.json") | {"preset": base_preset} | COMPOSING.get(base_preset, {})
    )
    write_json(base / "config.json", settings)
    chosen = fine_tuning_job(base, naive, **typed).chosen
    settings = chosen.config.to_json()
    assert {name: settings[name] for name in expected} == expected
    assert chosen.config.preset == typed.get("preset", "paper")


def test_the_method_is_the_runs_and_need_not_be_typed(tmp_path: Path, naive: Path) -> None:
    image = save_picture(tmp_path / "image.png", height=44, width=52)
    small = ["--niter", "2", "--max_size", "40", "--min_size", "20", "--output_dir", tmp_path / "T"]
    singan = ["--method", "singan", "--nfc", "4", "--min_nfc", "4", "--train_mode", "harmonization"]

    def typed(*words: object) -> str:
        done = CliRunner().invoke(train, [str(word) for word in words])
        assert done.exit_code == 0, done.output
        return done.output

    typed("--input_name", image, *singan, *small)
    (base,) = (tmp_path / "T" / "image").iterdir()
    told = typed("--fine_tune", "--model_dir", base, "--train_mode", "paint2image",
                 "--naive_img", naive, "--niter", "2", "--output_dir", tmp_path / "F")  # fmt: skip
    assert "SinGAN, paint2image" in told
    (tuned,) = (tmp_path / "F" / "image").iterdir()
    assert load_run(tuned).model.config.fine_tune
    run = RunFolder.open(tuned)
    (again,) = training_commands(run.config, run.manifest, tuned)
    words = shlex.split(again)
    assert "SinGAN, paint2image" in typed(*words[words.index("--method") :], "--dry_run")
    assert f"let --model_dir name the run that it began with, {base}." in refused(
        tuned, naive_img=str(naive), train_mode="paint2image", paint_start_scale=2, method="singan"
    )
    with pytest.raises(UserError, match="--lr_scale is a setting of --method consingan, not of"):
        prepare.prepare({**run.config.to_json(), "lr_scale": 0.5}, execution(), base=base)
