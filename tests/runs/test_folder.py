from __future__ import annotations

import concurrent.futures
import json
import os
import shutil
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import (
    SETTINGS,
    StopAt,
    assert_same,
    discriminator_of,
    execution,
    litter,
    make_job,
    model_of,
    new_folder,
    picture,
    reals_of,
    train_folder,
)
from safetensors.torch import load_file, save_file

from consingan._version import __version__
from consingan.errors import InterruptedRunError, UserError
from consingan.machine.files import atomic_path, write_json, write_tensors, write_text
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.runs.folder import RunFolder
from consingan.runs.load import load_run
from consingan.runs.manifest import FORMAT
from consingan.runs.start import run_name
from consingan.training import resume
from consingan.training.loop import Trainer
from consingan.training.session import Session

FILES = (
    "pyramid.safetensors",
    "1/anchor.safetensors",
    "2/weights.safetensors",
    "config.json",
    "manifest.json",
)


@pytest.fixture
def run(tmp_path: Path, finished_run: Path) -> Path:
    """A copy of a finished run, to be damaged."""
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


def test_tidying_removes_what_a_training_left_and_nothing_else(run: Path) -> None:
    left = (".resume.safetensors.123.tmp", "2/.weights.safetensors.123.tmp",
            "snapshots/.iteration_00050.png.7.tmp")  # fmt: skip
    others = ("Evaluation/.gen_sample_0.png.123.tmp", "Evaluation/random_samples/.a.png.9.tmp",
              "Evaluation/iteration_2/.a.png.9.tmp", "notes/.mine.1.tmp", ".mine.tmp",
              "2/mine.123.tmp", "tensorboard/.events.12.tmp")  # fmt: skip
    for name in (*left, *others):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).touch()
    RunFolder(run).tidy()
    assert not [name for name in left if (run / name).exists()]
    assert [name for name in others if (run / name).exists()] == list(others)


