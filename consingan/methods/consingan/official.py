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
from consingan.machine.execution import Execution
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.method import PARAMETERS
from consingan.methods.consingan.model import restore
from consingan.nn.discriminator import Discriminator
from consingan.nn.optimizers import part

RENAMED = {"Gsteps": "g_steps", "Dsteps": "d_steps", "manualSeed": "manual_seed"}


def read(path: Path) -> tuple[ConSinGANConfig, dict[str, Tensor]]:
    """Settings and tensors of an authors' run after its last finished stage.

    Raises:
        UserError: no stage is finished, or a file is missing or damaged.
    """
    config = read_parameters(path / PARAMETERS)
    fixed, amplitudes, reals = (
        _tensors(path / name) for name in ("fixed_noise.pth", "noise_amp.pth", "reals.pth")
    )
    for real in reals:
        if real.dim() != 4 or not real.numel() or real.is_complex():
            raise _unfit(path / "reals.pth", f"it holds a tensor {tuple(real.shape)}")
    finished = _fine_tuned(path) if config.fine_tune else _finished(path)
    stages = min(finished, len(fixed), len(amplitudes), len(reals))
    if stages == 0:
        first = config.train_stages - 1 if config.fine_tune else 0
        raise UserError(
            f"{path} has no finished stage (no {first}/netG.pth), so nothing can be loaded."
        )
    last = path / str(stages - 1)
    tensors = _weights(last / "netG.pth", "generator")
    if (last / "netD.pth").is_file():
        tensors |= _weights(last / "netD.pth", "discriminator")
    for k in range(stages):
        tensors[f"real.{k}"] = reals[k]
        tensors[f"anchor.{k}.noise"], tensors[f"anchor.{k}.amplitude"] = fixed[k], amplitudes[k]
    _refuse_misfit(config, tensors, last)
    return config, tensors


def _refuse_misfit(config: ConSinGANConfig, tensors: dict[str, Tensor], path: Path) -> None:
    """The networks that parameters.txt describes must be those of the files."""
    name = "netG.pth"
    try:
        restore(config, tensors, Execution(torch.device("cpu")))
        name = "netD.pth"
        if weights := part(tensors, "discriminator"):
            Discriminator(config.architecture).load_state_dict(weights)
    except (RuntimeError, KeyError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path / name} does not fit its {PARAMETERS} ({reason[:200]}).") from None


def read_parameters(path: Path) -> ConSinGANConfig:
    """Settings of an authors' run, lines of "name<TAB>-<TAB>value"."""
    values: dict[str, Any] = {}
    kinds = {f.name: type(f.default) for f in ConSinGANConfig.__dataclass_fields__.values()}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        name, separator, text = line.partition("\t-\t")
        name = RENAMED.get(name.strip(), name.strip())
        if separator and name in kinds:
            values[name] = _value(kinds[name], text.strip(), path)
    values["manual_seed"] = max(values.get("manual_seed", 0), 0)
    config = ConSinGANConfig(**values)
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


def _fine_tuned(path: Path) -> int:
    """Stages of a fine-tuning, which trains the last one alone: its folder holds them all."""
    names = (file.parent.name for file in path.glob("*/netG.pth"))
    return max((int(name) + 1 for name in names if name.isdecimal()), default=0)


def _load(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"{path} is missing; the run folder is incomplete.") from None
    except Exception as error:  # torch's unpickler raises anything on damaged files
        raise _unfit(path, str(error)) from None


def _unfit(path: Path, reason: str) -> UserError:
    first = (reason.splitlines() or ["unreadable"])[0]
    return UserError(f"{path} is damaged or does not hold plain tensors ({first[:200]}).")


def _tensors(path: Path) -> list[Tensor]:
    values = _load(path)
    if not isinstance(values, list):
        raise _unfit(path, f"a {type(values).__name__} instead of a list")
    try:
        return [torch.as_tensor(value) for value in values]
    except (TypeError, ValueError, RuntimeError) as error:
        raise _unfit(path, str(error)) from None


def _weights(path: Path, prefix: str) -> dict[str, Tensor]:
    """A state dict, names translated and running statistics, which we do not use, left out."""
    loaded = _load(path)
    if not isinstance(loaded, dict):
        raise _unfit(path, f"a {type(loaded).__name__} instead of a state dict")
    return {
        f"{prefix}."
        + re.sub(r"^tail\.0\.", "tail.", re.sub(r"\bblock(\d+)\.", r"\1.", str(name))): value
        for name, value in loaded.items()
        if "running_" not in str(name) and "num_batches" not in str(name)
    }
