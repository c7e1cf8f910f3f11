"""Every command of the README is run, with settings so small that it takes seconds."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from commands_in_text import (
    ROOT,
    TINY,
    Workplace,
    is_ours,
    program,
    programs,
    shell_commands,
    small_images,
)

import consingan
from consingan.api import train as api

TEXT = (ROOT / "README.md").read_text("utf-8")
COMMANDS = shell_commands(TEXT)


def test_there_are_commands() -> None:
    programs = [program(words)[0] for words in COMMANDS]
    assert programs.count("train") >= 6
    assert programs.count("evaluate") >= 4


def test_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, in one folder, so that later commands find the runs of earlier ones."""
    small_images(tmp_path)
    monkeypatch.chdir(tmp_path)
    place = Workplace()
    for words in filter(is_ours, COMMANDS):
        result = place.run(words)
        if result is None:
            continue
        failed_rightly = "--resume" in words and "is finished" in result.output
        assert result.exit_code == 0 or failed_rightly, f"{shlex.join(words)}\n{result.output}"
    assert list(Path("TrainedModels").rglob("manifest.json"))


def test_programs_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_images(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(consingan, "train", lambda image, **s: api.train(image, **{**s, **TINY}))
    for block in programs(TEXT):
        exec(compile(block, "README.md", "exec"), {})


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = [words[1] for words in COMMANDS if words[0] == "make"]
    assert {"demo", "test"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.M), target
