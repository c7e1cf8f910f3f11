"""Harmonization and editing: from the command lines of the articles to single pixels."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest
import torch
from commands import (
    HEIGHT,
    OBJECT,
    TINY,
    TRAINED,
    WIDTH,
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
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from consingan.errors import UserError
from consingan.images import masks
from consingan.images.fit import fit_naive
from consingan.images.io import from_pixels, read_image
from consingan.images.layers import Own
from consingan.images.resize import same_shape
from consingan.images.sheets import GAP, LABEL_HEIGHT
from consingan.outputs import composed
from consingan.outputs.composite import compose
from consingan.outputs.own_mask import choose_mask
from consingan.outputs.requests import CompositeRequest
from consingan.runs.load import load_run

WORDS = {"harmonization": "harmonized", "editing": "edited"}


def picture(pixels):
    return from_pixels(pixels / 255.0)


@pytest.fixture(params=["harmonization", "editing"])
def mode(request):
    return request.param


@pytest.fixture
def run(mode, tmp_path):
    return copy_of_run(mode, tmp_path / "runs")


@pytest.fixture
def naive(tmp_path):
    return save(tmp_path / "naive.png", naive_scene())


def evaluated(run, naive, *more):
    """What the command printed, and the pictures in Evaluation."""
    result = evaluate_model(
        "--model_dir", run, "--naive_img", naive, "--device", "cpu", "--no_metrics", *more
    )
    assert result.exit_code == 0, result.output
    return result, run / "Evaluation"


def outside(size, mask, dilation, feather, trained_size=TRAINED):
    """(h, w) True where the softened mask is zero, at the naive image's own size."""
    given_mask = masks.resize_mask(torch.from_numpy(mask)[None, None].float() / 255, size)
    soft = masks.soften(given_mask, dilation, feather, max(size) / max(trained_size))
    return (soft[0, 0] == 0).numpy()


# ---- the whole way


def test_names_and_sizes(mode, run, naive, tmp_path):
    mask = save(tmp_path / "m.png", mask_of_scene())
    evaluated(run, naive, "--mask", mask)
    word, folder = WORDS[mode], run / "Evaluation"
    small, full = (TRAINED[1], TRAINED[0]), (WIDTH, HEIGHT)
    sizes = {
        "real_image.png": small,
        "reconstruction.png": small,
        f"{word}_wo_mask.png": small,
        f"{word}_w_mask.png": small,
        f"{word}_wo_mask_full_size.png": full,
        f"{word}_w_mask_full_size.png": full,
    }
    for name, size in sizes.items():
        with Image.open(folder / name) as image:
            assert image.size == size, name
    names = {p.name for p in folder.iterdir()}
    assert names == {*sizes, f"{word}_side_by_side.png", "evaluation.json", "naive"}


def test_every_pixel_outside_the_mask_is_the_naive_one(mode, run, tmp_path):
    naive = save(tmp_path / "naive.png", naive_scene(120, 168))
    mask = save(tmp_path / "m.png", mask_of_scene())
    _, folder = evaluated(run, naive, "--mask", mask, "--mask_dilation", 1, "--mask_feather", 0.5)
    result = pixels_of(folder / f"{WORDS[mode]}_w_mask_full_size.png")
    same = outside((120, 168), mask_of_scene(), 1, 0.5)
    assert 0.3 < same.mean() < 0.95
    assert (result[same] == pixels_of(naive)[same]).all()
    assert (result[~same] != pixels_of(naive)[~same]).any()
    whole = pixels_of(folder / f"{WORDS[mode]}_wo_mask_full_size.png")
    middle = (slice(45, 50), slice(75, 90))
    assert (result[middle] == whole[middle]).all()


