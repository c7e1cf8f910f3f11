"""The basics of an evaluation say where on Earth they lie only if that is known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
import torch
from pictures import texture

from consingan.images.georeference import SCALE, TIES, read_georeference
from consingan.images.io import read_picture
from consingan.images.resize import resize, resize_to, training_scale
from consingan.machine.files import described
from consingan.report.write import write_basics
from consingan.runs.load import LoadedRun
from consingan.settings.reading import AS_IT_IS

KEPT = "georeference: kept for real_image and reconstruction; samples show no place on Earth"


def tile(path, seed=0, east=500.0):
    path.parent.mkdir(exist_ok=True)
    ties = (TIES, 12, 6, (0, 0, 0, east, 900, 0), True)
    scale = (SCALE, 12, 3, (10.0, 20.0, 0.0), True)
    tifffile.imwrite(path, texture(seed=seed), photometric="rgb", extratags=[scale, ties])
    return path


def run_of(path, name="", noted=True, hole=None):
    """A run that was trained on what is at `path` now and calls it `name`."""
    config = SimpleNamespace(
        input_name=name or str(path), reading=AS_IT_IS, channels="rgb", max_size=250, page=0
    )
    real = read_picture(path).image
    if hole is not None:
        real[:, :, :hole] = 0
    method = SimpleNamespace(pictures=lambda _: {} if hole is None else {"mask": "m.png"})
    files = described({"input_name": path}) if noted else {}
    model = SimpleNamespace(config=config, real=real)
    return LoadedRun(path.parent, method, model, {}, pictures=files)


def basics(run, folder):
    """East of what is written, None without a place, and what is said."""
    said = []
    write_basics(run, folder, "tiff", said.append)
    place = read_georeference(folder / "real_image.tif")
    return None if place is None else place.tags[TIES][3], said


@pytest.mark.parametrize("noted", [True, False], ids=["new", "old"])
def test_the_place_is_kept_while_the_file_is_the_training_image(tmp_path, noted):
    run = run_of(tile(tmp_path / "tile.tif"), noted=noted)
    assert basics(run, tmp_path) == (500, [KEPT])


@pytest.mark.parametrize("noted", [True, False], ids=["new", "old"])
def test_of_a_file_that_was_overwritten_no_place_is_taken(tmp_path, noted):
    run = run_of(tile(tmp_path / "tile.tif"), noted=noted)
    tile(tmp_path / "tile.tif", seed=1, east=700.0)
    east, said = basics(run, tmp_path)
    assert east is None
    assert "no georeference is kept" in said[0]


@pytest.mark.parametrize("gone", [False, True])
def test_from_another_folder_the_very_file_is_found_and_no_namesake(tmp_path, monkeypatch, gone):
    tile(tmp_path / "here" / "tile.tif", seed=1, east=700.0)
    run = run_of(tile(tmp_path / "there" / "tile.tif"), name="tile.tif")
    if gone:
        (tmp_path / "there" / "tile.tif").unlink()
    monkeypatch.chdir(tmp_path / "here")
    east, said = basics(run, tmp_path)
    assert east == (None if gone else 500)
    assert ("no georeference is kept" in said[0]) == gone


def test_a_note_of_a_later_file_does_not_make_it_the_training_image(tmp_path):
    """A fine-tuning notes what lies at the path by then."""
    run = run_of(tile(tmp_path / "tile.tif"))
    tile(tmp_path / "tile.tif", seed=1, east=700.0)
    run.pictures["input_name"] |= described({"a": tmp_path / "tile.tif"})["a"]
    assert basics(run, tmp_path)[0] is None


def test_with_a_hole_the_very_file_counts(tmp_path):
    run = run_of(tile(tmp_path / "tile.tif"), hole=12)
    assert basics(run, tmp_path) == (500, [KEPT])


@pytest.mark.parametrize("left", [6, 200])
def test_a_file_that_was_cut_off_since_is_a_note(tmp_path, left):
    run = run_of(tile(tmp_path / "tile.tif"))
    whole = (tmp_path / "tile.tif").read_bytes()
    (tmp_path / "tile.tif").write_bytes(whole[:left])
    east, said = basics(run, tmp_path)
    assert east is None
    assert "has no georeference that can be used" in said[0]


def test_odd_tags_of_the_training_image_are_a_note(tmp_path):
    odd = [(SCALE, 12, 1, (10.0,), True), (TIES, 12, 6, (0.0,) * 6, True)]
    tifffile.imwrite(tmp_path / "tile.tif", texture(), photometric="rgb", extratags=odd)
    east, said = basics(run_of(tmp_path / "tile.tif"), tmp_path)
    assert east is None
    assert "has no georeference that can be used (tag 33550 holds 1 numbers)" in said[0]
    assert np.array_equal(tifffile.imread(tmp_path / "real_image.tif"), texture())


@pytest.mark.parametrize("one_factor", [True, False], ids=["one factor", "each side its own"])
def test_a_line_lies_where_it_lay_however_the_image_was_made_smaller(tmp_path, one_factor):
    pixels = np.full((126, 400, 3), 60, np.uint8)
    pixels[112:118] = 250
    tags = [(SCALE, 12, 3, (1.0, 1.0, 0.0), True), (TIES, 12, 6, (0, 0, 0, 0, 0, 0), True)]
    tifffile.imwrite(tmp_path / "tile.tif", pixels, photometric="rgb", extratags=tags)
    run = run_of(tmp_path / "tile.tif")
    image, scale = run.model.real, training_scale((126, 400), 64)
    run.model.real = (resize(image, scale) if one_factor else resize_to(image, (21, 64))).clamp(
        -1, 1
    )
    write_basics(run, tmp_path, "tiff", lambda _: None)
    place = read_georeference(tmp_path / "real_image.tif")
    light = torch.from_numpy(tifffile.imread(tmp_path / "real_image.tif")[:, 32, 0] - 60.0).relu()
    row = float((light * (torch.arange(21) + 0.5)).sum() / light.sum())
    assert row * place.tags[SCALE][1] == pytest.approx(115, abs=0.5)
