"""Whose a run is, and what its training image was before it was made smaller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hole_cases
import numpy as np
import pytest
import torch
from helpers import SETTINGS, execution, make_job, new_folder
from pictures import texture
from PIL import Image

from consingan.images.hole import emptied_by_1_2
from consingan.images.io import read_image, read_picture
from consingan.machine.files import write_json, write_tensors
from consingan.methods.contract import Inputs
from consingan.methods.holes import Holed, holed_from
from consingan.methods.singan import setup
from consingan.methods.singan.config import SinGANConfig
from consingan.methods.singan.method import SINGAN
from consingan.methods.singan.networks import Generator
from consingan.outputs.own_mask import training_image
from consingan.runs.earlier import ON_CPU, earlier_run_of, is_of, training_file
from consingan.runs.files import PYRAMID
from consingan.runs.folder import RunFolder
from consingan.runs.load import LoadedRun, load_run
from consingan.settings.reading import Reading
from consingan.training.loop import Trainer
from consingan.training.prepare import prepare

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


def as_1_0_kept_it(folder: RunFolder) -> None:
    """Without the settings that came later, the range of values among them."""
    kept = folder.config.to_json()
    del kept["value_range"]
    write_json(folder.path / "config.json", kept)


@pytest.mark.filterwarnings("ignore:.*become black")
def test_a_run_of_1_0_reads_deep_pictures_by_their_full_range(tmp_path: Path) -> None:
    levels = np.linspace(1000, 3000, 32 * 40).astype(np.uint16).reshape(32, 40)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    typed = {"input_name": str(tmp_path / "deep.png"), "value_range": "full", "channels": "rgb"}
    job = make_job(image=read_picture(tmp_path / "deep.png", Reading("full")), **typed)
    folder = new_folder(tmp_path / "runs", job)
    as_1_0_kept_it(folder)
    again = read_picture(tmp_path / "deep.png", folder.config.reading).image[0, 0].double()
    torch.testing.assert_close(again, torch.from_numpy(levels / 65535 * 2 - 1), rtol=0, atol=1e-6)
    other = prepare({**SETTINGS, **typed, "value_range": "auto"}, execution()).training
    assert earlier_run_of(job.training, tmp_path / "runs", any_seed=False) is not None
    assert earlier_run_of(other, tmp_path / "runs", any_seed=False) is None


def test_a_queue_finds_a_run_of_1_0_of_an_8_bit_picture(tmp_path: Path) -> None:
    job = make_job(input_name="a.png")
    as_1_0_kept_it(new_folder(tmp_path / "runs", job))
    assert earlier_run_of(job.training, tmp_path / "runs", any_seed=False) is not None


def test_a_queue_finds_a_run_whose_release_filled_the_hole_otherwise(tmp_path: Path) -> None:
    files = hole_cases.files(tmp_path)
    typed = {**hole_cases.TINY["consingan"], **files}
    job = prepare(typed, execution())
    training, folder = job.training, new_folder(tmp_path / "runs", job)
    around = holed_from(training.fixed())
    assert around is not None
    earlier = emptied_by_1_2(around.picture, around.hole).clamp(-1, 1)
    own = Holed(earlier, around.hole, emptied_by_1_2).tensors()
    real = training.fixed()["real.0"] * 0.9
    assert not torch.equal(own["whole"], training.fixed()["whole"])
    write_tensors(folder.path / PYRAMID, {**training.fixed(), **own, "real.0": real})
    assert earlier_run_of(training, tmp_path / "runs", any_seed=False) is not None
    own["whole"][..., 0, 0] ^= 128  # another picture
    write_tensors(folder.path / PYRAMID, {**training.fixed(), **own})
    assert earlier_run_of(training, tmp_path / "runs", any_seed=False) is None
