"""The commands: flags, defaults, where settings come from, what a run leaves behind."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import click
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from commands import (
    HEIGHT,
    TINY,
    TRAINED,
    WIDTH,
    evaluate_model,
    files_below,
    main_train,
    only_run,
    pixels_of,
    save,
    scene,
    trained,
)

from consingan import cli
from consingan.cli import messages, training
from consingan.images.io import read_image, to_pixels
from consingan.images.resize import resize_to
from consingan.images.sheets import GAP, LABEL_HEIGHT
from consingan.machine.program import started_as
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.runs.start import run_name
from consingan.training import outlook

ROOT = Path(__file__).parents[2]

# flag, default as the articles give it, another value, field of Config
FLAGS = [
    ("train_mode", "generation", "retarget", "train_mode"),
    ("train_stages", 6, 2, "train_stages"),
    ("train_depth", 3, 2, "train_depth"),
    ("lr_scale", 0.1, 0.5, "lr_scale"),
    ("min_size", 25, 20, "min_size"),
    ("max_size", 250, 40, "max_size"),
    ("niter", 2000, 3, "niter"),
    ("nfc", 64, 4, "nfc"),
    ("ker_size", 3, 5, "ker_size"),
    ("num_layer", 3, 2, "num_layer"),
    ("padd_size", 0, 1, "padd_size"),
    ("nc_im", 3, 3, "nc_im"),
    ("activation", "lrelu", "selu", "activation"),
    ("lrelu_alpha", 0.05, 0.3, "lrelu_alpha"),
    ("lr_g", 5e-4, 1e-05, "lr_g"),
    ("lr_d", 5e-4, 1e-3, "lr_d"),
    ("beta1", 0.5, 0.9, "beta1"),
    ("gamma", 0.1, 0.2, "gamma"),
    ("Gsteps", 3, 1, "g_steps"),
    ("Dsteps", 3, 2, "d_steps"),
    ("lambda_grad", 0.1, 0.2, "lambda_grad"),
    ("alpha", 10, 100, "alpha"),
    ("noise_amp", 0.1, 0.2, "noise_amp"),
]
PLAIN_FLAGS = ["input_name", "batch_norm", "gpu", "not_cuda", "manualSeed", "naive_img",
               "fine_tune", "model_dir"]  # fmt: skip


@pytest.fixture
def picture(tmp_path, monkeypatch):
    """A picture beside which the command runs."""
    monkeypatch.chdir(tmp_path)
    return save(tmp_path / "scene.png", scene()).name


@pytest.fixture
def planned(picture, monkeypatch):
    """Run the command up to the training; returns (ConSinGANConfig, what was printed)."""
    kept = []
    monkeypatch.setattr(training, "_finish", lambda run, _: kept.append(run.trainer.config))
    monkeypatch.setattr(outlook, "outlook", lambda *_: iter(()))  # takes longer than all the rest

    def plan(*typed):
        result = main_train("--input_name", picture, *typed)
        assert result.exit_code == 0, result.output
        return kept[-1], result.output

    return plan


# ---- flags


@pytest.mark.parametrize("spelling", ["as written", "with hyphens"])
@pytest.mark.parametrize(("flag", "default", "value", "field"), FLAGS)
def test_flags(planned, flag, default, value, field, spelling):
    assert getattr(ConSinGANConfig(), field) == default
    name = flag.replace("_", "-") if spelling == "with hyphens" else flag
    config, output = planned(f"--{name}", value)
    assert getattr(config, field) == value
    assert re.search(rf"^typed: .*\b{flag} {re.escape(str(getattr(config, field)))}(,|$)",
                     output, re.MULTILINE)  # fmt: skip


def test_switches(planned):
    config, _ = planned("--batch_norm", "--manualSeed", 12)
    assert (config.batch_norm, config.manual_seed) == (True, 12)
    config, _ = planned("--batch-norm", "--manualSeed=12", "--not-cuda")
    assert (config.batch_norm, config.manual_seed) == (True, 12)


def test_a_flag_with_capitals_can_be_written_without(planned):
    config, _ = planned("--manual_seed", 12, "--g-steps", 2, "--d_steps", 1, "--gpu", -1)
    assert (config.manual_seed, config.g_steps, config.d_steps) == (12, 2, 1)
    text = main_train("--method", "consingan", "--help").stdout
    assert "--manualSeed, --manual_seed N" in text
    assert "--Gsteps, --g_steps N" in text
    config, _ = planned("--train_mode", "harmonization", "--no-batch-norm")
    assert config.batch_norm is False


def parameters(command):
    """All options of a command but --help, with those of the default method."""
    return [p for p in command.get_params(click.Context(command)) if p.name != "help"]


def test_every_flag_of_the_articles_is_there():
    names = {option for p in parameters(cli.train) for option in p.opts}
    assert {f"--{flag}" for flag in [f[0] for f in FLAGS] + PLAIN_FLAGS} <= names
    names = {option for p in parameters(cli.evaluate) for option in p.opts}
    assert {"--model_dir", "--gpu", "--num_samples", "--naive_img", "--not_cuda"} <= names


FULL_HELP = ["--method", "consingan", "--help"]


@pytest.mark.parametrize(
    ("command", "asked"),
    [(cli.train, FULL_HELP), (cli.evaluate, ["--help"])],
    ids=["train", "evaluate"],
)
def test_help_says_what_each_flag_does(command, asked):
    text = CliRunner().invoke(command, asked, catch_exceptions=False).output
    flat = " ".join(text.split())
    own = {f.name: f.metadata["help"] for f in dataclasses.fields(ConSinGANConfig)}
    for parameter in parameters(command):
        assert isinstance(parameter, click.Option)
        assert len(parameter.help or "") > 9, parameter.name
        shown = own[parameter.name] if command is cli.train and parameter.name in own else None
        assert (shown or parameter.help.split("  [")[0]).strip() in flat
        assert parameter.opts[0] in text
    assert re.search(r"^ *python \w+\.py --\w+ \S+.*$", text, re.MULTILINE)
    assert "\b" not in text
    assert "\\b" not in text


def test_help_gives_the_defaults():
    text = CliRunner().invoke(cli.train, FULL_HELP, catch_exceptions=False).output
    for flag, default, _, _ in FLAGS:
        entry = re.search(rf"--{flag}[ ,].*?(?=\n  -)", text, re.DOTALL).group()
        shown = re.search(r"\[default:\s+(\S+)\]", entry).group(1)
        assert shown == default or float(shown) == default, flag


def test_help_imports_no_torch():
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom consingan import cli\n"
        "for command in (cli.train, cli.evaluate, cli.main):\n"
        "    assert CliRunner().invoke(command, ['--help']).exit_code == 0\n"
        "print(sorted({'torch', 'numpy', 'skimage', 'scipy', 'PIL', 'matplotlib'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("script", "arguments"),
    [("main_train.py", ["--input_name", "no such.png"]), ("evaluate_model.py", [])],
)
def test_scripts_end_with_code_2_and_one_sentence(script, arguments, tmp_path):
    done = subprocess.run(
        [sys.executable, str(ROOT / script), *arguments],
        capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 2
    assert re.fullmatch(r"Error: [^\n]+\.\n", done.stderr)
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_output_that_cannot_be_encoded_is_no_error():
    """As on Windows, where what goes into a file is not UTF-8."""
    code = """
