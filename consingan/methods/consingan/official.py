"""Read runs of the authors' program: parameters.txt and plain state dicts.

Nothing is unpickled except through `weights_only`; the pickled whole modules that such folders
also hold (G.pth) are never touched.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.methods.consingan.model import Anchor, Model
from consingan.methods.consingan.networks import Generator
from consingan.methods.consingan.tasks import MODES
from consingan.nn.discriminator import Discriminator
from consingan.settings.config import Config

PARAMETERS = "parameters.txt"
RENAMED = {"Gsteps": "g_steps", "Dsteps": "d_steps", "manualSeed": "manual_seed"}


def is_official(path: Path) -> bool:
    """Whether `path` looks like a run of the authors' program."""
    return (path / PARAMETERS).is_file()


def load_official(path: Path, device: torch.device | str) -> tuple[Model, Discriminator]:
    """The model of an authors' run after its last finished stage.

    Raises:
        UserError: no stage is finished, or a file is missing or damaged.
    """
    config = read_parameters(path / PARAMETERS)
    stages = _finished(path)
    fixed = _tensors(path / "fixed_noise.pth", device)
    amplitudes = _tensors(path / "noise_amp.pth", device)
    reals = _tensors(path / "reals.pth", device)
    stages = min(stages, len(fixed), len(amplitudes), len(reals))
    if stages == 0:
        raise UserError(f"{path} has no finished stage (no 0/netG.pth), so nothing can be loaded.")
    generator = Generator(config.shape, MODES[config.train_mode].border)
    while generator.stages < stages:
        generator.grow()
    discriminator = Discriminator(config.shape)
    last = path / str(stages - 1)
    _fill(generator, last / "netG.pth")
    if (last / "netD.pth").is_file():
        _fill(discriminator, last / "netD.pth")
    anchors = [
        Anchor(reals[k].to(device), fixed[k].to(device), float(amplitudes[k]))
        for k in range(stages)
    ]
    return Model(config, generator.to(device), anchors), discriminator.to(device)


def read_parameters(path: Path) -> Config:
    """Settings of an authors' run, lines of "name<TAB>-<TAB>value"."""
    values: dict[str, Any] = {}
    kinds = {f.name: type(f.default) for f in Config.__dataclass_fields__.values()}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        name, separator, text = line.partition("\t-\t")
        name = RENAMED.get(name.strip(), name.strip())
        if separator and name in kinds:
            values[name] = _value(kinds[name], text.strip(), path)
    values["manual_seed"] = max(values.get("manual_seed", 0), 0)
    config = Config(**values)
    config.check()
    return config


def _value(kind: type, text: str, path: Path) -> Any:
    try:
        if kind is bool:
            return text in ("1", "True")
        if kind is int:
            return int(float(text)) if text not in ("", "None") else 0
        return kind(text)
    except (ValueError, OverflowError):
        raise UserError(f"{path} holds the value {text!r}, which is not a number.") from None


def _finished(path: Path) -> int:
    stages = 0
    while (path / str(stages) / "netG.pth").is_file():
        stages += 1
    return stages


def _load(path: Path, device: torch.device | str) -> Any:
    try:
        return torch.load(path, map_location=device, weights_only=True)
    except FileNotFoundError:
        raise UserError(f"{path} is missing; the run folder is incomplete.") from None
    except Exception as error:  # torch's unpickler raises anything on damaged files
        raise _unfit(path, str(error)) from None


def _unfit(path: Path, reason: str) -> UserError:
    first = (reason.splitlines() or ["unreadable"])[0]
    return UserError(f"{path} is damaged or does not hold plain tensors ({first[:200]}).")


def _tensors(path: Path, device: torch.device | str) -> list[Tensor]:
    values = _load(path, device)
    if not isinstance(values, list):
        raise _unfit(path, f"a {type(values).__name__} instead of a list")
    try:
        return [torch.as_tensor(value) for value in values]
    except (TypeError, ValueError, RuntimeError) as error:
        raise _unfit(path, str(error)) from None


def _fill(network: torch.nn.Module, path: Path) -> None:
    """Load a state dict, names translated and running statistics, which we do not use, left out."""
    loaded = _load(path, "cpu")
    if not isinstance(loaded, dict):
        raise _unfit(path, f"a {type(loaded).__name__} instead of a state dict")
    weights = {
        re.sub(r"^tail\.0\.", "tail.", re.sub(r"\bblock(\d+)\.", r"\1.", str(name))): value
        for name, value in loaded.items()
        if "running_" not in str(name) and "num_batches" not in str(name)
    }
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path} does not fit its {PARAMETERS} ({reason[:200]}).") from None