def test_the_background_is_the_naive_image_not_the_training_image(mode, run, tmp_path):
    pixels = naive_scene().copy()
    pixels[32:38, 44:54] = (0, 255, 0)  # elsewhere than the mask
    naive = save(tmp_path / "naive.png", pixels)
    mask = save(tmp_path / "m.png", mask_of_scene())
    _, folder = evaluated(run, naive, "--mask", mask, "--mask_dilation", 0, "--mask_feather", 0)
    small = pixels_of(folder / f"{WORDS[mode]}_w_mask.png")
    assert small[20, 28].tolist() == [0, 255, 0]
    full = pixels_of(folder / f"{WORDS[mode]}_w_mask_full_size.png")
    assert (full[32:38, 44:54] == (0, 255, 0)).all()


def test_without_mask_the_whole_picture_is_used_and_it_is_said_once(mode, run, naive):
    result, folder = evaluated(run, naive)
    assert result.output.count("No mask: the whole picture is used") == 1
    assert not list(folder.glob("*_w_mask*"))
    assert (folder / f"{WORDS[mode]}_wo_mask.png").is_file()


@pytest.mark.parametrize("name", ["naive_mask.png", "naive_mask.jpg", "naive_mask.webp"])
def test_the_mask_beside_the_naive_image_is_found(mode, run, naive, name):
    save(naive.parent / name, mask_of_scene())
    result, folder = evaluated(run, naive)
    assert "No mask" not in result.output
    assert (folder / f"{WORDS[mode]}_w_mask.png").is_file()


@pytest.mark.parametrize(
    "kind",
    ["another size", "RGBA", "LA", "RGB", "1", "palette", "JPEG", "16 bit", "clear"],
)
def test_masks_of_every_kind_do_alike(kind, tmp_path):
    run, naive = copy_of_run("harmonization", tmp_path), save(tmp_path / "n.png", naive_scene())
    plain = Image.fromarray(mask_of_scene())
    path = tmp_path / "mask of mine.png"
    if kind == "another size":
        plain.resize((WIDTH * 3, HEIGHT * 3), Image.Resampling.NEAREST).save(path)
    elif kind == "RGBA":
        plain.convert("RGBA").save(path)
    elif kind == "palette":
        plain.convert("P").save(path)
    elif kind == "JPEG":
        path = path.with_suffix(".jpeg")
        plain.save(path, quality=100)
    elif kind == "16 bit":
        Image.fromarray(mask_of_scene().astype(np.uint16) * 257).save(path)
    elif kind == "clear":
        clear = Image.new("RGBA", plain.size, (0, 0, 0, 0))
        clear.putalpha(plain)
        clear.save(path)
    else:
        plain.convert(kind).save(path)
    _, folder = evaluated(run, naive, "--mask", path)
    found = pixels_of(folder / "harmonized_w_mask_full_size.png").astype(int)
    reference = save(tmp_path / "reference.png", mask_of_scene())
    evaluated(run, naive, "--mask", reference)
    wanted = pixels_of(folder / "harmonized_w_mask_full_size.png").astype(int)
    assert np.abs(found - wanted).max() <= 6
    assert np.abs(found - pixels_of(naive)).max() > 20


def test_empty_mask_gives_back_the_naive_image(mode, run, naive, tmp_path):
    mask = save(tmp_path / "black.png", np.zeros((HEIGHT, WIDTH), np.uint8))
    result, folder = evaluated(run, naive, "--mask", mask)
    assert "Note: The mask is empty, so the result is the naive image" in result.stderr
    full = pixels_of(folder / f"{WORDS[mode]}_w_mask_full_size.png")
    assert (full == naive_scene()).all()


def test_full_mask_gives_the_whole_result(mode, run, naive, tmp_path):
    mask = save(tmp_path / "white.png", np.full((HEIGHT, WIDTH), 255, np.uint8))
    _, folder = evaluated(run, naive, "--mask", mask)
    for size in ("", "_full_size"):
        masked = pixels_of(folder / f"{WORDS[mode]}_w_mask{size}.png")
        assert (masked == pixels_of(folder / f"{WORDS[mode]}_wo_mask{size}.png")).all()


