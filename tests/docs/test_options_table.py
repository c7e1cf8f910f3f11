"""The page of options says of every method what its table says."""

from __future__ import annotations

import dataclasses
import re
import shlex
from typing import Any

import pytest
from click.testing import CliRunner
from commands_in_text import ROOT

from consingan.cli import main
from consingan.methods.registry import METHODS
from consingan.settings.option import flag_name

PAGE = (ROOT / "docs" / "options.md").read_text("utf-8")


def rows(title: str) -> dict[str, list[str]]:
    """Cells of the rows of options below a heading, by the first flag of each."""
    text = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| (`--.*) \|$", text, re.M)
    cells = [re.split(r"(?<!\\) \| ", line) for line in lines]
    return {row[0].split("`")[1]: row for row in cells}


def stated(field: dataclasses.Field[Any]) -> str:
    """How the page writes a default."""
    if field.metadata["shown"]:
        return str(field.metadata["shown"])
    if isinstance(field.default, bool):
        return "on" if field.default else "off"
    return f"`{field.default}`" if field.default != "" else "–"


@pytest.mark.parametrize("name", METHODS)
def test_every_default_of_a_method_stands_on_the_page(name: str) -> None:
    method = METHODS[name]
    listed = {**rows("Training"), **rows(method.title)}
    for field in dataclasses.fields(method.config):
        if field.name != "method":
            assert listed[f"--{flag_name(field)}"][1] == stated(field), field.name


def test_what_a_method_has_as_all_have_it_is_listed_once() -> None:
    assert "--fit" in rows("Training")
    assert not any("--fit" in rows(method.title) for method in METHODS.values())
    assert "--max_size" not in rows("ConSinGAN")


@pytest.mark.parametrize("name", METHODS)
def test_presets_are_written_as_they_are_typed(name: str) -> None:
    """Each is taken by the command line up to where the picture is looked for."""
    presets = PAGE.partition(f"### {METHODS[name].title}: presets\n")[2].partition("\n## ")[0]
    for line in re.findall(r"^\| `\w+`.*? \| (`--.*) \|$", presets, re.M):
        words = shlex.split(" ".join(re.findall(r"`([^`]+)`", line)))
        done = CliRunner().invoke(main, ["train", "--method", name, *words])
        assert "--input_name is missing" in done.output, (words, done.output)


def test_ranges_are_whole() -> None:
    assert "None" not in PAGE
    assert rows("SinGAN")["--sr_factor"][2] == "above 1, up to 64"


def test_a_default_in_words_is_that_of_the_help() -> None:
    crop = "[default: 128 above 512x512 px, else 0]"
    done = CliRunner().invoke(main, ["train", "--method", "consingan", "--help"])
    assert crop in " ".join(done.output.split())
    assert "--range MIN,MAX " in done.output
    assert "MIN,MAX,deep" in done.output


def test_every_tasks_radius_of_a_mask_is_told() -> None:
    told = rows("Evaluation")["--mask_dilation"][1]
    for method in METHODS.values():
        for name, task in method.tasks.items():
            if task.takes_naive and task.mask_dilation:
                (said,) = (part for part in told.split(", ") if part.endswith(name))
                assert str(task.mask_dilation) in re.findall(r"\d+", said)
    assert told.startswith("7 (3 with patches) in harmonization, 20 in editing,")
