"""Runs of the authors' program load, and nothing in them is run."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import pytest
import torch
from singan_cases import FOLDER

from consingan.errors import UserError
from consingan.methods.singan import setup
from consingan.methods.singan.method import find_official
from consingan.runs.load import load_run

NAME = "scale_factor=0.500000,alpha=10"
RUNS = ("official_run", "official_run_torch14")


class Poison:
    """Unpickled, it would leave a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (self.trace,)  # type: ignore[return-value]


def copied(name: str, place: Path, folder: str = NAME) -> Path:
    """A run in a folder of that name."""
    shutil.copytree(FOLDER / name / "TrainedModels" / "image" / NAME, place / folder)
    return place / folder


@pytest.mark.parametrize("name", RUNS)
def test_loads_by_its_folder_or_the_one_above(name: str, tmp_path: Path) -> None:
    path = copied(name, tmp_path)
    for place in (path, tmp_path):
        run = load_run(place)
        assert run.method.name == "singan"
        assert run.finished
        config = run.model.config
        assert (config.scale_factor, config.alpha, config.min_size) == (0.5, 10.0, 13)
        assert run.model.sample([0], None, 0).shape == (1, 3, *run.model.sizes[-1])


def test_pickled_modules_are_never_opened(tmp_path: Path) -> None:
    path = copied("official_run", tmp_path)
    (path / "Gs.pth").write_bytes(pickle.dumps(Poison(tmp_path / "trace")))
    load_run(path)
    assert not (tmp_path / "trace").exists()


def test_a_poisoned_list_is_refused_unopened(tmp_path: Path) -> None:
    path = copied("official_run", tmp_path)
    (path / "Zs.pth").write_bytes(pickle.dumps(Poison(tmp_path / "trace")))
    with pytest.raises(UserError, match=r"Zs\.pth is damaged or not of a SinGAN run"):
        load_run(path)
    assert not (tmp_path / "trace").exists()


def test_noise_to_the_border_is_known_by_the_folders_name(tmp_path: Path) -> None:
    path = copied("official_run", tmp_path, "scale_factor=0.500000_noise_padding")
    config, _ = setup.read(path)
    assert config.train_mode == "animation"


def test_a_run_that_stopped_early_has_the_scales_that_it_finished(tmp_path: Path) -> None:
    path = copied("official_run", tmp_path)
    for name in ("Zs.pth", "NoiseAmp.pth"):
        kept = torch.load(path / name, weights_only=True)
        torch.save(kept[:2], path / name)
    run = load_run(path)
    assert not run.finished
    assert len(run.model.sizes) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Zs.pth", torch.zeros(3)),
        ("Zs.pth", torch.zeros(1, 3, 0, 0)),
        ("Zs.pth", torch.zeros(1, 1, 5, 5)),
        ("reals.pth", torch.tensor(1.0)),
        ("NoiseAmp.pth", torch.zeros(3)),
    ],
)
def test_tensors_of_another_shape_are_named(tmp_path: Path, name: str, value: torch.Tensor) -> None:
    path = copied(RUNS[0], tmp_path)
    torch.save([value, *torch.load(path / name, weights_only=True)[1:]], path / name)
    with pytest.raises(UserError, match=f"{name} is damaged or not of a SinGAN run"):
        load_run(path)


def test_weights_without_a_side_are_named(tmp_path: Path) -> None:
    path = copied(RUNS[0], tmp_path)
    weights = torch.load(path / "0" / "netG.pth", weights_only=True)
    torch.save(weights | {"tail.0.weight": torch.tensor(1.0)}, path / "0" / "netG.pth")
    with pytest.raises(UserError, match="no tail"):
        load_run(path)


def test_other_sizes_are_no_pyramid(tmp_path: Path) -> None:
    path = copied("official_run", tmp_path)
    reals = torch.load(path / "reals.pth", weights_only=True)
    torch.save([reals[0], reals[1][..., :-3], reals[2]], path / "reals.pth")
    with pytest.raises(UserError, match="does not hold the pyramid"):
        load_run(path)


def test_a_folder_with_two_runs_is_ambiguous(tmp_path: Path) -> None:
    copied("official_run", tmp_path)
    copied("official_run_torch14", tmp_path, "scale_factor=0.500000_noise_padding")
    assert find_official(tmp_path) is None