import click
from consingan.cli.messages import friendly

with friendly():
    click.echo("up ↑ höher")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT,
        env={"PYTHONIOENCODING": "cp1252"},
    )  # fmt: skip
    assert done.stdout.decode("cp1252").strip() == "up ? höher"


def test_the_console_command_holds_both():
    assert {"train", "evaluate"} <= set(cli.main.commands)
    result = CliRunner().invoke(cli.main, ["train", "--train-stages", "0", "--input-name", "x"])
    assert result.exit_code == 2
    assert "--train_stages 0 must be 1 or more" in result.output


# ---- where settings come from


def test_precedence(planned):
    config, output = planned("--train_mode", "editing", "--min_size", 16)
    assert (config.niter, config.batch_norm, config.min_size) == (1000, True, 16)
    assert config.train_stages == 6
    assert re.search("^recommended for editing: niter 1000, batch_norm True$", output, re.M)
    assert re.search("^typed: .*min_size 16", output, re.M)
    config, output = planned("--train_mode", "editing", "--niter", 7, "--no_batch_norm")
    assert (config.niter, config.batch_norm) == (7, False)
    assert "recommended" not in output


def test_general_defaults_stay_reachable_for_harmonization(planned):
    config, _ = planned(
        "--train_mode", "harmonization", "--train_stages", 6, "--min_size", 25, "--niter", 2000,
        "--lrelu_alpha", 0.05, "--no_batch_norm",
    )  # fmt: skip
    general = ConSinGANConfig().to_json()
    chosen = config.to_json()
    different = {name for name in general if general[name] != chosen[name]}
    assert different == {"input_name", "train_mode", "manual_seed"}


