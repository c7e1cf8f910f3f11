"""Transparent, deep and banded pictures, and tiles, from the file to the report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from commands import TINY, TRAINED, evaluate_model, main_train, only_run, save, scene
from pictures import tiff
from PIL import Image

from consingan.images.georeference import SCALE, TIES, read_georeference


def sprite() -> np.ndarray:
    alpha = np.zeros(scene().shape[:2], np.uint8)
    alpha[8:30, 10:40] = 255
    return np.dstack([scene(), alpha])


def heights() -> np.ndarray:
    rows, columns = np.mgrid[0:40, 0:56]
    return (20000 + 9000 * np.sin(rows / 9) * np.cos(columns / 7)).astype(np.uint16)


def bands() -> np.ndarray:
    return np.dstack([heights() // 4 + 500 * k for k in range(5)])


PLACE = [(SCALE, 12, 3, (10.0, 10.0, 0.0), True), (TIES, 12, 6, (0, 0, 0, 500, 900, 0), True)]
PICTURES = {
    "sprite": lambda folder: save(folder / "x.png", sprite()),
    "heights": lambda folder: save(folder / "x.png", heights()),
    "bands": lambda folder: tiff(
        folder / "x.tif", bands(), photometric="minisblack", planarconfig="contig", extratags=PLACE
    ),
}


@pytest.fixture(scope="module", params=list(PICTURES))
def evaluated(request, tmp_path_factory):
    """The kind of picture, the folder of its evaluation, and what was said."""
    folder = tmp_path_factory.mktemp(request.param)
    tile = ("--tile", "both") if request.param == "sprite" else ()
    name = PICTURES[request.param](folder)
    trained = main_train("--input_name", name, *TINY, *tile, "--output_dir", folder / "runs")
    assert trained.exit_code == 0, trained.output
    run = only_run(folder / "runs")
    made = evaluate_model("--model_dir", run, "--num_samples", 2, "--size", "30x24")
    assert made.exit_code == 0, made.output
    return request.param, run / "Evaluation", trained.output + made.output


def pixels(path: Path) -> np.ndarray:
    return tifffile.imread(path) if path.suffix == ".tif" else np.asarray(Image.open(path))


WRITTEN = {
    "sprite": (".png", np.uint8, (4,)),
    "heights": (".png", np.uint16, ()),
    "bands": (".tif", np.uint16, (5,)),
}


def test_samples_have_the_pictures_channels_and_depth(evaluated):
    kind, folder, _ = evaluated
    suffix, dtype, more = WRITTEN[kind]
    for name in ("real_image", "reconstruction", "random_samples/gen_sample_1"):
        found = pixels(folder / f"{name}{suffix}")
        assert found.dtype == dtype
        assert found.shape == (*TRAINED, *more)
    other = pixels(folder / f"random_samples_30x24/gen_sample_0{suffix}")
    assert other.shape == (24, 30, *more)


def test_metrics_and_report_are_there_for_all_of_them(evaluated):
    _, folder, _ = evaluated
    record = json.loads((folder / "metrics.json").read_text())
    assert record["metrics"]["swd"]["mean"] > 0
    assert (folder / "report.html").stat().st_size > 10_000


def test_what_is_special_is_said(evaluated):
    kind, folder, said = evaluated
    words = {
        "sprite": "its opacity is learned",
        "heights": "16 bit: 0 and 65535 stand for",
        "bands": "georeference: kept for real_image and reconstruction",
    }
    assert words[kind] in said
    place = read_georeference(str(folder / "real_image.tif"))
    assert (place is not None) == (kind == "bands")


def test_tiles_leave_previews_and_the_error_of_their_seams(evaluated):
    kind, folder, said = evaluated
    preview = folder / "random_samples_2x2" / "gen_sample_0_2x2.png"
    assert preview.is_file() == (kind == "sprite")
    assert ("seam error" in said) == (kind == "sprite")
    if kind == "sprite":
        height, width = TRAINED
        tile = pixels(folder / "random_samples" / "gen_sample_0.png")
        assert np.array_equal(pixels(preview)[height:, width:], tile)
        assert json.loads((folder / "metrics.json").read_text())["seams"]["mean"] > 0
