"""Users' own pictures and masks through the commands: what is said, what becomes of them."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from click.testing import CliRunner
from commands import (
    OBJECT,
    TINY,
    TRAINED,
    copy_of_run,
    evaluate_model,
    main_train,
    mask_of_scene,
    naive_scene,
    only_run,
    pixels_of,
    save,
    scene,
    trained,
)
from helpers import execution
from pictures import ramp, tiff

import consingan
from consingan import cli
from consingan.errors import UserError
from consingan.images.io import read_image, read_picture
from consingan.training.prepare import prepare

FULL = "harmonized_w_mask_full_size.png"


def layer() -> np.ndarray:
    rgba = np.zeros((*scene().shape[:2], 4), np.uint8)
    rgba[OBJECT] = (250, 20, 200, 255)
    return rgba


def erased() -> np.ndarray:
    rgba = np.dstack([scene(), np.full(scene().shape[:2], 255, np.uint8)])
    rgba[OBJECT] = 0
    return rgba


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return copy_of_run("harmonization", tmp_path_factory.mktemp("own"))


def judged(run: Path, *arguments: object):
    return evaluate_model("--model_dir", run, "--no_metrics", "--device", "cpu", *arguments)


@pytest.mark.parametrize(
    ("pixels", "said"),
    [(layer(), "The mask is what the layer covers"), (erased(), "The mask is what is erased")],
    ids=["layer", "erased"],
)
def test_transparency_of_the_users_picture_is_its_mask(tmp_path, run, pixels, said):
    result = judged(run, "--naive_img", save(tmp_path / "own.png", pixels), "--mask_dilation", 0,
                    "--mask_feather", 0)  # fmt: skip
    assert result.exit_code == 0, result.output
    assert result.output.count(said) == 1
    made = pixels_of(run / "Evaluation" / FULL).astype(int)
    outside = np.ones(made.shape[:2], bool)
    outside[OBJECT] = False
    assert np.abs(made[outside] - scene()[outside]).max() <= 1


@pytest.mark.parametrize(
    ("mask", "said", "code"),
    [
        (mask_of_scene(), None, 0),
        (mask_of_scene() // 255, "two levels 0 and 1", 0),
        ((mask_of_scene() // 255).astype(np.uint16), None, 0),
        (np.dstack([mask_of_scene(), np.zeros((*mask_of_scene().shape, 2), np.uint8)]),
         "not black in it counts as white", 0),
        (mask_of_scene()[::2, ::2], "from 28x20 to 56x40 px (nearest pixels)", 0),
        (np.kron(mask_of_scene(), np.ones((2, 2), np.uint8)),
         "from 112x80 to 56x40 px (by area)", 0),
        (mask_of_scene().T, "turn the mask by 90 degrees", 2),
        (mask_of_scene()[:, :40], "of another shape than the picture", 2),
        (np.zeros_like(mask_of_scene()), "The mask is empty", 0),
        (np.full_like(mask_of_scene(), 255), "The mask is all white", 0),
        (scene(), "is the picture itself, not a mask", 2),
    ],
)  # fmt: skip
def test_masks_as_people_have_them(tmp_path, run, mask, said, code):
    naive = save(tmp_path / "own.png", naive_scene())
    result = judged(run, "--naive_img", naive, "--mask", save(tmp_path / "m.png", mask))
    assert result.exit_code == code, result.output
    if said is None:
        assert "mask" not in result.stderr.lower()
    else:
        assert result.output.count(said) == 1, result.output


@pytest.mark.parametrize("feather", ["0", "300", "1e7"])
def test_a_feather_of_any_size_is_done_at_once(tmp_path, run, feather):
    naive = save(tmp_path / "own.png", naive_scene())
    mask = save(tmp_path / "m.png", mask_of_scene())
    result = judged(run, "--naive_img", naive, "--mask", mask, "--mask_feather", feather)
    assert result.exit_code == 0, result.output


def test_the_range_of_a_training_holds_for_the_users_picture(tmp_path):
    heights = tiff(tmp_path / "heights.tif", ramp(-60, 1740, "i2", 40, 56))
    own = ramp(-60, 840, "i2", 40, 56)
    result = main_train(
        "--input_name", heights, "--train_mode", "harmonization", *TINY,
        "--output_dir", tmp_path / "runs",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    run = only_run(tmp_path / "runs")
    assert json.loads((run / "config.json").read_text())["value_range"] == "-60,1740"
    result = judged(run, "--naive_img", tiff(tmp_path / "own.tif", own), "--format", "png",
                    "--mask", save(tmp_path / "m.png", np.zeros((40, 56), np.uint8)))  # fmt: skip
    assert result.exit_code == 0, result.output
    made = pixels_of(run / "Evaluation" / FULL)
    assert abs(int(made.max()) - 128) <= 1  # as bright as the same height was in training


def of_range(folder: Path, picture: Path, *words: object) -> Path:
    result = main_train(
        "--input_name", picture, "--train_mode", "harmonization", *TINY, *words,
        "--output_dir", folder / "runs",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    return only_run(folder / "runs")


@pytest.mark.parametrize(
    ("words", "kept"),
    [((), "20,170,deep"), ((), "20,170"), (("--range", "20,170"), "20,170,deep")],
    ids=["found", "found by an earlier release", "typed"],
)
def test_a_copy_with_8_bit_of_a_deep_picture_is_taken_as_it_is(tmp_path, words, kept):
    run = of_range(tmp_path, tiff(tmp_path / "x.tif", ramp(20, 170, "u2", 40, 56)), *words)
    settings = json.loads((run / "config.json").read_text())
    assert settings["value_range"] == "20,170,deep"
    (run / "config.json").write_text(json.dumps(settings | {"value_range": kept}))
    copy = save(tmp_path / "copy.png", ramp(0, 255, "u1", 40, 56))
    result = judged(run, "--naive_img", copy, "--format", "png",
                    "--mask", save(tmp_path / "m.png", np.zeros((40, 56), np.uint8)))  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "the range 20,170 is of deeper numbers" in result.output
    made = pixels_of(run / "Evaluation" / FULL)
    assert np.array_equal(made[..., 0], ramp(0, 255, "u1", 40, 56))


def test_a_range_typed_for_a_picture_of_8_bit_holds_for_another(tmp_path):
    picture = save(tmp_path / "x.png", ramp(20, 170, "u1", 40, 56))
    run = of_range(tmp_path, picture, "--range", "20,170")
    assert json.loads((run / "config.json").read_text())["value_range"] == "20,170"
    own = save(tmp_path / "own.png", ramp(20, 95, "u1", 40, 56))
    result = judged(run, "--naive_img", own, "--format", "png",
                    "--mask", save(tmp_path / "m.png", np.zeros((40, 56), np.uint8)))  # fmt: skip
    assert result.exit_code == 0, result.output
    assert abs(int(pixels_of(run / "Evaluation" / FULL).max()) - 128) <= 1


def test_the_range_of_a_deep_picture_is_not_the_one_of_an_8_bit_copy_in_a_training(tmp_path):
    copy = save(tmp_path / "copy.png", ramp(0, 255, "u1", 40, 56))
    deep = tiff(tmp_path / "x.tif", ramp(20, 170, "u2", 40, 56))
    typed = {"input_name": str(deep), "naive_img": str(copy), "train_mode": "harmonization"}
    for range_ in ("auto", "20,170"):
        job = prepare({**typed, "value_range": range_}, execution())
        assert torch.equal(job.naive, read_image(copy))
        assert any("is of deeper numbers" in note for note in job.notes)


@pytest.fixture(scope="module")
def gray_run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("gray")
    picture = save(folder / "gray.png", scene()[..., 2])
    result = main_train("--input_name", picture, *TINY, "--output_dir", folder / "runs")
    assert result.exit_code == 0, result.output
    return only_run(folder / "runs")


def test_a_gray_picture_gives_gray_samples(gray_run):
    result = evaluate_model("--model_dir", gray_run, "--num_samples", 2, "--no_metrics")
    assert result.exit_code == 0, result.output
    for path in [*(gray_run / "Evaluation").rglob("gen_sample_*.png"),
                 gray_run / "Evaluation" / "reconstruction.png"]:  # fmt: skip
        pixels = pixels_of(path)
        assert (pixels[..., 0] == pixels[..., 1]).all()
        assert (pixels[..., 0] == pixels[..., 2]).all()


@pytest.mark.parametrize(("form", "suffix"), [("png16", "png"), ("tiff16", "tif")])
def test_a_gray_picture_can_give_16_bit(gray_run, form, suffix):
    result = evaluate_model(
        "--model_dir", gray_run, "--num_samples", 2, "--no_metrics", "--format", form
    )
    assert result.exit_code == 0, result.output
    folder = gray_run / "Evaluation"
    for name in ("random_samples/gen_sample_0", "reconstruction", "real_image"):
        path = folder / f"{name}.{suffix}"
        pixels = tifffile.imread(path) if suffix == "tif" else np.asarray(opened(path))
        assert pixels.dtype == np.uint16
        assert pixels.shape == TRAINED
        assert (pixels % 257 != 0).any()  # no 8-bit level in disguise
    assert len(np.unique(pixels)) > 256


def opened(path: Path):
    from PIL import Image

    return Image.open(path)


def test_colors_of_16_bit_are_read_again(tmp_path):
    run = shutil.copytree(trained("generation"), tmp_path / "run")
    words = ("--num_samples", 1, "--no_metrics", "--format", "png16")
    result = evaluate_model("--model_dir", run, *words)
    assert result.exit_code == 0, result.output
    assert read_picture(run / "Evaluation" / "real_image.png").bits == 16


@pytest.mark.parametrize(
    ("raw", "folder"),
    [(b"caf\xe9.png", "caf%E9"), (b"\x1b[31m.png", "%1B[31m"), (b"...", "picture"),
     (b"two\nlines.png", "two%0Alines")],
)  # fmt: skip
def test_names_of_any_kind_stay_inside_the_output_folder(tmp_path, raw, folder):
    path = tmp_path / "in" / os.fsdecode(raw)
    path.parent.mkdir()
    save(tmp_path / "scene.png", scene()).rename(path)
    result = main_train("--input_name", path, *TINY, "--output_dir", tmp_path / "runs")
    assert result.exit_code == 0, result.output
    run = only_run(tmp_path / "runs")
    assert run.parent.name == folder
    assert "\x1b" not in result.output
    result = evaluate_model("--model_dir", run, "--num_samples", 2)
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output
    assert {p.name for p in tmp_path.iterdir()} == {"in", "runs"}


def test_a_folder_says_what_it_leaves_out(tmp_path):
    save(tmp_path / "in" / "a.png", scene())
    (tmp_path / "in" / "notes.txt").write_text("x")
    (tmp_path / "in" / "broken.jpg").write_bytes(b"<html>")
    result = main_train("--input_name", tmp_path / "in", *TINY, "--dry_run")
    assert result.exit_code == 1, result.output
    assert "Left out, no pictures by their names: notes.txt." in result.output
    assert "broken.jpg is not a picture" in result.output


def metrics(*arguments: object):
    return CliRunner().invoke(cli.main, ["metrics", *map(str, arguments)], catch_exceptions=False)


def test_one_broken_file_does_not_end_metrics(tmp_path):
    real = save(tmp_path / "real.png", scene())
    for name in ("a.png", "b.png"):
        save(tmp_path / "in" / name, naive_scene())
    (tmp_path / "in" / "broken.jpg").write_bytes(b"<html>")
    (tmp_path / "in" / "cut.png").write_bytes(real.read_bytes()[:200])
    save(tmp_path / "in" / "thin.png", scene(40, 3))
    (tmp_path / "in" / "notes.txt").write_text("x")
    result = metrics(real, tmp_path / "in", "--json", tmp_path / "out.json")
    assert result.exit_code == 0, result.output
    assert "2 samples" in result.output
    assert "3 of 5 pictures" in result.output
    assert "thin.png is 3x40 px" in result.output
    assert "notes.txt" in result.output
    assert len(json.loads((tmp_path / "out.json").read_text())["samples"]) == 2


def test_metrics_of_nothing_but_broken_files_is_an_error(tmp_path):
    real = save(tmp_path / "real.png", scene())
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "broken.jpg").write_bytes(b"<html>")
    assert metrics(real, tmp_path / "in").exit_code == 2
    assert metrics(real, tmp_path / "in" / "broken.jpg").exit_code == 2


SMALL = {"max_size": 32, "min_size": 16, "niter": 1, "train_stages": 1, "nfc": 2, "num_layer": 1}


@pytest.mark.parametrize("kind", ["uint8", "pillow", "tensor", "path"])
def test_python_takes_pictures_of_any_kind(tmp_path, kind):
    from PIL import Image

    given = {
        "uint8": scene(),
        "pillow": Image.fromarray(scene()),
        "tensor": torch.from_numpy(scene() / 127.5 - 1).permute(2, 0, 1)[None].float(),
        "path": save(tmp_path / "x.png", scene()),
    }[kind]
    model = consingan.train(given, device=torch.device("cpu"), **SMALL)
    assert model.size == (23, 32)
    assert model.sample(size=40).shape == (1, 3, 40, 40)


def test_python_says_what_is_noted_as_warnings():
    zero_to_one = torch.from_numpy(scene() / 255).permute(2, 0, 1)[None].float()
    with pytest.warns(UserWarning, match=r"all values in \[0, 1\]"):
        consingan.train(zero_to_one, device="cpu", **SMALL)
    with pytest.raises(UserError, match=r"float32 of shape \(3,\).*give a file"):
        consingan.train(torch.zeros(3), device="cpu", **SMALL)


def test_python_composes_with_masks_of_any_kind(run):
    model = consingan.load(run, device=torch.device("cpu"))
    there = mask_of_scene() > 0
    expected = model.compose(naive_scene(), torch.from_numpy(there)[None, None].float())
    for mask in (there, torch.from_numpy(there), there[None, None], there.astype(np.uint8)):
        assert torch.equal(model.compose(naive_scene(), mask), expected)
    with pytest.raises(UserError, match="of another shape than the picture"):
        model.compose(naive_scene(), there.T)
