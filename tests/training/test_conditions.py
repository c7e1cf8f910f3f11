"""How A of a pair is read, and what is kept and said of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import execution, picture
from PIL import Image

from consingan.errors import UserError
from consingan.images.io import read_image, read_picture
from consingan.methods.choose import choose_settings
from consingan.methods.pairs import condition_reading
from consingan.training.prepare import prepare


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
        prepare(typed, execution("auto"), picture(32, 32))


@pytest.mark.parametrize("method", ["pix2pix", "crn", "patches"])
def test_a_malformed_range_of_a_is_named_by_its_flag(method: str) -> None:
    with pytest.raises(UserError, match=r"^--condition_range 5 must be two numbers MIN,MAX"):
        choose_settings({"method": method, "condition_range": "5"})
