"""Every command of the README is run, with settings so small that it takes seconds."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from consingan.cli import evaluate, main, train

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
TINY_TRAINING = "--niter 2 --nfc 4 --max_size 44 --min_size 16 --train_stages 2 --manualSeed 1"
TINY_FINE_TUNING = "--niter 2"
TINY_EVALUATION = "--num_samples 2 --frames 2"
PLACEHOLDER = re.compile(r"TrainedModels/\S*\.\.\.")


def commands() -> list[list[str]]:
    """Command lines in the README's shell blocks, continued lines joined."""
    blocks = re.findall(r"```(?:bash|sh|console)\n(.*?)```", README.read_text("utf-8"), re.S)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    split = [shlex.split(line, comments=True) for line in lines]
    return [words for words in split if words]


def run(words: list[str], runs: dict[str, Path]) -> Result:
    """Run one command of the program in the present folder, made tiny."""
    command, arguments = words[0], words[1:]
    if command == "python":
        command, arguments = arguments[0], arguments[1:]
    elif command == "consingan":
        command, arguments = f"consingan {arguments[0]}", arguments[1:]
    arguments = [str(runs[folder_of(a)]) if PLACEHOLDER.fullmatch(a) else a for a in arguments]
    if command in ("main_train.py", "consingan train"):
        if "--resume" in arguments:
            tiny = ""
        else:
            tiny = TINY_FINE_TUNING if "--fine_tune" in arguments else TINY_TRAINING
        return CliRunner().invoke(train, [*arguments, *shlex.split(tiny)])
    if command in ("evaluate_model.py", "consingan evaluate"):
        return CliRunner().invoke(evaluate, [*arguments, *shlex.split(TINY_EVALUATION)])
    return CliRunner().invoke(main, [command.split()[1], *arguments])


def folder_of(placeholder: str) -> str:
    """ "TrainedModels/starry_village/..." -> "starry_village"."""
    return Path(placeholder).parts[1]


def is_ours(words: list[str]) -> bool:
    return words[0] == "consingan" or words[:2] in (
        ["python", "main_train.py"],
        ["python", "evaluate_model.py"],
    )


def test_there_are_commands() -> None:
    programs = [words[1] for words in commands() if words[0] == "python"]
    assert programs.count("main_train.py") >= 6
    assert programs.count("evaluate_model.py") >= 4


def test_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, in one folder, so that later commands find the runs of earlier ones."""
    (tmp_path / "Images").symlink_to(ROOT / "Images")
    monkeypatch.chdir(tmp_path)
    runs: dict[str, Path] = {}
    for words in filter(is_ours, commands()):
        result = run(words, runs)
        failed_rightly = "--resume" in words and "is finished" in result.output
        assert result.exit_code == 0 or failed_rightly, f"{shlex.join(words)}\n{result.output}"
        for folder in Path("TrainedModels").glob("*/*/"):
            name = folder.parent.name
            known = runs.get(name, folder)
            if "fine-tune" not in folder.name:
                runs[name] = max(known, folder)
    assert runs


def test_links_inside_the_repository_resolve() -> None:
    text = README.read_text("utf-8")
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)|src=\"([^\"]+)\"", text)
    inside = [a or b for a, b in targets if not (a or b).startswith(("http", "mailto"))]
    assert inside
    for target in inside:
        assert (ROOT / target).exists(), target


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = [words[1] for words in commands() if words[0] == "make"]
    assert {"demo", "test"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.M), target