@pytest.mark.parametrize("typed", [(), ("--max_size", 50)])
def test_recommended_min_size_is_lowered_for_a_small_picture(planned, typed):
    config, output = planned("--train_mode", "harmonization", *typed)
    short = 40 if not typed else 36
    assert config.min_size == round(0.64 * short)
    said = f"min_size lowered from 120 to {config.min_size}: the shorter side is {short} px."
    assert output.count(said) == 1
    assert f"fitted to the picture: min_size {config.min_size}" in output


def test_a_typed_min_size_is_never_lowered(planned, picture):
    result = main_train("--input_name", picture, "--train_mode", "animation", "--min_size", 60)
    assert result.exit_code == 2
    assert "below --min_size 60" in result.stderr


def test_the_seed_is_drawn_printed_and_kept(planned):
    first, output = planned()
    second, _ = planned()
    assert f"generation, seed {first.manual_seed}" in output
    assert "manual_seed" not in output  # it was not typed
    assert first.manual_seed != second.manual_seed


def test_the_introduction(planned):
    _, output = planned("--max_size", 32, "--min_size", 16, "--train_stages", 2, "--not_cuda")
    lines = output.splitlines()
    assert re.match(r"consingan \S+, python \d+\.\S+, torch \d+\.\S+$", lines[0])
    assert re.match(r"device cpu \(\d+ threads?, \S+\), precision .+, engine auto$", lines[1])
    assert f"input {WIDTH}x{HEIGHT} -> training 32x23 (WxH)" in lines
    assert "pyramid: 23x16, 32x23" in lines
    (parameters,) = (line for line in lines if line.startswith("parameters: "))
    numbers = [int(n.replace(",", "")) for n in re.findall(r"[\d,]*\d", parameters)]
    head, block, tail = 64 * 27 + 64, 64 * 576 + 64, 3 * 576 + 3
    assert numbers == [head + 6 * block + tail, head + 3 * block + 576 + 1]


def test_transparency_is_said_once(planned, picture):
    from PIL import Image

    clear = Image.fromarray(scene()).convert("RGBA")
    clear.putalpha(90)
    clear.save(picture)
    _, output = planned("--channels", "rgb")
    assert output.count("transparent parts are taken as white.") == 1
    _, output = planned()
    assert output.count("its opacity is learned") == 1


# ---- devices


def test_gpu_0_without_cuda_goes_on_and_says_so_once(planned, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    _, output = planned("--gpu", 0)
    assert output.count("--gpu 0: there is no CUDA device here, going on with the CPU.") == 1
    assert output.count("no CUDA") == 1
    _, output = planned("--not_cuda")
    assert "CUDA" not in output


def test_gpu_0_in_evaluation(tmp_path, monkeypatch):
    from commands import copy_of_run

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    run = copy_of_run("generation", tmp_path)
    result = evaluate_model("--gpu", 0, "--model_dir", run, "--num_samples", 1, "--no_metrics")
    assert result.exit_code == 0
    assert result.output.count("there is no CUDA device here") == 1


# ---- the dry run


def test_dry_run_prints_the_plan_and_writes_nothing(picture, tmp_path):
    result = main_train("--input_name", picture, *TINY, "--dry_run")
    assert result.exit_code == 0, result.output
    assert "pyramid: 23x16, 32x23" in result.output
    assert re.search(r"^memory of the largest step: about \d+ MiB", result.output, re.M)
    assert re.search(r"^stage 1 \(23x16\): \d+ ms an iteration$", result.output, re.M)
    assert re.search(r"^stage 2 \(32x23\): \d+ ms an iteration$", result.output, re.M)
    assert re.search(r"^time for 4 iterations: about \d+ s$", result.output, re.M)
    assert files_below(tmp_path) == [picture]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (99, "99 s"), (150, "2 min"), (5940, "99 min"), (12000, "3 h 20 min")],
)
def test_time_in_words(seconds, words):
    from consingan.machine.progress import in_words

    assert in_words(seconds) == words


