"""SinGAN as the program knows it: Rott Shaham et al., ICCV 2019. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from consingan.methods.contract import FineTuning, Method, Panel
from consingan.methods.singan.commands import ABSENT, ALIKE, COMMANDS
from consingan.methods.singan.config import SinGANConfig
from consingan.methods.singan.presets import PRESETS
from consingan.methods.singan.tasks import TASKS
from consingan.settings.tiles import NONE

LOSSES = ("d_real", "d_fake", "gradient_penalty", "g_adversarial", "g_reconstruction")
LISTS = ("Zs.pth", "reals.pth", "NoiseAmp.pth")  # of the authors' program


def label(config: SinGANConfig) -> str:
    """Name of a run's folder after its date."""
    parts = ["singan", config.train_mode]
    if config.fine_tune:
        parts.append(f"few-colors_{config.paint_start_scale}")
    if TASKS[config.train_mode].enlarging:
        parts.append(f"x{config.sr_factor:g}")
    if config.tile != NONE:
        parts.append(f"tile_{config.tile}")
    parts.append(f"scale_factor_{config.scale_factor:g}_alpha_{config.alpha:g}")
    return "_".join(parts)


def _as_typed(preset: dict[str, Any], typed: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG001
    return preset


FINE_TUNING = FineTuning(
    settings={},
    fixed=(
        "scale_factor",
        "min_size",
        "max_size",
        "nfc",
        "min_nfc",
        "ker_size",
        "num_layer",
        "tile",
        "channels",
        "nc_im",
    ),
    preset=_as_typed,
    sources=ALIKE,
    again=False,  # of one scale for few colors; the amplitude before it would be lost
)

REMEDIES = {
    "flat": lambda _: "Train anew with a smaller --lr_g and --lr_d, or another --manualSeed.",
    "diverged": lambda _: "Try a smaller --lr_g and --lr_d.",
    "longer": lambda config: f"Raise --niter, now {config.niter}.",
    "texture": lambda config: f"Raise --niter, now {config.niter}.",
    "copies": lambda config: (
        f"{f'Lower --alpha (now {config.alpha:g}) or raise' if config.alpha else 'Raise'} "
        f"--min_size (now {config.min_size})."
    ),
    "alike": lambda config: f"Train with a larger --min_size (now {config.min_size}).",
    "memory": lambda _: "train anew with a smaller --max_size or --nfc.",
}

PANELS = (
    Panel(
        "reconstruction loss",
        "Reconstruction: falls, then stays level.",
        {"reconstruction": ("g_reconstruction",)},
        log=True,
    ),
    Panel(
        "critic's score",
        "Critic: the gap narrows as samples get better.",
        {"real − generated": ("d_real", "-d_fake"), "gradient penalty": ("gradient_penalty",)},
    ),
)


def idle(config: SinGANConfig) -> Iterator[tuple[str, str]]:
    """Settings that change nothing beside the others."""
    task = TASKS[config.train_mode]
    if not config.naive_img:
        yield "fit", "without --naive_img"
    if not task.enlarging:
        yield "sr_factor", f"with --train_mode {config.train_mode}"
    else:
        yield "scale_factor", "with --sr_factor, which decides it"
    if not config.fine_tune:
        yield "paint_start_scale", "without --fine_tune"
        yield "quantization_colors", "without --fine_tune"


def in_short(losses: Sequence[float]) -> str:
    """Both networks' losses and the reconstruction's in a few words."""
    real, fake, penalty, adversarial, reconstruction = losses
    return f"D {fake - real + penalty:.3f} G {adversarial:.3f} rec {reconstruction:.4f}"


def find_official(path: Path) -> Path | None:
    """The folder of the authors' program that `path` is, or holds one alone; else None."""
    folders = [path, *(sorted(p for p in path.iterdir() if p.is_dir()) if path.is_dir() else [])]
    found = [folder for folder in folders if _is_official(folder)]
    return found[0] if found and (found[0] == path or len(found) == 1) else None


def _is_official(path: Path) -> bool:
    return all((path / name).is_file() for name in LISTS) and (path / "0" / "netG.pth").is_file()


def is_official(path: Path) -> bool:
    """Whether `path` looks like a run of the authors' program."""
    return find_official(path) is not None


SINGAN = Method(
    name="singan",
    title="SinGAN",
    paper="Rott Shaham, Dekel, Michaeli: SinGAN: Learning a Generative Model from a Single "
    "Natural Image, ICCV 2019",
    summary="a pyramid of small GANs, each trained alone on top of the coarser ones",
    bits=8,
    config=SinGANConfig,
    tasks=TASKS,
    presets=PRESETS,
    label=label,
    code="consingan.methods.singan.setup",
    engines={
        "auto": "the faster one",
        "plain": "the textbook loop",
        "fast": "computes the same in less time",
    },
    remedies=REMEDIES,
    losses=LOSSES,
    reconstruction="g_reconstruction",
    in_short=in_short,
    panels=PANELS,
    fine_tuning=FINE_TUNING,
    idle=idle,
    anchored=("amplitude",),
    reads=is_official,
    commands=COMMANDS,
    absent=ABSENT,
    trial={"niter": 2, "nfc": 4, "min_nfc": 4, "min_size": 16, "max_size": 30, "scale_factor": 0.6},
)
