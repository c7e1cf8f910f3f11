"""Words as they were typed, and as they are meant."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from consingan.cli.command import joined, was_typed
from consingan.cli.evaluating import evaluate


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (["--mask", "auto_color", "255,0,0"], ["--mask", "auto_color:255,0,0"]),
        (["--mask", "auto_color", "--niter", "3"], ["--mask", "auto_color", "--niter", "3"]),
        (["--mask", "auto_color"], ["--mask", "auto_color"]),
        (["a", "b", "1,2,3"], ["a", "b", "1,2,3"]),
    ],
)
def test_a_color_of_a_mask_may_stand_apart(typed: list[str], read: list[str]) -> None:
    assert list(joined(typed)) == read


def test_the_users_folder_is_meant_where_a_shell_leaves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("USERPROFILE", "/home/me")
    words = ["--model_dir", "~/run", "--naive_img=~/a=b.png", "~", "a~/b", "x=~/c"]
    assert list(joined(words)) == [
        "--model_dir", "/home/me/run", "--naive_img=/home/me/a=b.png", "~", "a~/b", "x=~/c",
    ]  # fmt: skip


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


def test_what_no_training_has_is_no_option_of_an_evaluation() -> None:
    refused = CliRunner().invoke(evaluate, ["--model_dir", "run", "--sise", "3"])
    assert refused.exit_code == 2
    assert "No such option" in refused.output
