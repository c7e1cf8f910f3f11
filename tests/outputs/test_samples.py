"""What evaluate_model.py leaves: names, sizes, formats, seeds."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch
from commands import (
    TRAINED,
    copy_of_run,
    evaluate_model,
    files_below,
    naive_scene,
    pixels_of,
    save,
    trained,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from consingan.errors import UserError
from consingan.images.sheets import GAP, LABEL_HEIGHT
from consingan.methods.consingan import sampling
from consingan.methods.contract import Walk
from consingan.outputs import film
from consingan.outputs.requests import SamplesRequest
from consingan.outputs.samples import random_samples
from consingan.outputs.sizes import AUTHORS_SCALES, other_sizes
from consingan.report.write import all_alike
from consingan.runs.load import load_run

H, W = TRAINED


def evaluated(mode, tmp_path, *more):
    run = copy_of_run(mode, tmp_path, "--batch_norm")
    return run, again(run, *more)


def again(run, *more):
    result = evaluate_model(
        "--model_dir", run, "--device", "cpu", "--precision", "float32", "--no_metrics", *more
    )
    assert result.exit_code == 0, result.output
    return result


def pictures_below(folder):
    return [n for n in files_below(folder) if n.endswith((".png", ".jpg", ".gif", ".webp"))]


@pytest.mark.parametrize("mode", ["generation", "retarget"])
def test_the_authors_set(mode, tmp_path):
    run, result = evaluated(mode, tmp_path, "--num_samples", 3)
    expected = {"real_image.png": (W, H), "reconstruction.png": (W, H)}
    with Image.open(run / "Evaluation" / "samples_grid.png") as image:
        assert image.size[0] > 4 * W + 3 * GAP  # the names above are wider than the pictures
        assert image.size[1] == H + LABEL_HEIGHT
        expected["samples_grid.png"] = image.size
    for h, w in ((1, 2), (2, 1), (2, 2)):
        folder = f"random_samples_scale_h_{h}_scale_w_{w}"
        expected |= {f"{folder}/gen_sample_{i}.png": (w * W, h * H) for i in range(3)}
    expected |= {f"random_samples/gen_sample_{i}.png": (W, H) for i in range(3)}
    assert pictures_below(run / "Evaluation") == sorted(expected)
    for name, size in expected.items():
        with Image.open(run / "Evaluation" / name) as image:
            assert image.size == size, name
    assert f"results: {run / 'Evaluation'}" in result.output


def test_fifty_samples_are_the_default(tmp_path):
    run, _ = evaluated("generation", tmp_path, "--size", f"{W}x{H}")
    assert len(list((run / "Evaluation" / "random_samples").iterdir())) == 50


def test_sizes_and_scales_of_ones_own(tmp_path):
    run, _ = evaluated(
        "generation", tmp_path, "--num_samples", 1, "--size", "50x30", "--size", "21X40",
        "--scale_w", 1.5, "--scale_h", 1, "--scale-w", 2, "--scale-h", 0.75,
    )  # fmt: skip
    folder = run / "Evaluation"
    sizes = {
        "random_samples": (W, H),
        "random_samples_50x30": (50, 30),
        "random_samples_21x40": (21, 40),
        "random_samples_scale_h_1_scale_w_1.5": (48, H),
        "random_samples_scale_h_0.75_scale_w_2": (64, 17),
    }
    assert {p.name for p in folder.iterdir() if p.is_dir()} == set(sizes)
    for name, size in sizes.items():
        with Image.open(folder / name / "gen_sample_0.png") as image:
            assert image.size == size


def test_one_scale_alone_keeps_the_other_side(tmp_path):
    run, _ = evaluated("generation", tmp_path, "--num_samples", 1, "--scale_w", 3)
    with Image.open(
        run / "Evaluation" / "random_samples_scale_h_1_scale_w_3" / "gen_sample_0.png"
    ) as image:
        assert image.size == (96, H)


def test_jpg(tmp_path):
    run, _ = evaluated("generation", tmp_path, "--num_samples", 1, "--format", "jpg")
    names = set(files_below(run / "Evaluation"))
    assert {"real_image.jpg", "reconstruction.jpg", "random_samples/gen_sample_0.jpg"} <= names
    with Image.open(run / "Evaluation" / "random_samples" / "gen_sample_0.jpg") as image:
        assert image.format == "JPEG"


def test_no_samples(tmp_path):
    run, result = evaluated("generation", tmp_path, "--num_samples", 0)
    assert "samples_grid.png" not in files_below(run / "Evaluation")
    assert "reconstruction.png" in files_below(run / "Evaluation")
    assert "all samples are nearly" not in result.output


def test_samples_depend_on_seed_and_number_alone(tmp_path):
    """Not on how many are asked for, the batch size, or what was made before."""
    run, _ = evaluated("generation", tmp_path, "--num_samples", 5, "--seed", 3)
    folder = run / "Evaluation" / "random_samples"
    first = [pixels_of(folder / f"gen_sample_{i}.png") for i in range(5)]
    again(run, "--num_samples", 3, "--seed", 3, "--batch_size", 2)
    assert sorted(p.name for p in folder.iterdir()) == [f"gen_sample_{i}.png" for i in range(3)]
    for i in range(3):
        found = pixels_of(folder / f"gen_sample_{i}.png").astype(int)
        assert np.abs(found - first[i]).max() <= 1  # rounding to 8 bit at most
    again(run, "--num_samples", 3, "--seed", 4)
    assert (pixels_of(folder / "gen_sample_0.png") != first[0]).any()
    assert (first[0] != first[1]).any()


def test_the_grid_begins_with_the_real_image(tmp_path):
    run, _ = evaluated("generation", tmp_path, "--num_samples", 20)
    folder = run / "Evaluation"
    sheet = pixels_of(folder / "samples_grid.png")
    cell = (sheet.shape[1] - 3 * GAP) // 4
    assert sheet.shape == (4 * (H + LABEL_HEIGHT) + 3 * GAP, 4 * cell + 3 * GAP, 3)
    row = sheet[LABEL_HEIGHT : LABEL_HEIGHT + H]
    assert (row[:, :W] == pixels_of(folder / "real_image.png")).all()
    first = pixels_of(folder / "random_samples" / "gen_sample_0.png")
    assert (row[:, cell + GAP :][:, :W] == first).all()
    names = sheet[:LABEL_HEIGHT]
    assert all((names[:, k * (cell + GAP) :][:, :cell] < 100).any() for k in range(4))


def test_real_image_and_reconstruction_are_the_runs_own(tmp_path):
    run, _ = evaluated("generation", tmp_path, "--num_samples", 0)
    model = load_run(run).model
    from consingan.images.io import to_pixels

    assert (pixels_of(run / "Evaluation" / "real_image.png") == to_pixels(model.real)).all()
    found = pixels_of(run / "Evaluation" / "reconstruction.png").astype(int)
    assert np.abs(found - to_pixels(model.reconstruction())).max() <= 1
    assert np.abs(found - pixels_of(run / "reconstruction.png")).max() <= 1


def test_an_unfinished_run_is_used_up_to_its_last_stage(tmp_path):
    run = copy_of_run("generation", tmp_path, "--batch_norm")
    manifest = json.loads((run / "manifest.json").read_text())
    early = manifest | {"status": "interrupted", "finished_stages": 1}
    (run / "manifest.json").write_text(json.dumps(early))
    result = again(run, "--num_samples", 1, "--scale_w", 2)
    assert "The run is not finished: using stage 1 of 2." in result.output
    coarse = load_run(run).model.sizes[-1]
    with Image.open(run / "Evaluation" / "random_samples" / "gen_sample_0.png") as image:
        assert image.size == coarse[::-1]


# ---- animations


def test_the_authors_animations(tmp_path):
    run, _ = evaluated("animation", tmp_path, "--frames", 2)
    names = [
        f"animations/start_stage_{k}_alpha_0.1_beta_{beta}.gif"
        for k in (0, 1)
        for beta in (0.8, 0.85, 0.9, 0.95)
    ]
    expected = sorted([*names, "real_image.png", "reconstruction.png"])
    assert pictures_below(run / "Evaluation") == expected


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_animations_of_ones_own(suffix, tmp_path):
    run, result = evaluated(
        "animation", tmp_path, "--frames", 4, "--fps", 5, "--alpha", 0.05, "--beta", 0,
        "--start_stage", 0, "--video", suffix, "--size", "40x30",
    )  # fmt: skip
    path = run / "Evaluation" / "animations" / f"start_stage_0_alpha_0.05_beta_0_40x30.{suffix}"
    assert f"animation of 4 frames: {path}" in result.output
    assert [p for p in files_below(run / "Evaluation") if "animations" in p] == [
        f"animations/{path.name}"
    ]
    with Image.open(path) as image:
        assert image.size == (40, 30)
        assert image.n_frames == 4
        image.load()
        assert image.info["duration"] == 200


def test_a_film_for_each_size(tmp_path):
    run, result = evaluated(
        "animation", tmp_path, "--frames", 1, "--beta", 0.9, "--beta", 0.9, "--start_stage", 0,
        "--start_stage", 0, "--size", "40x30", "--size", "50x20", "--size", "40x30",
        "--scale_w", 2, "--scale_h", 1,
    )  # fmt: skip
    folder = run / "Evaluation" / "animations"
    sizes = {}
    for path in folder.iterdir():
        with Image.open(path) as image:
            sizes[path.name] = image.size
    assert sizes == {
        f"start_stage_0_alpha_0.1_beta_0.9_{w}x{h}.gif": (w, h)
        for w, h in ((40, 30), (50, 20), (2 * W, H))
    }
    assert result.output.count("animation of 1 frame:") == 3


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_mp4(tmp_path):
    pytest.importorskip("imageio_ffmpeg")
    run, _ = evaluated(
        "animation", tmp_path, "--frames", 3, "--beta", 0.9, "--start_stage", 0, "--video", "mp4"
    )
    path = run / "Evaluation" / "animations" / "start_stage_0_alpha_0.1_beta_0.9.mp4"
    assert path.read_bytes()[4:8] == b"ftyp"


def test_all_start_stages(tmp_path):
    run, _ = evaluated("animation", tmp_path, "--frames", 2, "--beta", 0.9, "--start-stage", "all")
    names = {p.name for p in (run / "Evaluation" / "animations").iterdir()}
    assert names == {f"start_stage_{k}_alpha_0.1_beta_0.9.gif" for k in (0, 1)}


def test_the_seed_chooses_the_walk(tmp_path):
    run = copy_of_run("animation", tmp_path, "--batch_norm")
    model = load_run(run).model

    def walk(seed, **options):
        return torch.cat(list(sampling.animation_frames(model, 3, Walk(seed=seed, **options))))

    assert torch.equal(walk(1), walk(1))
    assert not torch.equal(walk(1), walk(2))
    assert torch.equal(
        walk(1)[:2], torch.cat(list(sampling.animation_frames(model, 2, Walk(seed=1))))
    )
    assert not torch.equal(walk(1)[0], walk(1)[1])
    assert walk(1, size=(30, 40)).shape == (3, 3, 30, 40)


# Options beside those of `evaluated`; what is said of each, where it does nothing.
SAMPLES = "--batch_size 2 --scale_w 1 --scale_h 1 --size 32x23"
FILMS = "--frames 1 --fps 5 --alpha 0.2 --beta 0.9 --video webp"
PICTURES = "--mask auto --mask_dilation 1 --mask_feather 1 --mask_invert --fit crop"
OPTIONS = (
    "--no_baseline --num_samples 1 --seed 1 --format jpg --start_stage 0 "
    f"{SAMPLES} {FILMS} {PICTURES}"
)
IDLE = {
    "generation": f"{FILMS} {PICTURES} --start_stage 0",
    "animation": f"--num_samples 1 --batch_size 2 --no_baseline {PICTURES}",
    "harmonization": f"--num_samples 1 --seed 1 --inception_weights x --no_baseline {SAMPLES} "
    f"{FILMS}",
    "editing": f"--num_samples 1 --inception_weights x --no_baseline {SAMPLES} {FILMS}",
}


def flags_in(text):
    return {word for word in text.split() if word.startswith("--")}


@pytest.mark.parametrize("mode", IDLE)
def test_every_option_is_used_or_said_to_do_nothing(mode, tmp_path, monkeypatch):
    words = OPTIONS.split()
    if mode in ("harmonization", "editing"):
        monkeypatch.setattr("consingan.api.evaluate.write_report", lambda *_: None)
        naive = save(tmp_path / "naive.png", naive_scene())
        run = copy_of_run(mode, tmp_path, "--batch_norm")
        words += ["--naive_img", naive, "--inception_weights", "x"]
        result = evaluate_model("--model_dir", run, "--device", "cpu", *words)
    else:
        _, result = evaluated(mode, tmp_path, *words)
    assert result.exit_code == 0, result.output
    said = set(re.findall(r"^Note: (--\w+) does nothing for a model", result.stderr, re.MULTILINE))
    assert said == flags_in(IDLE[mode])


def test_nothing_depends_on_samples_that_are_not_made(tmp_path):
    _, result = evaluated("generation", tmp_path, "--num_samples", 0, "--size", "40x30")
    assert "Note: --size does nothing without samples." in result.stderr


def test_what_softens_a_mask_does_nothing_without_one(tmp_path):
    naive = save(tmp_path / "naive.png", naive_scene())
    run = copy_of_run("harmonization", tmp_path, "--batch_norm")
    result = again(run, "--naive_img", naive, "--mask_dilation", 3)
    assert "Note: --mask_dilation does nothing without a mask." in result.stderr


def test_an_idle_option_is_no_reason_to_refuse(tmp_path):
    _, result = evaluated("generation", tmp_path, "--num_samples", 1, "--start_stage", 99)
    assert "Note: --start_stage does nothing for a model trained for generation." in result.stderr


# ---- the parts


@pytest.fixture(scope="module")
def model():
    return load_run(trained("generation")).model


@given(height=st.integers(1, 90), width=st.integers(1, 90))
@settings(max_examples=60, deadline=None)
def test_every_size_is_made_or_refused_with_one_that_works(model, height, width):
    try:
        other_sizes(model, SamplesRequest(sizes=[(height, width)]))
    except UserError as error:
        least_w, least_h = (int(n) for n in str(error).split("use ")[1].split(" ")[0].split("x"))
        assert height < least_h or width < least_w
        height, width = least_h, least_w
        other_sizes(model, SamplesRequest(sizes=[(height, width)]))
    (sample,) = random_samples(model, 1, (height, width))
    assert sample.shape == (1, 3, height, width)
    assert torch.isfinite(sample).all()


def test_names_of_sizes(model):
    named = other_sizes(model, SamplesRequest(scale_w=(1.25,), sizes=[(30, 40)]))
    assert named == [
        ("random_samples_scale_h_1_scale_w_1.25", (H, 40)),
        ("random_samples_40x30", (30, 40)),
    ]
    assert other_sizes(model, SamplesRequest(sizes=[(30, 40)])) == [
        ("random_samples_40x30", (30, 40))
    ]


def test_all_alike_is_told_from_variety_and_from_a_model_that_learned_nothing(model):
    base = model.reconstruction()
    noise = torch.rand_like(base) - 0.5
    alike, varied = [base, base + 1e-6], [base + noise, base - noise]
    assert not all_alike(model, alike)  # after two iterations it gives back no image at all

    class Learned:
        real = base

        def reconstruction(self):
            return base

    assert all_alike(Learned(), alike)
    assert not all_alike(Learned(), varied)
    assert not all_alike(Learned(), alike[:1])


def test_colors_of_a_dull_image_do_not_make_its_variety_look_small():
    color = torch.tensor([0.8, 0.0, -0.8])[None, :, None, None]

    class Learned:
        real = color + 0.04 * torch.randn(1, 3, 24, 30, generator=torch.Generator().manual_seed(0))

        def reconstruction(self):
            return self.real

    moved = [Learned.real.roll(k, 3) - 0.75 * k * (Learned.real.roll(k, 3) - Learned.real)
             for k in (0, 1)]  # fmt: skip
    assert not all_alike(Learned(), moved)


def test_constants_are_the_authors():
    assert film.AUTHORS_BETAS == (0.8, 0.85, 0.9, 0.95)
    assert film.AUTHORS_START_STAGES == (0, 1, 2)
    assert set(AUTHORS_SCALES) == {(1.0, 2.0), (2.0, 1.0), (2.0, 2.0)}