def test_inverted_mask(mode, run, naive, tmp_path):
    mask = save(tmp_path / "m.png", 255 - mask_of_scene())
    narrow = ("--mask_dilation", 0, "--mask_feather", 0)
    _, folder = evaluated(run, naive, "--mask", mask, "--mask_invert", *narrow)
    full = pixels_of(folder / f"{WORDS[mode]}_w_mask_full_size.png")
    changed = mask_of_scene() > 0
    assert (full[~changed] == naive_scene()[~changed]).all()
    assert (full[changed] != naive_scene()[changed]).any()


def test_automatic_mask_finds_the_object(tmp_path):
    run = copy_of_run("harmonization", tmp_path)
    naive = save(tmp_path / "naive.png", naive_scene())
    narrow = ("--mask_dilation", 0, "--mask_feather", 0)
    result, folder = evaluated(run, naive, "--mask", "auto", *narrow)
    assert re.search(r"mask of \d.* % of the picture: .*mask_auto\.png\n", result.output)
    found = pixels_of(folder / "mask_auto.png")[:, :, 0] > 127
    truth = mask_of_scene() > 0
    overlap = (found & truth).sum() / (found | truth).sum()
    assert overlap > 0.75
    full = pixels_of(folder / "harmonized_w_mask_full_size.png")
    assert (full[:4] == naive_scene()[:4]).all()


def test_automatic_mask_of_an_unchanged_picture_is_empty(mode, run, tmp_path):
    naive = save(tmp_path / "same.png", scene())
    result, _ = evaluated(run, naive, "--mask", "auto")
    assert "The mask is empty" in result.stderr


def test_all_start_stages_on_one_sheet(mode, run, naive):
    _, folder = evaluated(run, naive, "--start_stage", "all")
    with Image.open(folder / f"{WORDS[mode]}_start_stages.png") as sheet:
        assert sheet.width >= 3 * TRAINED[1]
    at_all = pixels_of(folder / f"{WORDS[mode]}_wo_mask.png")
    evaluated(run, naive, "--start_stage", 0)
    assert (pixels_of(folder / f"{WORDS[mode]}_wo_mask.png") == at_all).all()
    evaluated(run, naive, "--start_stage", 1)
    assert (pixels_of(folder / f"{WORDS[mode]}_wo_mask.png") != at_all).any()


@pytest.mark.parametrize("fit", ["crop", "stretch"])
def test_another_aspect_ratio(tmp_path, fit):
    run = copy_of_run("harmonization", tmp_path)
    wide = np.full((HEIGHT, 80, 3), 90, np.uint8)
    wide[:, 12:68] = naive_scene()
    naive = save(tmp_path / "naive.png", wide)
    mask = np.zeros((HEIGHT, 80), np.uint8)
    mask[:, 12:68] = mask_of_scene()
    save(tmp_path / "naive_mask.png", mask)
    _, folder = evaluated(run, naive, "--fit", fit, "--mask_dilation", 0, "--mask_feather", 0)
    full = pixels_of(folder / "harmonized_w_mask_full_size.png")
    if fit == "stretch":
        assert full.shape == (HEIGHT, 80, 3)
        background, changed = wide, mask > 0
    else:
        left = (80 - full.shape[1]) // 2
        background, changed = wide[:, left : 80 - left][:, : full.shape[1]], mask_of_scene() > 0
        changed = np.pad(changed, ((0, 0), (12, 12)))[:, left:][:, : full.shape[1]]
        assert full.shape[1] == pytest.approx(WIDTH, abs=1)
    assert (full[~changed] == background[~changed]).mean() > 0.99
    different = (full[changed] != background[changed]).any(1)
    assert different.mean() > 0.9