@pytest.fixture(scope="module")
def stopped_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was stopped in the middle of its second stage; copy it before changing it."""
    job = make_job()
    folder = new_folder(tmp_path_factory.mktemp("stopped"), job)
    with pytest.raises(InterruptedRunError):
        Session(Trainer(job.training), folder, [StopAt(6)]).run()
    return folder.path


def sentence(path: Path) -> str:
    """What a user is told about a run that cannot be loaded."""
    with pytest.raises(UserError) as caught:
        load_run(path)
    text = str(caught.value)
    assert "\n" not in text
    return text


# Names and places


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "2026_01_02_03_04_05_generation_train_depth_3_lr_scale_0.1_act_lrelu_0.05"),
        (
            {"train_mode": "harmonization", "batch_norm": True, "lrelu_alpha": 0.3},
            "2026_01_02_03_04_05_harmonization_train_depth_3_lr_scale_0.1_BN_act_lrelu_0.3",
        ),
        (
            {"train_mode": "editing", "fine_tune": True, "activation": "prelu", "train_depth": 2},
            "2026_01_02_03_04_05_editing_fine-tune_train_depth_2_lr_scale_0.1_act_prelu",
        ),
    ],
)
def test_names_are_the_authors(settings: dict[str, Any], name: str) -> None:
    assert run_name(ConSinGANConfig(**settings), datetime(2026, 1, 2, 3, 4, 5)) == name


class StoppedClock(datetime):
    @classmethod
    def now(cls, tz: Any = None) -> StoppedClock:
        return cls(2026, 1, 2, 3, 4, 5)


def test_threads_that_start_in_the_same_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consingan.runs.folder.datetime", StoppedClock)
    jobs = [make_job(manual_seed=seed) for seed in range(6)]
    barrier = threading.Barrier(len(jobs))

    def create(job: Any) -> Path:
        barrier.wait()
        return new_folder(tmp_path, job).path

    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        paths = list(pool.map(create, jobs))
    assert len(set(paths)) == len(jobs)
    assert [RunFolder.open(path).config.manual_seed for path in paths] == list(range(6))
    assert len(list((tmp_path / "picture").iterdir())) == len(jobs)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX processes")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_processes_that_start_in_the_same_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consingan.runs.folder.datetime", StoppedClock)
    jobs = [make_job(manual_seed=seed) for seed in range(4)]
    children = []
    for job in jobs:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                new_folder(tmp_path, job)
                code = 0
            finally:
                os._exit(code)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * len(jobs)
    found = list((tmp_path / "picture").iterdir())
    assert sorted(RunFolder.open(p).config.manual_seed for p in found) == list(range(4))


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="POSIX permissions")
def test_a_run_folder_has_usual_permissions(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    assert new_folder(tmp_path, make_job()).path.stat().st_mode == plain.stat().st_mode


# What is saved is what is loaded


@pytest.mark.parametrize("engine", ["plain", "fast"])
@pytest.mark.parametrize("settings", [{"batch_norm": True}, {"activation": "prelu"}])
def test_everything_comes_back(tmp_path: Path, engine: str, settings: dict[str, Any]) -> None:
    job = make_job(engine, train_mode="animation", **settings)
    folder = new_folder(tmp_path, job)
    Session(Trainer(job.training), folder).run()
    model = load_run(folder.path).model
    trained = job.training.model
    assert model.config == trained.config
    assert_same(model.generator.state_dict(), trained.generator.state_dict())
    assert_same(discriminator_of(folder), job.training.discriminator.state_dict())
    assert model.amplitudes == trained.amplitudes
    for loaded, own in zip(model.anchors, trained.anchors, strict=True):
        assert torch.equal(loaded.noise, own.noise)
        assert torch.equal(loaded.real, own.real)
    assert all(torch.equal(a, b) for a, b in zip(reals_of(folder), job.training.reals, strict=True))


def test_the_state_in_mid_stage_comes_back(stopped_run: Path) -> None:
    folder = RunFolder.open(stopped_run)
    kept = load_file(stopped_run / "resume.safetensors")
    trainer, seconds = resume.resume(folder, execution())
    next(trainer.run())
    assert seconds == float(kept.pop("seconds")) > 0
    assert_same(trainer.state(), kept)
    assert kept["position"].tolist() == [1, 1]
    assert len(kept["curves"]) == 1


def test_a_run_is_loaded_onto_a_device_without_float64(finished_run: Path) -> None:
    """Only what is computed with goes there; "meta" stands in for a device that is not the CPU."""
    folder = RunFolder.open(finished_run)
    model = model_of(folder, device="meta")
    there = [
        *model.generator.parameters(),
        *model.fixed_noises,
        *(anchor.real for anchor in model.anchors),
    ]
    assert {(x.device.type, x.dtype) for x in there} == {("meta", torch.float32)}
    assert model.amplitudes == model_of(folder).amplitudes


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="asks Linux")
def test_no_file_of_a_resumed_run_stays_mapped(stopped_run: Path) -> None:
    """Windows refuses to replace a mapped file, and a resumed run replaces its own."""
    folder = RunFolder.open(stopped_run)
    trainer, _ = resume.resume(folder, execution())
    next(trainer.run())
    kept = model_of(folder), reals_of(folder)
    assert str(stopped_run) not in Path("/proc/self/maps").read_text()
    assert kept


def test_every_stage_can_be_loaded(finished_run: Path) -> None:
    folder = RunFolder.open(finished_run)
    for stages in (1, 2, 3):
        model = model_of(folder, stages)
        assert model.generator.stages == len(model.anchors) == stages
        with torch.no_grad():
            assert model.reconstruction().shape == model.real.shape
    for stages in (0, 4):
        with pytest.raises(UserError, match="finished stages"):
            model_of(folder, stages)


# Damage


@pytest.mark.parametrize("file", FILES)
def test_missing_files(run: Path, file: str) -> None:
    (run / file).unlink()
    assert file.split("/")[-1] in sentence(run)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("keep", [0, 5, 40, -1])
def test_truncated_files(run: Path, file: str, keep: int) -> None:
    content = (run / file).read_bytes().rstrip()
    (run / file).write_bytes(content[:keep])
    assert file.split("/")[-1] in sentence(run)


@pytest.mark.parametrize("file", FILES)
def test_files_of_garbage(run: Path, file: str) -> None:
    (run / file).write_bytes(bytes(range(256)) * 4)
    assert file.split("/")[-1] in sentence(run)


@pytest.mark.parametrize("file", [f for f in FILES if f.endswith("safetensors")])
def test_files_with_other_tensors(run: Path, file: str) -> None:
    save_file({"other": torch.zeros(2)}, run / file)
    assert file in sentence(run)


@pytest.mark.parametrize("content", ["[]", "3", "null", '"text"', "{}"])
@pytest.mark.parametrize("file", ["manifest.json", "config.json"])
def test_json_of_another_kind(run: Path, file: str, content: str) -> None:
    (run / file).write_text(content)
    if (file, content) == ("config.json", "{}"):  # every setting has its default
        assert "does not fit" in sentence(run) or "damaged" in sentence(run)
    else:
        sentence(run)


@pytest.mark.parametrize("name", ["status", "finished_stages", "seconds_per_stage"])
@pytest.mark.parametrize("value", [None, "two", {"a": 1}])
def test_manifest_entries_of_another_kind(run: Path, name: str, value: Any) -> None:
    if name == "status" and value == "two":
        value = 2
    manifest = json.loads((run / "manifest.json").read_text())
    write_json(run / "manifest.json", {**manifest, name: value})
    assert name in sentence(run)
    del manifest[name]
    write_json(run / "manifest.json", manifest)
    assert name in sentence(run)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"nfc": 5}, "does not fit"),
        ({"nfc": "many"}, "--nfc 'many' must be a whole number"),
        ({"nfc": -1}, "--nfc -1"),
        ({"train_stages": 5}, "does not fit manifest.json (5 stages against 3)"),
        ({"train_mode": "juggling"}, "--train_mode juggling is unknown"),
        ({"flavor": 1}, "Unknown setting 'flavor'"),
        ({"batch_norm": True}, "does not fit"),
    ],
)
def test_settings_that_do_not_fit(run: Path, change: dict[str, Any], said: str) -> None:
    settings = json.loads((run / "config.json").read_text())
    write_json(run / "config.json", settings | change)
    assert said in sentence(run)


def test_a_sentence_names_the_file_once(run: Path) -> None:
    (run / "config.json").unlink()
    assert sentence(run).count("config.json") == 1


def test_of_an_unknown_method_the_run_is_named(run: Path) -> None:
    RunFolder(run).note(method="magic")
    assert f"{run / 'manifest.json'} cannot be used: --method magic is unknown" in sentence(run)


def test_files_of_two_methods_are_refused(run: Path) -> None:
    RunFolder(run).note(method="singan")
    assert "its method is consingan, that of manifest.json singan" in sentence(run)


def test_of_a_newer_release_it_is_said_which(run: Path) -> None:
    settings = json.loads((run / "config.json").read_text())
    write_json(run / "config.json", settings | {"flavor": 1})
    assert "made by" not in sentence(run)
    versions = RunFolder(run).manifest["versions"]
    RunFolder(run).note(versions=versions | {"consingan": "999.10.0"})
    assert f"made by ConSinGAN 999.10.0, this is {__version__}; use the newer one." in sentence(run)


def test_newer_format(run: Path) -> None:
    RunFolder(run).note(format=FORMAT + 1)
    text = sentence(run)
    assert f"format {FORMAT + 1}" in text
    assert "newer release" in text


def test_no_format(run: Path) -> None:
    RunFolder(run).note(format=None)
    assert "manifest.json is damaged (its format is None)" in sentence(run)


def test_no_run(tmp_path: Path, finished_run: Path) -> None:
    assert "There is no run folder" in sentence(tmp_path / "nothing")
    assert "is not a run" in sentence(tmp_path)
    assert f"did you mean {finished_run}?" in str(_refusal(finished_run.parent))
    file = tmp_path / "file"
    file.touch()
    assert "There is no run folder" in sentence(file)


def _refusal(path: Path) -> UserError:
    with pytest.raises(UserError) as caught:
        load_run(path)
    return caught.value


def test_nothing_finished_yet(tmp_path: Path) -> None:
    folder = new_folder(tmp_path, make_job())
    text = sentence(folder.path)
    assert "0 finished stages" in text
    assert f"main_train.py --resume --model_dir {folder.path}" in text.removesuffix(".")


PLACE = {"position": torch.tensor([1, 2])}


@pytest.mark.parametrize(
    "content",
    [b"", b"half", {"other": torch.zeros(1)}, PLACE, PLACE | {"seconds": torch.tensor(-1.0)}],
)
def test_a_damaged_state_can_be_done_without(
    tmp_path: Path, stopped_run: Path, content: bytes | dict[str, torch.Tensor]
) -> None:
    run = Path(shutil.copytree(stopped_run, tmp_path / "run"))
    state = run / "resume.safetensors"
    if isinstance(content, bytes):
        state.write_bytes(content)
    else:
        save_file(content, state)
    with pytest.raises(UserError, match="delete it to go on from the last finished stage"):
        resume.resume(RunFolder.open(run), execution())
    state.unlink()
    trainer, _ = resume.resume(RunFolder.open(run), execution())
    assert (trainer.stage, trainer.iteration) == (1, 0)


def test_a_state_of_another_network(tmp_path: Path, stopped_run: Path) -> None:
    run = Path(shutil.copytree(stopped_run, tmp_path / "run"))
    tensors = load_file(run / "resume.safetensors")
    tensors["generator.head.conv.weight"] = torch.zeros(1)
    save_file(tensors, run / "resume.safetensors")
    with pytest.raises(UserError, match=r"resume.safetensors does not fit its config.json"):
        resume.resume(RunFolder.open(run), execution())


# Whole or not at all


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    write_text(path, "old")

    def fail() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("new, but only ha")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]
    write_text(path, "new")
    assert path.read_text() == "new"


@pytest.mark.parametrize("when", ["write", "fsync", "rename"])
def test_tensors_are_replaced_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    path = tmp_path / "w.safetensors"
    old, new = {"a": torch.arange(5.0)}, {"a": torch.zeros(7, 3).t()}
    write_tensors(path, old)

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("no")

    with monkeypatch.context() as patch:
        if when == "fsync":
            patch.setattr("os.fsync", fail)
        else:
            patch.setattr(Path, "replace" if when == "rename" else "write_bytes", fail)
        with pytest.raises(OSError, match="no"):
            write_tensors(path, new)
    assert_same(load_file(path), old)
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]
    write_tensors(path, new)
    assert_same(load_file(path), new)


@pytest.mark.parametrize("refusals", [0, 1, 2, 3])
def test_a_file_in_use_is_replaced_a_moment_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusals: int
) -> None:
    """On Windows; elsewhere there is one attempt."""
    left, replace = [refusals], Path.replace

    def refuse(path: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] >= 0:
            raise PermissionError("in use")
        return replace(path, target)

    path = tmp_path / "file.txt"
    write_text(path, "old")
    monkeypatch.setattr("consingan.machine.files.PAUSES", (0.0, 0.0))
    monkeypatch.setattr(Path, "replace", refuse)
    if refusals > 2:
        with pytest.raises(PermissionError, match="in use"):
            write_text(path, "new")
    else:
        write_text(path, "new")
    assert path.read_text() == ("old" if refusals > 2 else "new")


def test_a_folder_that_may_not_be_renamed_is_not_taken_for_a_name_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(UserError, match=r"cannot be made .*Permission denied"):
        new_folder(tmp_path, make_job())


def test_a_run_that_cannot_be_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job()

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("consingan.runs.folder.rename_free", fail)
    with pytest.raises(UserError, match=r"cannot be made .*No space left on device"):
        new_folder(tmp_path, job)
    assert list((tmp_path / "picture").iterdir()) == []


def test_training_leaves_no_litter(tmp_path: Path) -> None:
    job = make_job()
    folder = new_folder(tmp_path, job)
    Session(Trainer(job.training), folder, save_every=1).run()
    assert not litter(tmp_path)


def test_the_image_is_kept_as_it_was_trained_on(tmp_path: Path) -> None:
    image = picture(30, 40)
    folder = train_folder(tmp_path, image=image, max_size=40)
    assert torch.equal(reals_of(folder)[-1], image)
    assert folder.config.to_json() == ConSinGANConfig(**{**SETTINGS, "max_size": 40}).to_json()


def test_too_little_memory_is_no_misfit(run: Path) -> None:
    said = "CUDA out of memory. Tried to ..."
    with pytest.raises(RuntimeError, match=said), RunFolder(run).explained():
        raise RuntimeError(said)
