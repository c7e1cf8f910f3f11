"""Whose a run is, and what its training image was before it was made smaller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pictures import texture
from PIL import Image

from consingan.images.io import read_image
from consingan.methods.contract import Inputs
from consingan.methods.singan import setup
from consingan.methods.singan.config import SinGANConfig
from consingan.methods.singan.method import SINGAN
from consingan.methods.singan.networks import Generator
from consingan.outputs.own_mask import training_image
from consingan.runs.earlier import ON_CPU, is_of, training_file
from consingan.runs.load import LoadedRun, load_run
from consingan.training.loop import Trainer

ROUNDED_UP, ROUNDED_DOWN = (26, 35), (26, 36)  # at 29 px: 29 / 35 * 35 exceeds 29


def photo(folder: Path, size: tuple[int, int], seed: int = 0) -> Path:
    path = folder / f"photo_{seed}.png"
    Image.fromarray(texture(*size, seed=seed)).save(path)
    return path


def config(path: Path, **changes: Any) -> SinGANConfig:
    settings = {"nfc": 2, "min_nfc": 2, "min_size": 14, "max_size": 29, "niter": 1}
    return SinGANConfig(input_name=str(path), **{**settings, **changes})


def authors_run(folder: Path, path: Path) -> Path:
    """A run of the authors' program, as far as it is read."""
    training = setup.begin(config(path), Inputs(read_image(path)), ON_CPU)
    run = folder / "scale_factor=0.750000,alpha=10"
    run.mkdir()
    reals = [training.fixed()[f"real.{n}"] for n in range(training.stages)]
    torch.save(reals, run / "reals.pth")
    torch.save([torch.tensor(1.0) for _ in reals], run / "NoiseAmp.pth")
    torch.save([torch.nn.functional.pad(real, (5,) * 4) for real in reals], run / "Zs.pth")
    for n in range(len(reals)):
        (run / str(n)).mkdir()
        generator = Generator(training.config.architecture.at_scale(n))
        training.randomness.initialize(generator, n, "generator")
        torch.save(generator.state_dict(), run / str(n) / "netG.pth")
    return run


@pytest.mark.parametrize(("size", "longer"), [(ROUNDED_UP, 30), (ROUNDED_DOWN, 29)])
def test_a_run_of_singans_authors_is_of_its_picture(
    tmp_path: Path, size: tuple[int, int], longer: int
) -> None:
    path = photo(tmp_path, size)
    run = load_run(authors_run(tmp_path, path))
    assert max(run.model.sizes[-1]) == longer
    assert is_of(run, str(path))
    assert not is_of(run, str(photo(tmp_path, size, seed=1)))
    assert not is_of(run, str(photo(tmp_path, (20, 24), seed=2)))


@pytest.mark.parametrize("size", [ROUNDED_UP, ROUNDED_DOWN])
def test_the_training_image_of_singan_is_found_at_its_own_size(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    path = photo(tmp_path, size)
    whole = read_image(path)
    trainer = Trainer(setup.begin(config(path), Inputs(whole), ON_CPU))
    list(trainer.run())
    assert torch.equal(training_image(trainer.model), whole)
    assert training_file(LoadedRun(tmp_path, SINGAN, trainer.model, {})) == path
    photo(tmp_path, size, seed=1).rename(path)
    assert torch.equal(training_image(trainer.model), trainer.model.real)