@pytest.mark.parametrize("size", [(9, 13), (HEIGHT, WIDTH), (200, 280), (201, 280)])
def test_naive_images_of_other_sizes(size, tmp_path):
    run = copy_of_run("editing", tmp_path)
    naive = save(tmp_path / "naive.png", naive_scene(*size))
    save(tmp_path / "naive_mask.png", mask_of_scene())
    _, folder = evaluated(run, naive)
    assert pixels_of(folder / "edited_w_mask_full_size.png").shape == (*size, 3)
    assert pixels_of(folder / "edited_w_mask.png").shape == (*TRAINED, 3)


@pytest.mark.parametrize("kind", ["L", "LA", "RGBA", "P", "1", "CMYK"])
def test_naive_images_of_other_kinds(kind, tmp_path):
    run = copy_of_run("harmonization", tmp_path)
    naive = tmp_path / ("naive.tif" if kind == "CMYK" else "naive.png")
    Image.fromarray(naive_scene()).convert(kind).save(naive)
    _, folder = evaluated(run, naive)
    assert pixels_of(folder / "harmonized_wo_mask_full_size.png").shape == (HEIGHT, WIDTH, 3)


def test_transparency_is_said(tmp_path):
    run = copy_of_run("harmonization", tmp_path)
    clear = Image.fromarray(naive_scene()).convert("RGBA")
    clear.putalpha(100)
    clear.save(tmp_path / "naive.png")
    result, _ = evaluated(run, tmp_path / "naive.png")
    assert result.stderr.count("transparent parts are taken as white.") == 1


@pytest.mark.parametrize(
    "name", ["my-photo.v2.jpeg", "x.webp", "a picture - of mine.png", "été.1.tiff"]
)
def test_names_of_any_kind(mode, run, name, tmp_path):
    naive = save(tmp_path / "a folder with spaces" / name, naive_scene())
    save(naive.with_name(f"{naive.stem}_mask.png"), mask_of_scene())
    _, folder = evaluated(run, naive)
    assert (folder / f"{WORDS[mode]}_w_mask.png").is_file()


def test_jpg_format(mode, run, naive):
    _, folder = evaluated(run, naive, "--format", "jpg")
    assert {p.suffix for p in folder.rglob("*.*")} == {".jpg", ".json"}


def test_the_same_seed_gives_the_same_picture(mode, run, naive):
    def result(seed):
        _, folder = evaluated(run, naive, "--seed", seed)
        return pixels_of(folder / f"{WORDS[mode]}_wo_mask.png")

    first = result(3)
    assert (result(3) == first).all()
    assert ((result(4) != first).any()) == (mode == "editing")  # which adds noise


def test_without_naive_image_the_reconstruction_is_made(mode, run):
    result = evaluate_model("--model_dir", run, "--no_metrics")
    assert result.exit_code == 0
    assert "No --naive_img: only the reconstruction is made." in result.output
    names = {p.name for p in (run / "Evaluation").iterdir()}
    assert names == {"real_image.png", "reconstruction.png", "evaluation.json"}


