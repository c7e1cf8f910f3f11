"""Everything that a report shows, collected from a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from consingan.images.hole import emptied
from consingan.images.names import shown
from consingan.machine.program import command_line, started_as
from consingan.methods.choose import default_task
from consingan.methods.contract import HasHole, HasTrainedPart, Reconstructs
from consingan.methods.registry import method_of
from consingan.outputs.reconstruction import reconstruction
from consingan.report.material import Material, Setting
from consingan.runs.curves import length, read_curves
from consingan.runs.folder import RunFolder
from consingan.runs.load import LoadedRun
from consingan.runs.manifest import MANIFEST
from consingan.settings.config import DEFAULT_METHOD, Config
from consingan.settings.layers import choose
from consingan.settings.option import flag_name
from consingan.settings.reading import FULL_8


def gather(run: LoadedRun) -> Material:
    """Collect what a run knows of itself; pictures and figures of samples are added to it."""
    model = run.model
    manifest: Mapping[str, Any] = {}
    if (run.path / MANIFEST).is_file():
        manifest = RunFolder.open(run.path).manifest
    curves = read_curves(run.path)
    told = [n for n, losses in curves.items() if length(losses) and n < len(model.sizes)]
    return Material(
        path=run.path,
        config=model.config,
        sizes=model.sizes,
        manifest=manifest,
        curves={stage: curves[stage] for stage in told},
        stages=model.stages,
        real=model.real.cpu(),
        reconstruction=_given_back(model),
        sketch=_sketch(model),
        weights=run.weights,
        starts=getattr(model, "starts", ()),
        replayed=_is_filled_otherwise(model),
    )


def _given_back(model: Any) -> Tensor | None:
    return reconstruction(model) if isinstance(model, Reconstructs) else None


def _sketch(model: Any) -> tuple[Tensor, Tensor] | None:
    part = model.trained_part if isinstance(model, HasTrainedPart) else None
    returned = _given_back(part)
    return None if part is None or returned is None else (part.real.cpu(), returned)


def _is_filled_otherwise(model: Any) -> bool:
    around = model.holed if isinstance(model, HasHole) else None
    return around is not None and around.smooth is not emptied


def settings(config: Config) -> list[Setting]:
    """All settings, those that differ from the task's defaults first."""
    method = method_of(config.method)
    usual = choose(method.config, {"task": method.tasks[config.train_mode].overrides}).config
    if config.value_range == FULL_8:  # nobody typed it: 1.0 knew nothing else
        usual = usual.replace(value_range=FULL_8)
    found = [
        Setting(f"--{flag_name(f)}", getattr(config, f.name), getattr(usual, f.name))
        for f in dataclasses.fields(config)
        if f.name not in ("input_name", "method", "train_mode")
    ]
    task = Setting("--train_mode", config.train_mode, default_task(method))
    how = Setting("--method", config.method, DEFAULT_METHOD)
    found = [Setting("--input_name", shown(config.input_name), ""), how, task, *found]
    return sorted(found, key=lambda setting: not setting.changed)


def evaluation_command(material: Material) -> str:
    """The command that makes the same pictures again."""
    words = (*started_as("evaluate"), "--model_dir", str(material.path))
    return material.evaluation or command_line(words)
