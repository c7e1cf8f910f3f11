"""Runs of the authors' program: loaded as they are, nothing unpickled but plain tensors."""

from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from torch import Tensor

import consingan
from consingan.cli.evaluating import evaluate
from consingan.errors import UserError
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.method import is_official
from consingan.methods.consingan.official import read_parameters
from consingan.runs.load import load_run

CONFORMANCE = Path(__file__).parents[2] / "data" / "conformance"
FOLDER = Path(os.environ.get("CONFORMANCE_DIR", CONFORMANCE)) / "official_runs"


@pytest.fixture
def official(tmp_path: Path) -> Path:
    """A copy of an authors' run, in which anything may be written."""
    (run,) = [p for p in FOLDER.iterdir() if p.is_dir()]
    return Path(shutil.copytree(run, tmp_path / "rocket" / run.name))


@pytest.fixture(scope="module")
def reconstruction() -> Tensor:
    with np.load(FOLDER / "reconstruction_rocket.npz") as file:
        return torch.from_numpy(file["output"])


def evaluated(run: Path, *arguments: str) -> Result:
    given = ["--model_dir", str(run), "--num_samples", "2", "--size", "60x40", "--device", "cpu"]
    return CliRunner().invoke(evaluate, [*given, "--precision", "float32", *arguments])