def test_lines_of_the_articles(mode, tmp_path, monkeypatch):
    """Train, evaluate and fine-tune as the articles write it, made small by more flags."""
    monkeypatch.chdir(tmp_path)
    folder = f"Images/{mode.capitalize()}"
    save(tmp_path / folder / "x.jpg", scene(), quality=95)
    save(tmp_path / folder / "x_naive.jpg", naive_scene(), quality=95)
    save(tmp_path / folder / "x_naive_mask.jpg", mask_of_scene())
    article = "--gpu 0 --train_stages 3 --lrelu_alpha 0.3 --batch_norm"
    tiny = "--min_size 16 --max_size 32 --niter 2 --nfc 4 --no_tensorboard --precision float32"
    typed = [*article.split(), *tiny.split(), "--train_mode", mode]
    names = ["--input_name", f"{folder}/x.jpg"]
    result = main_train(*typed, *names)
    assert result.exit_code == 0, result.output
    run = only_run(tmp_path / "TrainedModels")
    assert "_BN_act_lrelu_0.3" in run.name

    naive = ["--naive_img", f"{folder}/x_naive.jpg"]
    result = evaluate_model("--gpu", 0, "--model_dir", run, *naive)
    assert result.exit_code == 0, result.output
    first = pixels_of(run / "Evaluation" / f"{WORDS[mode]}_w_mask.png")

    line = ["--gpu", 0, "--train_mode", mode, *names, *naive, "--fine_tune", "--model_dir", run]
    result = main_train(*line, "--niter", 2, "--no_tensorboard")
    assert result.exit_code == 0, result.output
    (tuned,) = (p for p in run.parent.iterdir() if "fine-tune" in p.name)
    assert f"_{mode}_fine-tune_train_depth_3_lr_scale_0.1_BN_act_lrelu_0.3" in tuned.name
    for more in ([], ["--iteration", 2]):
        result = evaluate_model("--gpu", 0, "--model_dir", tuned, *naive, *more)
        assert result.exit_code == 0, result.output
    again = pixels_of(tuned / "Evaluation" / f"{WORDS[mode]}_w_mask.png")
    assert (again != first).any()
    assert (tuned / "Evaluation" / "iteration_2" / f"{WORDS[mode]}_w_mask.png").is_file()


