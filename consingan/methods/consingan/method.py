"""ConSinGAN as the program knows it: Hinz et al., WACV 2021. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.effort import layout_stages
from consingan.methods.consingan.presets import PRESETS
from consingan.methods.consingan.remedies import REMEDIES
from consingan.methods.consingan.tasks import TASKS
from consingan.methods.contract import FineTuning, Method, Panel, Size, Task
from consingan.settings.hole import pictures_of
from consingan.settings.tiles import NONE

PARAMETERS = "parameters.txt"
LOSSES = ("d_real", "d_fake", "gradient_penalty", "g_adversarial", "g_reconstruction")
SLICED = "g_sliced"  # after them, where --sw_weight is not 0


def label(config: ConSinGANConfig) -> str:
    """Name of a run's folder after its date, as users know it from the authors' program."""
    parts = [config.train_mode]
    if config.fine_tune:
        parts.append("fine-tune")
    parts.append(f"train_depth_{config.train_depth}_lr_scale_{config.lr_scale}")
    if config.batch_norm:
        parts.append("BN")
    if config.tile != NONE:
        parts.append(f"tile_{config.tile}")
    parts.append(f"act_{config.activation}")
    if config.activation == "lrelu":
        parts.append(str(config.lrelu_alpha))
    return "_".join(parts)


def _fine_preset(preset: dict[str, Any], typed: Mapping[str, Any]) -> dict[str, Any]:
    """Only the finest stage is trained, so that its own count is what --niter means.

    Weights are there already: how first ones are drawn is the run's.
    """
    preset.pop("init", None)
    if "fine_niter" in preset and typed.get("niter") is not None:
        preset["fine_niter"] = typed["niter"]
    return preset


FINE_TUNING = FineTuning(
    # The run's own counts are for a whole training.
    settings={"niter": 500, "fine_niter": 0, "fine_d_steps": 0, "preset": "paper"},
    fixed=("train_stages", "nfc", "ker_size", "num_layer", "padd_size", "activation",
           "min_size", "max_size", "crop", "batch_norm", "lrelu_alpha", "init", "channels",
           "nc_im", "mask"),
    preset=_fine_preset,
)  # fmt: skip


PANELS = (
    Panel(
        "reconstruction loss",
        "Reconstruction: falls, then stays level.",
        {"reconstruction": ("g_reconstruction",)},
        log=True,
    ),
    Panel(
        "critic's score",
        "Critic: how much higher it scores the image than what is made. That settles where "
        "the two networks balance, and does not tell how good samples are.",
        {"real − generated": ("d_real", "-d_fake"), "gradient penalty": ("gradient_penalty",)},
    ),
)


def idle(config: ConSinGANConfig) -> Iterator[tuple[str, str]]:
    """Settings that change nothing beside the others."""
    if not config.naive_img:
        yield "fit", "without --naive_img"
    if config.activation != "lrelu":
        yield "lrelu_alpha", f"with --activation {config.activation}"
    if config.train_stages == 1:
        idle = ("noise_amp", "train_depth", "lr_scale", "fine_niter", "fine_d_steps", "layout")
        preset = {**PRESETS, **TASKS[config.train_mode].presets}[config.preset].keys()
        for name in (*idle, *(["preset"] if preset and preset <= set(idle) else [])):
            yield name, "with one stage"
    elif config.train_depth == 1:
        yield "lr_scale", "with --train_depth 1"
    yield from _idle_at_a_finish(config)
    if config.train_stages > 1 and config.fine_niter > config.niter:
        yield "fine_niter", f"above --niter {config.niter}"


def _idle_at_a_finish(config: ConSinGANConfig) -> Iterator[tuple[str, str]]:
    if TASKS[config.train_mode].output != Task.output:
        yield "finish", f"with --train_mode {config.train_mode}"
    elif config.mask:
        yield "finish", "with --mask"
    if not config.finished:
        for name in ("finish_within", "layout"):
            if getattr(config, name):
                yield name, "without --finish"
    elif config.layout:
        for name in ("fine_niter", "fine_d_steps"):
            yield name, f"with --layout {config.layout}: finer stages are only begun"


def effective(config: ConSinGANConfig, sizes: Sequence[Size]) -> ConSinGANConfig:
    """Without a layout than which no stage is finer, which 1.7.0 kept in a run's settings."""
    return config if layout_stages(config, sizes) else config.replace(layout=0)


def losses_of(config: ConSinGANConfig) -> tuple[str, ...]:
    """Names of the losses of an iteration, in order."""
    return (*LOSSES, SLICED) if config.sw_weight else LOSSES


def in_short(losses: Sequence[float]) -> str:
    """Both networks' losses and the reconstruction's in a few words."""
    real, fake, penalty, adversarial, reconstruction, *sliced = losses
    more = "".join(f" sw {loss:.4f}" for loss in sliced)
    return f"D {fake - real + penalty:.3f} G {adversarial:.3f} rec {reconstruction:.4f}{more}"


def is_official(path: Path) -> bool:
    """Whether `path` looks like a run of the authors' program."""
    return (path / PARAMETERS).is_file()


CONSINGAN = Method(
    name="consingan",
    title="ConSinGAN",
    paper="Hinz, Fisher, Wang, Wermter: Improved Techniques for Training Single-Image GANs, "
    "WACV 2021",
    summary="a generator grown stage by stage, its newest stages trained together",
    config=ConSinGANConfig,
    tasks=TASKS,
    presets=PRESETS,
    label=label,
    code="consingan.methods.consingan.setup",
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
    counts=("niter", "fine_niter"),
    idle=idle,
    effective=effective,
    trial={"train_stages": 2, "niter": 2, "nfc": 4, "min_size": 16, "max_size": 32},
    anchored=("noise", "amplitude"),
    reads=is_official,
    pictures=pictures_of,
)
