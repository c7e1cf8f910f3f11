"""The commands of SinGAN's authors work as their articles have them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from helpers import save_picture
from singan_cases import leave_as_authors

from consingan.cli import main
from consingan.images.io import read_image
from consingan.machine.execution import Execution
from consingan.machine.files import read_json, write_json
from consingan.methods.contract import Inputs
from consingan.methods.singan import setup
from consingan.methods.singan.commands import ABSENT, COMMANDS
from consingan.methods.singan.config import SinGANConfig
from consingan.methods.singan.pyramid import plan_enlargement
from consingan.training.loop import Trainer

TINY = ["--max_size", "24", "--min_size", "14", "--niter", "2", "--nfc", "4", "--min_nfc", "4"]


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder as the authors' program is used in, with one model."""
    root = tmp_path_factory.mktemp("singan")
    for folder in ("Images", "Paint", "Harmonization", "Editing"):
        (root / "Input" / folder).mkdir(parents=True)
        save_picture(root / "Input" / folder / "cup.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        made = run("train", "--method", "singan", "--input_name", "Input/Images/cup.png",
                   "--scale_factor", "0.6", "--not_cuda", *TINY)  # fmt: skip
        assert made.exit_code == 0, made.output
        yield root


def singan(*words: object) -> Result:
    return run("singan", *words, "--input_name", "cup.png", "--not_cuda")


def pictures(result: Result) -> list[str]:
    """Names of the pictures in the folder that a command says its results are in."""
    assert result.exit_code == 0, result.output
    folder = Path(result.output.strip().splitlines()[-1].removeprefix("results: "))
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def test_random_samples_from_a_scale_on(place: Path) -> None:
    made = singan("random_samples", "--mode", "random_samples", "--gen_start_scale", 1,
                  "--num_samples", 2)  # fmt: skip
    assert "random_samples_start_stage_1/gen_sample_1.png" in pictures(made)


def test_random_samples_of_another_size(place: Path) -> None:
    made = singan("random_samples", "--mode", "random_samples_arbitrary_sizes", "--scale_h", 1.5,
                  "--scale_v", 1, "--num_samples", 1)  # fmt: skip
    assert "random_samples_scale_h_1_scale_w_1.5/gen_sample_0.png" in pictures(made)


@pytest.mark.parametrize(
    ("command", "words", "name"),
    [
        ("paint2image", ["--paint_start_scale", 1], "painted_wo_mask.png"),
        ("harmonization", ["--harmonization_start_scale", 1], "harmonized_wo_mask.png"),
        ("editing", ["--editing_start_scale", "all"], "edited_wo_mask.png"),
    ],
)
def test_a_picture_of_ones_own_enters(
    place: Path, command: str, words: list[object], name: str
) -> None:
    assert name in pictures(singan(command, "--ref_name", "cup.png", *words))


def test_no_flag_is_named_that_a_command_lacks(place: Path) -> None:
    said = singan("harmonization", "--ref_name", "cup.png").output
    assert "No mask: the whole picture is used. Put one beside it" in said
    assert "--mask" not in said


def test_paint_in_few_colors(place: Path) -> None:
    made = singan("paint2image", "--ref_name", "cup.png", "--paint_start_scale", 1,
                  "--quantization_flag", True, "--niter", 1)  # fmt: skip
    assert "painted_wo_mask.png" in pictures(made)
    assert "few-colors_1" in made.output
    plain = singan("paint2image", "--ref_name", "cup.png", "--quantization_flag", False)
    assert "few-colors" not in plain.output


def test_super_resolution_trains_its_own_model(place: Path) -> None:
    made = singan("SR", "--sr_factor", 2, *TINY)
    assert "enlarged.png" in pictures(made)
    assert "-> training 24x" in made.output  # of which the result is made, not of the file
    path = Path(made.output.strip().splitlines()[-1].removeprefix("results: ")) / "enlarged.png"
    trained = read_image(str(path.with_name("real_image.png")))
    assert read_image(str(path)).shape[-2:] == tuple(2 * side for side in trained.shape[-2:])
    assert "run folder" not in singan("SR", "--sr_factor", 2).output  # the same run again
    assert "run folder" in singan("SR", "--sr_factor", 3, *TINY).output  # none has that factor


def leave_super_resolution(parent: Path, factor: float) -> Path:
    """A run of the authors' SR.py in a folder named as theirs, of cup.png."""
    config = SinGANConfig(
        train_mode="super_resolution", sr_factor=factor, min_size=18, niter=1, nfc=4, min_nfc=4
    )
    image = read_image("Input/Images/cup.png")
    trainer = Trainer(setup.begin(config, Inputs(image), Execution(torch.device("cpu"))))
    list(trainer.run())
    step = plan_enlargement(factor).step
    return leave_as_authors(trainer.model, parent / f"scale_factor={1 / step:f},alpha=100")


def test_the_authors_own_super_resolution_is_found(place: Path, tmp_path: Path) -> None:
    image = read_image("Input/Images/cup.png")
    folder = leave_super_resolution(tmp_path / "cup", 4)
    for factor in (4, 2):  # both in steps of the third root of 2
        made = singan("SR", "--sr_factor", factor, "--output_dir", tmp_path)
        assert "enlarged.png" in pictures(made)
        assert f"run: {folder}" in made.output
        enlarged = read_image(str(folder / "Evaluation/enlarged.png"))
        assert enlarged.shape[-2:] == tuple(factor * side for side in image.shape[-2:])
    refused = singan("random_samples", "--output_dir", tmp_path)
    assert f"There is no run of {Path('Input/Images/cup.png')} in {tmp_path / 'cup'}; train" in (
        refused.output
    )


