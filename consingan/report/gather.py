"""Everything that a report shows, collected from a run."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping
from typing import Any

from consingan.machine.program import started_as
from consingan.methods.consingan.tasks import MODES
from consingan.report.material import Material, Setting
from consingan.runs.curves import read_curves
from consingan.runs.folder import MANIFEST, RunFolder
from consingan.runs.load import LoadedRun
from consingan.settings.config import Config
from consingan.settings.layers import choose
from consingan.settings.option import flag_name


def gather(run: LoadedRun) -> Material:
    """Collect what a run knows of itself; pictures and figures of samples are added to it."""
    model = run.model
    manifest: Mapping[str, Any] = {}
    if (run.path / MANIFEST).is_file():
        manifest = RunFolder.open(run.path).manifest
    curves = [losses for losses in read_curves(run.path) if len(losses["g_reconstruction"])]
    return Material(
        path=run.path,
        config=model.config,
        sizes=model.sizes,
        manifest=manifest,
        curves=curves[: len(model.sizes)],
        real=model.real.cpu(),
        reconstruction=model.reconstruction().cpu(),
    )


def settings(config: Config) -> list[Setting]:
    """All settings, those that differ from the mode's defaults first."""
    usual = choose({"mode": MODES[config.train_mode].overrides}).config
    found = [
        Setting(f"--{flag_name(f)}", getattr(config, f.name), getattr(usual, f.name))
        for f in dataclasses.fields(Config)
        if f.name not in ("input_name", "train_mode")
    ]
    mode = Setting("--train_mode", config.train_mode, Config().train_mode)
    found = [Setting("--input_name", config.input_name, ""), mode, *found]
    return sorted(found, key=lambda setting: not setting.changed)


def evaluation_command(material: Material) -> str:
    """The command that makes the same pictures again."""
    words = (*started_as("evaluate"), "--model_dir", str(material.path))
    return material.evaluation or shlex.join(words)
