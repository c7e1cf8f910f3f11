"""What a command notices in what was typed, and what its help says."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from consingan.cli import main, train
from consingan.cli.command import was_typed
from consingan.cli.evaluating import evaluate
from consingan.machine.program import SCRIPTS


@pytest.mark.parametrize(("pictures", "typed"), [((), False), (("a.png",), True)])
def test_no_words_were_not_typed_whatever_click_says(
    pictures: tuple[str, ...], typed: bool
) -> None:
    with click.Context(click.Command("batch")) as context:
        context.params["pictures"] = pictures
        context.set_parameter_source("pictures", click.core.ParameterSource.COMMANDLINE)
        assert was_typed("pictures") is typed


@pytest.mark.parametrize("flag", ["--tile", "--niter", "--lambda_grad", "--no_warps"])
def test_a_setting_of_a_training_is_known_to_an_evaluation(flag: str) -> None:
    refused = CliRunner().invoke(evaluate, ["--model_dir", "run", flag, "3"])
    assert refused.exit_code == 2
    assert f"{flag} is a setting of a training" in refused.output


@pytest.mark.parametrize("flag", ["--size", "--num_samples", "--scale_w", "--start_stage"])
def test_an_option_of_an_evaluation_is_known_to_a_training(flag: str) -> None:
    refused = CliRunner().invoke(train, ["--input_name", "a.png", flag, "3"])
    assert refused.exit_code == 2
    assert f"{flag} is for what is made with the trained model" in refused.output


def test_a_seed_that_is_typed_to_a_training_is_answered_with_its_flag() -> None:
    refused = CliRunner().invoke(train, ["--input_name", "a.png", "--seed", "3"])
    assert "--manual_seed" in refused.output


def test_what_no_training_has_is_no_option_of_an_evaluation() -> None:
    refused = CliRunner().invoke(evaluate, ["--model_dir", "run", "--sise", "3"])
    assert refused.exit_code == 2
    assert "No such option" in refused.output


@pytest.mark.parametrize("words", ["--help", "singan --help"])
def test_what_each_command_is_for_is_read_whole_in_a_usual_terminal(words: str) -> None:
    usual = 80 - 2  # columns: click leaves two at the edge
    shown = CliRunner().invoke(main, words.split(), terminal_width=usual).output
    _, commands, lines = shown.partition("Commands:")
    assert commands
    assert [line for line in lines.splitlines() if line.endswith("...")] == []


@pytest.mark.parametrize("name", ["sample", "metrics", "evaluate", "batch", "compare"])
def test_a_help_has_no_words_of_the_parser(name: str) -> None:
    shown = CliRunner().invoke(main, [name, "--help"]).output
    assert " RANGE" not in shown
    assert str(2**63 - 1) not in shown
    headings = {line for line in shown.splitlines() if line.endswith(":") and line[0] != " "}
    assert "Training:" not in headings
    assert ("Options:" in headings) != ("Other:" in headings)
    assert "\n  PICTURE\n" not in shown


@pytest.mark.parametrize("program", ["/bin/consingan", "main_train.py", "evaluate_model.py"])
@pytest.mark.parametrize(("name", "script"), SCRIPTS.items())
def test_the_examples_of_a_help_are_typed_as_the_program_was(
    name: str, script: str, program: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [program])
    command = main.commands[name]
    called = (main, [name]) if program.endswith("consingan") else (command, [])
    shown = CliRunner().invoke(called[0], [*called[1], "--help"], terminal_width=40).output
    start = f"consingan {name}" if command is not called[0] else f"python {script}"
    assert f"\nExamples:\n  {start} --" in shown
    assert ".py" not in shown.replace(f"python {script} --", "")


def test_a_flag_of_another_methods_authors_is_answered() -> None:
    refused = CliRunner().invoke(train, ["--input_name", "a.png", "--netG", "x.pth"])
    assert refused.exit_code == 2
    assert "train with --resume --model_dir RUN" in refused.output


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("train a.png", "'a.png' belongs to no option; --input_name names the picture"),
        ("train --input_name my dog.png", "'dog.png' belongs to no option"),
        (
            "train --resume runs/a",
            "'runs/a' belongs to no option; --input_name names the picture, "
            "--model_dir a run to go on with",
        ),
        ("evaluate runs/a", "'runs/a' belongs to no option; --model_dir names the run"),
        ("singan SR --input_name my dog.png", "'dog.png' belongs to no option"),
        ("train -input-name a.png", "Did you mean '--input_name'?"),
        ("train --input_name a.png -mask b.png", "Did you mean '--mask'?"),  # evaluate has it, too
        ("evaluate --model_dir a -naive_img b.png", "Did you mean '--naive_img'?"),
        ("sample a.png -size=3x3", "Did you mean '--size'?"),
        ("train -x", "No such option '-x'."),
        ("replay --model_dir runs/a", "replay takes RUN without a flag."),
        ("sample --input_name a.png", "sample takes PICTURE without a flag."),
        ("metrics --real a.png b.png", "metrics takes REAL SAMPLE... without a flag."),
        ("batch --input_name a.png", "of a study: name the pictures."),
    ],
)
def test_a_word_that_belongs_to_no_option_is_answered_with_how_it_is_typed(
    typed: str, said: str
) -> None:
    refused = CliRunner().invoke(main, typed.split())
    assert refused.exit_code == 2
    assert said in refused.output


def test_help_comes_before_what_is_wrong() -> None:
    assert CliRunner().invoke(main, ["train", "a.png", "--help"]).exit_code == 0


def test_what_is_completed_in_a_shell_is_not_refused() -> None:
    words = {"_CONSINGAN_COMPLETE": "bash_complete", "COMP_CWORD": "3",
             "COMP_WORDS": "consingan train foo --max_s"}  # fmt: skip
    completed = CliRunner().invoke(main, [], prog_name="consingan", env=words)
    assert "--max_size" in completed.output