def test_without_a_factor_that_of_the_authors_is_taken(place: Path, tmp_path: Path) -> None:
    three = leave_super_resolution(tmp_path / "cup", 3)
    alone = singan("SR", "--output_dir", tmp_path)
    assert f"run: {three}" in alone.output
    assert "Note: there are runs" not in alone.output
    four = leave_super_resolution(tmp_path / "cup", 4)
    assert four.name < three.name
    made = singan("SR", "--output_dir", tmp_path)
    assert f"run: {four}" in made.output
    assert "runs with --sr_factor 3, 4; taken is --sr_factor 4, as none was typed" in made.output
    typed = singan("SR", "--sr_factor", 3, "--output_dir", tmp_path)
    assert f"run: {three}" in typed.output


def test_animation_trains_its_own_model(place: Path) -> None:
    made = singan("animation", *TINY, "--frames", 2)
    assert "animations/start_stage_0_alpha_0.1_beta_0.9.gif" in pictures(made)


THEIRS = (
    "manualSeed", "netG", "netD", "nc_z", "nc_im", "out", "niter", "lr_g", "lr_d", "beta1", "gamma",
    "nfc", "min_nfc", "Gsteps", "Dsteps", "ker_size", "num_layer", "stride", "padd_size", "alpha",
    "lambda_grad", "scale_factor", "noise_amp", "min_size", "max_size", "input_dir", "mode",
)  # fmt: skip


@pytest.mark.parametrize(
    "words", [["train", "--method", "singan"], *(["singan", n] for n in COMMANDS)]
)
@pytest.mark.parametrize("flag", THEIRS)
def test_every_flag_of_the_authors_is_taken_or_answered_with_what_to_do(
    words: list[str], flag: str
) -> None:
    said = run(*words, f"--{flag}=").output  # an empty value, so that nothing begins
    if "it is empty; give a value" not in said and "is not a valid" not in said:
        assert f"Error: --{flag}: {ABSENT[flag]}" in said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["random_samples", "--nfc", 8], "was trained with --nfc 4; leave that flag out"),
        (["random_samples", "--gen_start_scale", 9], "--gen_start_scale 9 is not a scale"),
        (["harmonization", "--ref_name", "none.png"], "There is no picture none.png"),
        (
            ["editing", "--ref_name", "cup.png", "--editing_start_scale", 0],
            "--editing_start_scale 0 is not a scale",
        ),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    place: Path, words: list[object], sentence: str
) -> None:
    refused = singan(*words)
    assert refused.exit_code == 2
    assert sentence in refused.output


def test_without_a_run_it_says_how_to_train_one(place: Path) -> None:
    refused = singan("random_samples", "--output_dir", "Elsewhere")
    assert refused.exit_code == 2
    assert "consingan train --method singan --input_name Input/Images/cup.png" in refused.output


def test_a_run_of_another_picture_of_that_name_is_passed_over(place: Path, tmp_path: Path) -> None:
    save_picture(tmp_path / "cup.png", seed=9)
    refused = run("singan", "random_samples", "--input_name", tmp_path / "cup.png", "--not_cuda")
    assert refused.exit_code == 2
    assert f"no run of {tmp_path / 'cup.png'} in" in refused.output
    assert "only of other pictures of that name; train one first" in refused.output
    (tmp_path / "turned").mkdir()
    turned = save_picture(tmp_path / "turned/cup.png", height=26, width=22)
    refused = run("singan", "random_samples", "--input_name", turned, "--not_cuda")
    assert "only of other pictures of that name" in refused.output


def test_a_copy_of_the_picture_finds_the_run(place: Path, tmp_path: Path) -> None:
    shutil.copyfile(place / "Input/Images/cup.png", tmp_path / "cup.png")
    made = run("singan", "random_samples", "--input_name", tmp_path / "cup.png", "--not_cuda",
               "--num_samples", 1)  # fmt: skip
    assert "random_samples/gen_sample_0.png" in pictures(made)


def test_a_machine_that_cannot_be_used_is_said(place: Path) -> None:
    refused = run("singan", "random_samples", "--input_name", "cup.png", "--device", "nonsense")
    assert refused.exit_code == 2
    assert "nonsense" in refused.output
    assert "There is no run" not in refused.output


def test_a_run_that_cannot_be_loaded_is_said(place: Path, tmp_path: Path) -> None:
    copy = tmp_path / "runs/cup/damaged"
    shutil.copytree(next((place / "TrainedModels/cup").glob("*_generation_*")), copy)
    (copy / "pyramid.safetensors").write_bytes(b"no tensors")
    (tmp_path / "runs/cup/notes").mkdir()
    refused = singan("random_samples", "--output_dir", tmp_path / "runs")
    assert refused.exit_code == 2
    assert f"{copy} is passed over: {copy / 'pyramid.safetensors'} is damaged" in refused.output
    assert "notes" not in refused.output


def test_a_run_that_is_not_finished_is_said(place: Path, tmp_path: Path) -> None:
    copy = tmp_path / "runs/cup/begun"
    shutil.copytree(next((place / "TrainedModels/cup").glob("*_generation_*")), copy)
    manifest = read_json(copy / "manifest.json")
    write_json(copy / "manifest.json", manifest | {"finished_stages": 1, "status": "interrupted"})
    refused = singan("random_samples", "--output_dir", tmp_path / "runs")
    assert refused.exit_code == 2
    assert f"{copy} is passed over: it is not finished" in refused.output