def test_a_fine_tuned_run_knows_its_naive_image(tmp_path):
    run = trained("harmonization")
    naive = save(tmp_path / "naive.png", naive_scene())
    result = main_train(
        "--fine_tune", "--model_dir", run, "--naive_img", naive, "--niter", 2, "--device", "cpu",
        "--precision", "float32", "--no_tensorboard", "--output_dir", tmp_path / "out",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    tuned = only_run(tmp_path / "out")
    result = evaluate_model("--model_dir", tuned)
    assert result.exit_code == 0, result.output
    assert (tuned / "Evaluation" / "harmonized_wo_mask.png").is_file()
    assert (tuned / "snapshots.png").is_file()


def test_the_naive_image_is_shown_while_training(tmp_path):
    """Top left the training image, then reconstruction, naive image, result, each with its name."""
    picture_path = save(tmp_path / "scene.png", scene())
    naive = save(tmp_path / "naive.png", naive_scene())
    result = main_train(
        "--input_name", picture_path, "--train_mode", "harmonization", "--naive_img", naive, *TINY,
        "--output_dir", tmp_path / "out",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    sheet = pixels_of(only_run(tmp_path / "out") / "1" / "samples.png")
    h, w = TRAINED
    cell = (sheet.shape[1] - 3 * GAP) // 4  # wider than the picture, for its name
    assert sheet.shape == (h + LABEL_HEIGHT, 4 * cell + 3 * GAP, 3)
    pictures = sheet[LABEL_HEIGHT:]
    magenta = (pictures[:, 2 * (cell + GAP) :][:, :w, 1] < 60).mean()
    assert magenta > (pictures[:, :w, 1] < 60).mean()


# ---- the parts


@given(st.integers(8, 400), st.integers(8, 400), st.floats(0.05, 1))
@settings(max_examples=100, deadline=None)
def test_a_resized_picture_has_the_same_shape(height, width, scale):
    smaller = (max(round(height * scale), 4), max(round(width * scale), 4))
    if min(smaller) > 4:
        assert same_shape((height, width), smaller)
        assert same_shape(smaller, (height, width))


def test_other_shapes_are_told_apart():
    assert not same_shape((250, 188), (188, 250))
    assert not same_shape((100, 100), (100, 110))
    assert same_shape((100, 150), (200, 300))
    for line in ((1, 60), (60, 1)):
        assert not same_shape(line, (29, 40))
        assert not same_shape((29, 40), line)


@given(st.integers(20, 120), st.integers(20, 120), st.integers(20, 60), st.integers(20, 60))
@settings(max_examples=100, deadline=None)
def test_cropping_gives_the_shape_of_the_training_image(height, width, real_h, real_w):
    naive = torch.zeros(1, 3, height, width)
    cropped = fit_naive(naive, (real_h, real_w), "crop")
    assert same_shape(tuple(cropped.shape[-2:]), (real_h, real_w))
    assert cropped.shape[-2] == height or cropped.shape[-1] == width
    assert fit_naive(naive, (real_h, real_w), "stretch") is naive


def test_cropping_keeps_the_middle():
    naive = torch.arange(10.0).expand(1, 3, 4, 10)
    assert fit_naive(naive, (4, 4), "crop")[0, 0, 0].tolist() == [3, 4, 5, 6]


def test_a_mask_of_the_training_images_shape_is_not_cropped_with_the_naive_image(tmp_path):
    model = load_run(trained("harmonization")).model
    cropped = torch.zeros(1, 3, HEIGHT, WIDTH)
    path = save(tmp_path / "m.png", mask_of_scene())
    request = CompositeRequest(mask=str(path), fit="crop")
    found = choose_mask("x.png", Own(cropped), model, request)
    assert (found.values[0, 0].numpy() == (mask_of_scene() > 0)).all()


def test_start_stage_beyond_the_model():
    model = load_run(trained("harmonization")).model
    with pytest.raises(UserError, match="use 0 to 1"):
        compose(model, picture(naive_scene()), None, CompositeRequest(start_stages=(2,)))


@pytest.mark.parametrize("value", [0.0, 0.37, 1.0])
def test_uniform_masks_never_divide_by_zero(value):
    model = load_run(trained("harmonization")).model
    mask = torch.full((1, 1, HEIGHT, WIDTH), value)
    naive = picture(naive_scene())
    made = compose(model, naive, mask)
    wanted = naive + value * (made.full - naive)
    torch.testing.assert_close(made.full_blended, wanted, atol=1e-5, rtol=0)


@pytest.mark.parametrize("feather", [0, 3])
def test_strips_at_full_size_are_the_whole(monkeypatch, feather):
    monkeypatch.setattr(composed, "STRIP", 7 * 90)
    naive = picture(np.kron(naive_scene(), np.ones((2, 2, 1), np.uint8))[:71, :90])
    mask = torch.zeros(1, 1, 71, 90)
    mask[..., 20:50, 11:60] = 1
    model = load_run(trained("harmonization")).model
    made = compose(model, naive, mask, CompositeRequest(mask_feather=feather))
    for strips, whole in (
        (made.full_strips(), made.full), (made.blended_strips(), made.full_blended),
    ):  # fmt: skip
        taken = list(strips)
        assert max(strip.shape[2] for strip in taken) == 7
        torch.testing.assert_close(torch.cat(taken, 2), whole, atol=1e-5, rtol=0)


def test_reading_keeps_the_naive_images_pixels(tmp_path):
    path = save(tmp_path / "n.png", naive_scene())
    model = load_run(trained("harmonization")).model
    mask = torch.zeros(1, 1, HEIGHT, WIDTH)
    mask[..., OBJECT[0], OBJECT[1]] = 1
    made = compose(model, read_image(path), mask, CompositeRequest(mask_dilation=0, mask_feather=0))
    assert torch.equal(made.naive[mask.expand_as(made.naive) == 0],
                       made.full_blended[mask.expand_as(made.naive) == 0])  # fmt: skip
    assert torch.equal(made.full[mask.expand_as(made.naive) == 1],
                       made.full_blended[mask.expand_as(made.naive) == 1])  # fmt: skip


def test_results_are_kept_apart_from_other_runs(tmp_path):
    run = trained("harmonization")
    before = sorted(p.name for p in run.iterdir())
    copy = shutil.copytree(run, tmp_path / "copy")
    evaluate_model("--model_dir", copy)
    assert sorted(p.name for p in run.iterdir()) == before