def refusal(run: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_run(run)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_the_stored_reconstruction(official: Path, reconstruction: Tensor) -> None:
    model = consingan.load(official, device="cpu", precision="float32")
    made = model.reconstruction()
    torch.testing.assert_close(made, reconstruction, rtol=1e-4, atol=1e-5)
    assert model.model.generator.stages == model.config.train_stages
    samples = model.sample(2, seed=1)
    assert samples.shape == (2, 3, *model.size)
    assert not torch.equal(samples[0], samples[1])


def test_evaluate_model_writes_it(official: Path, reconstruction: Tensor) -> None:
    from consingan.images.io import read_image

    result = evaluated(official)
    assert result.exit_code == 0, result.output
    assert "A run of the authors' program." in result.output
    assert "not finished" not in result.output
    made = read_image(official / "Evaluation" / "reconstruction.png")
    # Half a level of 8 bits, and the tolerance of the numbers themselves.
    torch.testing.assert_close(made, reconstruction, rtol=1e-4, atol=1.01 / 255)
    assert len(list((official / "Evaluation" / "random_samples").iterdir())) == 2


def test_settings_are_read(official: Path) -> None:
    config = read_parameters(official / "parameters.txt")
    assert config.train_mode == "generation"
    assert config.train_stages == sum(1 for p in official.iterdir() if p.name.isdigit())
    assert config.train_depth == 3
    assert config.activation == "lrelu"
    assert config.lrelu_alpha == 0.05


def test_values_with_hyphens_and_small_numbers(tmp_path: Path) -> None:
    lines = {"input_name": "a-b - c.jpg", "lr_g": "1e-05", "batch_norm": "True", "manualSeed": "-3"}
    path = tmp_path / "parameters.txt"
    path.write_text("".join(f"{k}\t-\t{v}\n" for k, v in lines.items()))
    config = read_parameters(path)
    assert config == ConSinGANConfig(
        input_name="a-b - c.jpg", lr_g=1e-5, batch_norm=True, manual_seed=0
    )


@pytest.mark.parametrize("value", ["many", "inf", "1e999"])
def test_values_that_are_none(tmp_path: Path, value: str) -> None:
    (tmp_path / "parameters.txt").write_text(f"nfc\t-\t{value}\n")
    with pytest.raises(UserError, match="which is not a number"):
        read_parameters(tmp_path / "parameters.txt")


def test_an_unfinished_run(official: Path) -> None:
    stages = read_parameters(official / "parameters.txt").train_stages
    shutil.rmtree(official / str(stages - 1))
    result = evaluated(official)
    assert result.exit_code == 0, result.output
    assert f"not finished: using stage {stages - 1} of {stages}" in result.output
    model = consingan.load(official, device="cpu")
    assert model.model.generator.stages == len(model.model.anchors) == stages - 1
    shutil.rmtree(official / "0")
    assert "no finished stage" in refusal(official)


def test_a_fine_tuned_run_has_the_folder_of_its_last_stage_alone(
    official: Path, reconstruction: Tensor
) -> None:
    file = official / "parameters.txt"
    file.write_text(file.read_text().replace("fine_tune\t-\t0", "fine_tune\t-\tTrue"))
    for stage in ("0", "1"):
        shutil.rmtree(official / stage)
    run = load_run(official)
    assert run.finished
    assert run.model.config.fine_tune
    made = consingan.load(official, device="cpu", precision="float32").reconstruction()
    torch.testing.assert_close(made, reconstruction, rtol=1e-4, atol=1e-5)
    shutil.rmtree(official / "2")
    assert "no finished stage (no 2/netG.pth)" in refusal(official)


@pytest.mark.parametrize("value", [torch.tensor(1.0), torch.zeros(1, 3, 0, 0), torch.zeros(3, 9)])
def test_pictures_of_another_shape(official: Path, value: torch.Tensor) -> None:
    reals = torch.load(official / "reals.pth", weights_only=True)
    torch.save([value, *reals[1:]], official / "reals.pth")
    assert "reals.pth is damaged" in refusal(official)


@pytest.mark.parametrize("name", ["reals.pth", "fixed_noise.pth", "noise_amp.pth"])
def test_a_stage_that_is_not_written_to_the_end(official: Path, name: str) -> None:
    values = torch.load(official / name, weights_only=True)
    torch.save(values[:1], official / name)
    run = load_run(official)
    assert run.model.generator.stages == 1
    assert "using stage 1 of" in run.notes[-1]


class Evil:
    """Unpickled, it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["2/netG.pth", "2/netD.pth", "reals.pth", "noise_amp.pth"])
@pytest.mark.parametrize("zipped", [True, False])
def test_malicious_files_are_not_run(
    official: Path, tmp_path: Path, name: str, zipped: bool
) -> None:
    proof = tmp_path / "proof"
    if zipped:
        torch.save(Evil(proof), official / name)
    else:
        (official / name).write_bytes(pickle.dumps(Evil(proof)))
    assert name in refusal(official)
    result = evaluated(official)
    assert result.exit_code == 2
    assert not proof.exists()
    pickle.loads((official / name).read_bytes()) if not zipped else None
    assert proof.exists() != zipped  # it would have


def test_pickled_modules_are_never_touched(
    official: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = tmp_path / "proof"
    for folder in (official, official / "2"):
        torch.save(Evil(proof), folder / "G.pth")
    opened: list[str] = []
    load = torch.load

    def watched(file: Any, *args: Any, **kwargs: Any) -> Any:
        opened.append(Path(file).name)
        assert kwargs["weights_only"] is True
        return load(file, *args, **kwargs)

    monkeypatch.setattr(torch, "load", watched)
    assert load_run(official).model.generator.stages == 3
    assert opened
    assert "G.pth" not in opened
    assert not proof.exists()


@pytest.mark.parametrize("name", ["2/netG.pth", "2/netD.pth", "reals.pth", "fixed_noise.pth"])
@pytest.mark.parametrize("keep", [0, 1, 30, 500, -1])
def test_damaged_files(official: Path, name: str, keep: int) -> None:
    content = (official / name).read_bytes()
    (official / name).write_bytes(content[:keep])
    assert name in refusal(official)


@pytest.mark.parametrize("value", [3, "text", [1, 2], {"head.weight": 1}, torch.zeros(2)])
def test_weights_of_another_kind(official: Path, value: Any) -> None:
    torch.save(value, official / "2" / "netG.pth")
    assert "netG.pth" in refusal(official)


@pytest.mark.parametrize("value", [3, {"a": 1}, ["text"], [None]])
def test_lists_of_another_kind(official: Path, value: Any) -> None:
    torch.save(value, official / "fixed_noise.pth")
    assert "fixed_noise.pth" in refusal(official)


@pytest.mark.parametrize("name", ["reals.pth", "fixed_noise.pth", "noise_amp.pth"])
def test_missing_files(official: Path, name: str) -> None:
    (official / name).unlink()
    assert f"{name} is missing" in refusal(official)


def test_what_is_no_authors_run(official: Path) -> None:
    assert is_official(official)
    (official / "parameters.txt").unlink()
    assert not is_official(official)
    assert "is not a run of this program" in refusal(official)


def test_snapshots_are_not_there(official: Path) -> None:
    with pytest.raises(UserError, match="no snapshots"):
        load_run(official, iteration=50)


def test_it_is_not_resumed(official: Path) -> None:
    from consingan.cli.training import train

    result = CliRunner().invoke(train, ["--resume", "--model_dir", str(official)])
    assert result.exit_code == 2
    assert "is not a run of this program" in result.output
