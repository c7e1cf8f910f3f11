"""The shell blocks of README and documentation: found, split, and run tiny in this process."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner, Result
from PIL import Image, UnidentifiedImageError

from consingan.cli import main
from consingan.cli.evaluating import evaluate
from consingan.cli.training import train
from consingan.runs.newest import find_run

ROOT = Path(__file__).parent.parent
TINY: dict[str, Any] = {
    "train_stages": 2, "niter": 2, "nfc": 4, "min_size": 16, "max_size": 32,
    "device": "cpu", "precision": "float32",
}  # fmt: skip
TINY_TRAINING = (
    "--niter 2 --fine_niter 0 --nfc 4 --max_size 32 --min_size 16 --train_stages 2 --manualSeed 1"
)
TINY_OF_ANY_METHOD = "--niter 2 --max_size 32 --manualSeed 1"
TINY_OF = {"singan": "--max_size 44", "dcgan": "--ngf 4 --ndf 4 --batch 2"}
TINY_FINE_TUNING = "--niter 2"
TINY_EVALUATION = "--num_samples 2 --frames 2"
TINY_STUDY = (
    "--set niter=2 --set nfc=4 --set max_size=32 --set min_size=16 --set train_stages=2 "
    "--num_samples 0 --device cpu"
)
TINY_SAMPLE = "-n 1 --max_size 24"
TINY_BENCHMARK = "--niter 2 --nfc 4 --max_size 32 --min_size 16 --train_stages 2 --samples 2"
OWN = "your_photo.jpg"
LONGEST = 90  # px of the pictures' longer sides
PREFIXES = ("srun",)  # run what follows somewhere else


def shell_commands(text: str) -> list[list[str]]:
    """Command lines in a page's shell blocks, continued lines joined."""
    blocks = re.findall(r"```(?:bash|sh|console)\n(.*?)```", text, re.S)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    split = [shlex.split(line, comments=True) for line in lines]
    return [words[1:] if words[0] in PREFIXES else words for words in split if words]


def programs(text: str) -> list[str]:
    """Python blocks of a page."""
    return re.findall(r"```python\n(.*?)```", text, re.S)


def program(words: list[str]) -> tuple[str, list[str]]:
    """What a command runs, in our words ("train", "benchmarks.quality"), and its arguments."""
    if words[:2] == ["python", "-m"]:
        return words[2], words[3:]
    if words[0] == "python" and Path(words[1]).parent.name == "examples":
        return f"{words[1]} {words[2]}", words[3:]
    if words[0] == "python":
        names = {"main_train.py": "train", "evaluate_model.py": "evaluate"}
        return names.get(words[1], words[1]), words[2:]
    if words[0] == "consingan":
        return words[1], words[2:]
    return words[0], words[1:]


def small_images(folder: Path) -> None:
    """`Images` as they are, in `folder`, but so small that nothing takes long at full size.

    And one that stands for the reader's own.
    """
    for path in (ROOT / "Images").rglob("*.*"):
        with contextlib.suppress(UnidentifiedImageError), Image.open(path) as picture:
            shorter = LONGEST / max(picture.size)
            size = [round(shorter * side) for side in picture.size]
            target = folder / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            # Masks and layouts keep their values.
            picture.resize(size, Image.Resampling.NEAREST).save(target, quality=95)
    shutil.copy(folder / "Images" / "Generation" / "stone_wall.jpg", folder / OWN)


def is_ours(words: list[str]) -> bool:
    name = program(words)[0].split()[0]
    return name in (*main.commands, "benchmarks.quality") or name.startswith("examples/")


@dataclass
class Workplace:
    """Runs commands in the present folder, one after the other, as they stand in the text.

    Attributes:
        done: commands that were run, which are not run again with the same run's folder.
    """

    done: set[str] = field(default_factory=set)

    def run(self, words: list[str]) -> Result | None:
        """Run one command tiny; None if it was run before."""
        name, arguments = program(words)
        key = shlex.join([name, *map(_meant, arguments)])
        if key in self.done:
            return None
        self.done.add(key)
        return CliRunner().invoke(*self._invocation(name, arguments))

    def _invocation(self, name: str, arguments: list[str]) -> tuple[click.Command, list[str]]:
        if name == "train":
            return train, [*arguments, *_tiny(arguments)]
        if name == "evaluate":
            return evaluate, [*_with_snapshot(arguments), *shlex.split(TINY_EVALUATION)]
        if name == "benchmarks.quality":
            from benchmarks import quality

            return quality.main, [*arguments, *shlex.split(TINY_BENCHMARK)]
        if name == "batch":
            tiny = shlex.split(TINY_STUDY) if arguments[0] != "--output_dir" else []
            return main, [name, *arguments, *tiny]
        if name.startswith("examples/"):
            script, _, command = name.partition(" ")
            load_example(script)
            return self._invocation(command, arguments)
        if name == "web":  # serves for ever; that its flags are right is seen all the same
            return main, [name, *arguments, "--help"]
        if name == "sample":
            return main, [name, *_small(arguments), *shlex.split(TINY_SAMPLE)]
        return main, [name, *arguments]


def _meant(argument: str) -> str:
    """The run's folder that an argument as TrainedModels/demo/... now stands for, else itself."""
    path = Path(argument)
    return str(find_run(path, path)) if path.name == "..." else argument


def load_example(script: str) -> None:
    """Run a script of examples/ as an import does, so that its rows are in the tables."""
    path = ROOT / script
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)


def _tiny(arguments: list[str]) -> list[str]:
    if "--resume" in arguments:
        return []
    if "--method" in arguments:
        own = TINY_OF.get(arguments[arguments.index("--method") + 1], "")
        return shlex.split(f"{TINY_OF_ANY_METHOD} {own}")
    return shlex.split(TINY_FINE_TUNING if "--fine_tune" in arguments else TINY_TRAINING)


def _with_snapshot(arguments: list[str]) -> list[str]:
    """A tiny fine-tuning has the snapshot of its last iteration alone."""
    last = TINY_FINE_TUNING.split()[-1]
    after = [False, *(a == "--iteration" for a in arguments[:-1])]
    return [last if here else a for a, here in zip(arguments, after, strict=True)]


def _small(arguments: list[str]) -> list[str]:
    """A sixth of the size that is asked for."""

    def sixth(size: str) -> str:
        return "x".join(str(int(side) // 6) for side in size.split("x"))

    after = [False, *(a == "--size" for a in arguments[:-1])]
    return [sixth(a) if here else a for a, here in zip(arguments, after, strict=True)]


def links(text: str) -> Iterator[str]:
    """Targets of the links and pictures of a page in Markdown, code left out."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.S)
    for found in re.finditer(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", text):
        target = found.group(1) or found.group(2)
        if not target.startswith(("http", "mailto")):
            yield target


def anchors(text: str) -> set[str]:
    """The names of a page's headings in links, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    headings = re.findall(r"^#+ +(.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", h).strip().lower().replace(" ", "-") for h in headings}
