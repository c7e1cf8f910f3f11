"""What a visitor filled in becomes a training: settings, their check, their cost, their command."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consingan.errors import UserError
from consingan.machine.execution import Execution, Wanted, choose_execution, settled
from consingan.machine.program import command_line, started_as
from consingan.machine.progress import in_words
from consingan.methods.choose import choose_settings
from consingan.methods.command import execution_words
from consingan.methods.contract import Method
from consingan.methods.registry import method_of
from consingan.settings.config import Config
from consingan.training.outlook import seconds_of
from consingan.training.prepare import Job, prepare
from consingan.web.fields import OF_COMMANDS, Row, label_of, typed, words

CHOSEN = ("method", "train_mode", "preset", "max_size")
ELSEWHERE = (*CHOSEN, "input_name", *OF_COMMANDS)
"""Settings that have a place of their own on the page, or none."""
SUGGESTED = "fast"  # of presets, where a method has it
MEBI = 2**20


def shown_rows(method: Method) -> list[Row]:
    """Settings of a method that stand under "More"."""
    rows = method.config.__dataclass_fields__.values()
    return [row for row in rows if row.name not in ELSEWHERE]


def names_picture(row: Row) -> bool:
    """Whether a setting names a file; on the page a picture is brought instead."""
    return bool(row.default == "" and not row.metadata["choices"])


def takes_words(row: Row) -> bool:
    """Whether words may stand in place of the file."""
    return bool(row.metadata["kind"] == "words")


def default_preset(method: Method) -> str:
    """What counts where nobody chooses."""
    return str(method.config.__dataclass_fields__["preset"].default)


def suggested_preset(method: Method) -> str:
    """What a first training is begun with: the quick one, where the method has that."""
    return SUGGESTED if SUGGESTED in method.presets else default_preset(method)


def recommended(method: str, task: str, preset: str) -> Config:
    """What counts where nothing else is filled in."""
    config: Config = choose_settings(
        {"method": method, "train_mode": task, "preset": preset}
    ).config
    return config


def checked_words(row: Row, text: str) -> str:
    """Words in place of a picture, such as "edges"; never the name of a file.

    Raises:
        UserError: it could be one.
    """
    text = text.strip()
    if text and (not re.fullmatch(r"[a-z]+(:\d+)?", text) or Path(text).exists()):
        raise UserError(f"{label_of(row)}: bring a picture, a file cannot be named here.")
    return text


def settings_of(chosen: Mapping[str, Any], filled: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as a training takes them, without what is recommended anyhow.

    Args:
        chosen: method, train_mode, preset and max_size.
        filled: what stands under "More", by field.

    Raises:
        UserError: something cannot work.
    """
    method = method_of(chosen["method"])
    best = recommended(method.name, chosen["train_mode"], chosen["preset"])
    named = {name: str(chosen[name]) for name in ("method", "train_mode", "preset")}
    size = {"max_size": int(chosen["max_size"])} if chosen["max_size"] else {}
    return {**named, **size, **typed(method.config, filled, best)}


def prepared(settings: Mapping[str, Any]) -> Job:
    """Look whether it can be trained; nothing is written.

    Raises:
        UserError: it cannot.
    """
    wanted = Wanted()
    seed = {"manual_seed": 0} if "manual_seed" not in settings else {}
    return prepare({**settings, **seed}, settled(choose_execution(wanted), wanted))


@dataclass(frozen=True)
class Cost:
    """What a training takes.

    Attributes:
        size: the finest (h, w) in px.
        seconds: 0: there is nothing to be trained; None: too large for memory to be timed.
        memory: bytes; None: unknown.
        notes: sentences on the training.
    """

    size: tuple[int, int]
    seconds: float | None
    memory: int | None
    notes: tuple[str, ...] = ()

    def in_words(self) -> str:
        """A line for the page."""
        height, width = self.size
        found = [f"{width} x {height} px"]
        if self.seconds is None:
            found.append("too large for the memory that is free")
        else:
            time = f"about {in_words(self.seconds)}"
            found.append(time if self.seconds else "nothing to be trained")
        if self.memory is not None:
            found.append(f"about {self.memory / MEBI:.0f} MiB of memory")
        return ", ".join(found)


def cost_of(job: Job) -> Cost:
    """By a few iterations on networks that are thrown away."""
    return Cost(job.training.sizes[-1], seconds_of(job), job.training.peak_memory(), job.notes)


def train_words(settings: Mapping[str, Any], root: Path) -> tuple[str, ...]:
    """The command that trains."""
    table = method_of(settings.get("method")).config
    return ("train", *words(table, settings), "--output_dir", str(root))


def evaluate_words(
    run: Path | str, request: type, options: Mapping[str, Any], judged: bool = False
) -> tuple[str, ...]:
    """The command that makes something with a run, by options of its output's `request`."""
    asked = words(request, options)
    return ("evaluate", "--model_dir", str(run), *asked, *(() if judged else ("--no_metrics",)))


def as_typed(evaluating: tuple[str, ...], execution: Execution) -> str:
    """An evaluation's command in full, executed as here, for the records of what was made."""
    how = {name: value for name, value in execution.to_json().items() if name != "engine"}
    return command_line((*started_as(evaluating[0]), *evaluating[1:], *execution_words(how)))


def resume_words(run: Path) -> tuple[str, ...]:
    """The command that goes on with a run."""
    return ("train", "--resume", "--model_dir", str(run))
