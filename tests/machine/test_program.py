"""What starts a process that knows what this one does."""

from __future__ import annotations

import ast
import contextvars
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import consingan
from consingan.machine.program import SCRIPTS, started_as, starter, tell_threads

OURS = (sys.executable, "-m", "consingan")


def commands() -> click.Group:
    """Stand-ins for ours: each says what would start a process."""
    group = click.Group("consingan")
    for name in ("train", "evaluate", "web"):
        group.add_command(click.Command(name, callback=lambda: click.echo("\n".join(starter()))))
    return group


@pytest.mark.parametrize(
    ("typed", "called", "nested", "by_script"),
    [
        (["mine.py", "web"], ["web"], False, True),  # hands on what was typed
        (["mine.py"], ["web"], False, False),  # opens the page by itself
        (["mine.py", "8080"], ["web"], False, False),
        (["mine.py", "gan", "web"], ["gan", "web"], True, False),  # has no `train` of its own
        (["/bin/consingan", "web"], ["web"], False, False),
        (["/lib/consingan/__main__.py", "web"], ["web"], False, False),
    ],
)
def test_a_script_starts_another_command_only_if_it_hands_on_what_is_typed(
    monkeypatch: pytest.MonkeyPatch,
    typed: list[str],
    called: list[str],
    nested: bool,
    by_script: bool,
) -> None:
    monkeypatch.setattr(sys, "argv", typed)
    program = click.Group("mine", commands={"gan": commands()}) if nested else commands()
    words = tuple(CliRunner().invoke(program, called).output.split("\n")[:-1])
    assert (words[:1] == OURS[:1] and words[1].endswith("mine.py")) == by_script
    assert (words == OURS) != by_script


def test_threads_that_are_told_name_the_program_that_was_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where the scripts lie in the folder that it was started in."""
    monkeypatch.chdir(Path(consingan.__file__).parents[1])
    monkeypatch.setattr(sys, "argv", ["/bin/consingan", "web"])

    def by_a_thread() -> None:
        with ThreadPoolExecutor(1) as threads:
            tell_threads()
            handed_on = contextvars.copy_context()
            click.echo(" ".join(threads.submit(handed_on.run, started_as, "evaluate").result()))

    group = click.Group("consingan", commands={"web": click.Command("web", callback=by_a_thread)})
    told = contextvars.copy_context().run(CliRunner().invoke, group, ["web"])
    assert told.output == "consingan evaluate\n"


def test_no_fixed_sentence_names_a_script_that_may_not_be_there() -> None:
    for path in Path(consingan.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        notes = {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)
        }  # docstrings, which are for whoever reads the code
        texts = {n for n in ast.walk(tree) if isinstance(n, ast.Constant)} - notes
        named = {n.value for n in texts if any(s in str(n.value) for s in SCRIPTS.values())}
        assert named <= set(SCRIPTS.values()), path
