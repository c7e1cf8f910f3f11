"""How A of a pair is read, and what is kept and said of it."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import execution, new_folder, picture
from PIL import Image

from consingan.cli.training import train
from consingan.errors import UserError
from consingan.images.io import read_image, read_picture
from consingan.machine.files import write_json
from consingan.methods.choose import choose_settings
from consingan.methods.command import training_command
from consingan.methods.pairs import condition_reading
from consingan.runs.earlier import earlier_run_of
from consingan.runs.folder import RunFolder
from consingan.training.loop import Trainer
from consingan.training.prepare import prepare
from consingan.training.session import Session


@pytest.mark.parametrize("flag", ["value_range", "condition_range"])
def test_a_range_of_a_deep_a_that_8_bit_has_too_leaves_new_as_of_8_bit_as_they_are(
    tmp_path: Path, flag: str
) -> None:
    levels = np.linspace(0, 200, 32 * 32).astype(np.uint16).reshape(32, 32)
    Image.fromarray(levels).save(tmp_path / "a.png")
    Image.fromarray(levels.astype(np.uint8)).save(tmp_path / "new.png")
    typed = {"method": "pix2pix", "condition": str(tmp_path / "a.png"), flag: "0,200"}
    job = prepare({**typed, "max_size": 32, "ngf": 4}, execution("auto"), picture(32, 32))
    config = job.chosen.config
    assert config.condition_range == "0,200,deep"
    assert job.chosen.origin["condition_range"] == "typed"
    new = read_picture(tmp_path / "new.png", condition_reading(config)).image
    assert torch.equal(new, read_image(tmp_path / "new.png"))
    again = prepare(config.to_json(), execution("auto"), picture(32, 32))
    assert again.chosen.config == config


def test_what_is_said_of_a_deep_a_names_the_flag_of_its_range(tmp_path: Path) -> None:
    levels = np.linspace(1000, 3000, 32 * 32).astype(np.uint16).reshape(32, 32)
    Image.fromarray(levels).save(tmp_path / "a.png")
    typed = {"method": "pix2pix", "condition": str(tmp_path / "a.png"), "max_size": 32, "ngf": 4}
    with pytest.warns(UserWarning, match="; --condition_range MIN,MAX or --condition_range full"):
        job = prepare(typed, execution("auto"), picture(32, 32))
    assert job.chosen.origin["condition_range"] == "picture"


@pytest.mark.parametrize("method", ["pix2pix", "crn", "patches"])
def test_a_malformed_range_of_a_is_named_by_its_flag(method: str) -> None:
    with pytest.raises(UserError, match=r"^--condition_range 5 must be two numbers MIN,MAX"):
        choose_settings({"method": method, "condition_range": "5"})


@pytest.fixture
def pair(tmp_path: Path) -> dict[str, Any]:
    """B and A deeper than 8 bit, of other numbers each."""
    for name, low, high in (("a", 1000, 1200), ("b", 0, 4000)):
        levels = np.linspace(low, high, 32 * 32).astype(np.uint16).reshape(32, 32)
        Image.fromarray(levels).save(tmp_path / f"{name}.png")
    files = {"input_name": str(tmp_path / "b.png"), "condition": str(tmp_path / "a.png")}
    least = {"max_size": 32, "ngf": 4, "ndf": 4, "levels": 3, "niter": 1, "manual_seed": 1}
    return {"method": "pix2pix", **files, **least}


def as_earlier_releases_kept_it(config: Any) -> Any:
    """Of A nothing was kept, and --range did not count for it."""
    return config.replace(condition_range="auto")


@pytest.mark.filterwarnings("ignore:.*become black")
def test_the_command_of_an_earlier_releases_run_reads_a_deep_a_as_it_was_read(
    pair: dict[str, Any], tmp_path: Path
) -> None:
    job = prepare(pair, execution("auto"))
    old = as_earlier_releases_kept_it(job.chosen.config)
    words = shlex.split(training_command(old))
    assert words[words.index("--range") + 1] == "0,4000"
    assert words[words.index("--condition_range") + 1] == "1000,1200"
    params = train.make_context("train", words[2:]).params
    names = {field.name for field in dataclasses.fields(old)}
    typed = {k: v for k, v in params.items() if k in names and v is not None}
    again = prepare(typed, execution("auto"))
    assert torch.equal(again.training.fixed()["condition"], job.training.fixed()["condition"])
    (tmp_path / "a.png").unlink()
    assert "--condition_range" not in training_command(old)
    assert "--condition_range" not in training_command(old.replace(condition="gray"))


@pytest.mark.filterwarnings("ignore:.*become black")
def test_a_queue_takes_an_earlier_releases_run_of_a_deep_a_for_its_own(
    pair: dict[str, Any], tmp_path: Path
) -> None:
    job = prepare(pair, execution("auto"))
    folder = new_folder(tmp_path / "runs", job)
    Session(Trainer(job.training), folder).run()
    kept = as_earlier_releases_kept_it(folder.config).to_json()
    write_json(folder.path / "config.json", kept)

    def found(**typed: str) -> RunFolder | None:
        training = prepare({**pair, **typed}, execution("auto")).training
        return earlier_run_of(training, tmp_path / "runs", any_seed=False)

    assert found() is not None
    assert found(condition_range="0,4000") is None  # another A