# ---- the run's folder


@pytest.mark.parametrize("norm", ["", "_BN"])
@pytest.mark.parametrize("tuned", ["", "_fine-tune"])
@pytest.mark.parametrize(
    ("activation", "end"),
    [("lrelu", "act_lrelu_0.05"), ("prelu", "act_prelu"), ("elu", "act_elu"), ("selu", "act_selu")],
)
def test_folder_names(activation, end, tuned, norm):
    config = ConSinGANConfig(
        train_mode="editing", activation=activation, batch_norm=bool(norm), fine_tune=bool(tuned),
        train_depth=2, lr_scale=0.5,
    )  # fmt: skip
    name = run_name(config, datetime(2026, 3, 4, 5, 6, 7))
    assert name == f"2026_03_04_05_06_07_editing{tuned}_train_depth_2_lr_scale_0.5{norm}_{end}"


@pytest.mark.parametrize("mode", ["generation", "retarget", "animation", "harmonization"])
def test_folder_names_of_modes(planned, mode, tmp_path):
    planned("--train_mode", mode)
    run = only_run(tmp_path / "TrainedModels")
    end = "_BN_act_lrelu_0.3" if mode == "harmonization" else "_act_lrelu_0.05"
    assert run.parent.name == "scene"
    time = r"\d{4}(_\d\d){5}"
    assert re.fullmatch(rf"{time}_{mode}_train_depth_3_lr_scale_0.1{re.escape(end)}", run.name)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a picture of mine.png", "a picture of mine"),
        ("my-photo.v2.jpeg", "my-photo.v2"),
        ("x.webp", "x"),
        ("été - Zürich.tiff", "été - Zürich"),
        ("-0.5.png", "-0.5"),
        ("folder with spaces/b.c.bmp", "b.c"),
    ],
)
def test_picture_names_of_any_kind_from_start_to_end(name, stem, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / name, scene())
    one_stage = shlex.split("--train_stages 1 --niter 1 --max_size 24 --min_size 14 --nfc 2")
    result = main_train(f"--input_name={name}", *TINY, *one_stage)
    assert result.exit_code == 0, result.output
    run = only_run(tmp_path / "TrainedModels")
    assert run.parent.name == stem
    line = re.search(
        "^next: (?:python evaluate_model.py|consingan evaluate) (.*)$", result.output, re.M
    ).group(1)
    result = evaluate_model(*shlex.split(line), "--num_samples", 1, "--no_metrics")
    assert result.exit_code == 0, result.output
    assert (run / "Evaluation" / "random_samples" / "gen_sample_0.png").is_file()


def test_a_photograph_of_scikit_image_gives_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(training, "_finish", lambda *_: None)
    assert main_train("--input_name", "skimage:coffee", "--max_size", 40).exit_code == 0
    assert only_run(tmp_path / "TrainedModels").parent.name == "coffee"


def test_two_runs_of_one_second_do_not_collide(planned, tmp_path, monkeypatch):
    from consingan.runs import folder

    class Still(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 1, 1)

    monkeypatch.setattr(folder, "datetime", Still)
    for _ in range(3):
        planned()
    assert len(list((tmp_path / "TrainedModels" / "scene").iterdir())) == 3


