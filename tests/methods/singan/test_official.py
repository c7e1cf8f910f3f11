"""Runs of the authors' program load, and nothing in them is run."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import pytest
import torch
from singan_cases import FOLDER, leave_as_authors

from consingan.errors import UserError
from consingan.machine.execution import Execution
from consingan.methods.contract import Inputs
from consingan.methods.singan import setup
from consingan.methods.singan.config import SinGANConfig
from consingan.methods.singan.method import find_official
from consingan.methods.singan.pyramid import enlargement_in_steps_of, plan_enlargement
from consingan.runs.load import load_run
from consingan.training.loop import Trainer

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


def enlarging(place: Path, factor: float, alpha: int = 100, min_size: int = 18) -> Path:
    """What the authors' SR.py leaves, its name, or a like one."""
    config = SinGANConfig(
        train_mode="super_resolution", sr_factor=factor, min_size=min_size, niter=1,
        nfc=4, min_nfc=4,
    )  # fmt: skip
    image = torch.linspace(-1, 1, 3 * 24 * 30).view(1, 3, 24, 30)
    trainer = Trainer(setup.begin(config, Inputs(image), Execution(torch.device("cpu"))))
    list(trainer.run())
    step = plan_enlargement(factor).step
    return leave_as_authors(trainer.model, place / f"scale_factor={1 / step:f},alpha={alpha}")


@pytest.mark.parametrize("factor", [4.0, 3.0])
def test_a_super_resolution_is_known_by_its_steps(tmp_path: Path, factor: float) -> None:
    run = load_run(enlarging(tmp_path, factor))
    assert run.finished
    config = run.model.config
    assert (config.train_mode, config.sr_factor) == ("super_resolution", factor)
    assert (config.min_size, config.alpha) == (18, 100.0)
    assert run.model.enlarge().shape == (1, 3, int(24 * factor), int(30 * factor))


def test_other_weights_or_sizes_are_no_super_resolution(tmp_path: Path) -> None:
    for place, changes in (("weight", {"alpha": 10}), ("size", {"min_size": 14})):
        config, _ = setup.read(enlarging(tmp_path / place, 4.0, **changes))
        assert config.train_mode == "generation"


def test_a_ratio_as_it_is_typed_is_that_of_a_usual_training(tmp_path: Path) -> None:
    """1.25 times has the step of `--scale_factor 0.8`; somebody may have trained with that."""
    config, _ = setup.read(enlarging(tmp_path, 1.25))
    assert config.train_mode == "generation"


@pytest.mark.parametrize(
    "factor", [1.2, 1.5, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 3.13, 3.99, 4.99, 5.23]
)
def test_a_factor_is_found_by_what_the_folders_name_has_of_its_step(factor: float) -> None:
    written = float(f"{1 / plan_enlargement(factor).step:f}")
    assert enlargement_in_steps_of(written) == factor


@pytest.mark.parametrize("scale_factor", [0.5, 0.7, 0.75, 0.9])
def test_usual_scale_factors_are_no_steps_of_an_enlargement(scale_factor: float) -> None:
    assert enlargement_in_steps_of(scale_factor) is None


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