def test_a_run_leaves_what_one_wants_to_look_at():
    run = trained("generation", "--tensorboard")
    h, w = TRAINED
    for stage in (0, 1):
        sheet = pixels_of(run / str(stage) / "samples.png")
        real = resize_to(read_image(run.parents[2] / "scene.png"), TRAINED).clamp(-1, 1)
        if stage == 1:
            assert sheet.shape[0] == 2 * (h + LABEL_HEIGHT) + GAP
            corner = sheet[LABEL_HEIGHT : LABEL_HEIGHT + h, :w].astype(int)
            assert np.abs(corner - to_pixels(real)).max() < 40
            assert np.abs(corner - to_pixels(real)).mean() < 4
    assert pixels_of(run / "reconstruction.png").shape == (h, w, 3)
    assert min(pixels_of(run / "losses.png").shape[:2]) > 300
    rows = (run / "1" / "losses.csv").read_text().splitlines()
    assert rows[0] == "d_real,d_fake,gradient_penalty,g_adversarial,g_reconstruction"
    assert len(rows) == 3
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["status"] == "finished"
    assert manifest["finished_stages"] == 2
    assert manifest["seed"] == 1
    assert {"consingan", "python", "torch"} <= set(manifest["versions"])
    assert len(manifest["seconds_per_stage"]) == 2
    assert not list(run.rglob("*.tmp"))
    assert not list(run.rglob("*.pth"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_reads_the_curves_and_pictures():
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = trained("generation", "--tensorboard")
    board = EventAccumulator(str(run / "tensorboard"))
    board.Reload()
    names = board.Tags()["scalars"]
    losses = ("d_real", "d_fake", "gradient_penalty", "g_adversarial", "g_reconstruction")
    for stage in (0, 1):
        assert {f"stage_{stage}/{name}" for name in losses} <= set(names)
    curve = [(e.step, e.value) for e in board.Scalars("all_stages/d_real")]
    assert [step for step, _ in curve] == [0, 2]
    first = (run / "0" / "losses.csv").read_text().splitlines()[1].split(",")
    assert curve[0][1] == pytest.approx(float(first[0]), rel=1e-4)
    assert [e.step for e in board.Images("samples")] == [0, 1]
    assert next(iter(board.Scalars("noise_amplitude"))).value == 1


def test_no_tensorboard_is_heeded():
    assert not (trained("generation") / "tensorboard").exists()


# ---- ways for a training to end early


@pytest.mark.parametrize(
    ("error", "expected", "code"),
    [
        (MemoryError(), "there is not enough memory", 1),
        (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling"), "there is not enough memory", 1),
        (RuntimeError("CUDA out of memory. Tried to ..."), "there is not enough memory", 1),
        (
            OSError(28, "No space left on device"),
            "cannot be read or written (No space left on device); make room there",
            1,
        ),
        (
            RuntimeError("CUDA error: unspecified launch failure\nSearch for"),
            "the GPU failed (CUDA error: unspecified launch failure); if it does so again",
            1,
        ),
        (KeyboardInterrupt(), "Stopped at once", 130),
    ],
    ids=["memory", "cuBLAS", "CUDA", "disk", "GPU", "Ctrl+C"],
)
def test_an_early_end_says_how_to_go_on(error, expected, code, capsys):
    with pytest.raises(SystemExit) as end, messages.explained(Path("My Runs/x")):
        raise error
    assert end.value.code == code
    said = capsys.readouterr().err
    assert expected in said
    assert "python main_train.py --resume --model_dir 'My Runs/x'" in said


def test_divergence_names_stage_iteration_and_remedy(capsys):
    from consingan.errors import DivergedError

    with pytest.raises(SystemExit) as end, messages.explained(Path("x")):
        raise DivergedError(2, 31, "the loss d_fake")
    assert end.value.code == 1
    said = capsys.readouterr().err
    assert "the loss d_fake is not finite at stage 3, iteration 31" in said
    assert "--batch_norm" in said


@pytest.mark.parametrize(
    "words", ["shapes do not match", "CUDA error: device-side assert triggered"]
)
def test_a_bug_is_a_traceback(words):
    with pytest.raises(RuntimeError, match=words), messages.explained(Path("x")):
        raise RuntimeError(words)


# ---- commands that are printed to be typed next


@pytest.fixture
def group():
    """The commands as a script of the user's own has them."""

    @cli.main.command("say_next")
    def say_next():
        print(*started_as("evaluate"))

    yield cli.main
    del cli.main.commands["say_next"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mine/my_mode.py", "python mine/my_mode.py evaluate"),
        ("/usr/bin/consingan", "consingan evaluate"),
    ],
)
def test_a_script_of_ones_own_is_named(group, monkeypatch, name, words):
    monkeypatch.setattr(sys, "argv", [name, "say_next"])
    result = CliRunner().invoke(group, ["say_next"], prog_name=Path(name).name)
    assert result.output.strip() == words, result.exception


def test_without_a_command_the_scripts_are_named():
    assert started_as("train") == ("python", "main_train.py")


def test_the_package_is_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "consingan", "--version"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert done.stdout.startswith("consingan")
