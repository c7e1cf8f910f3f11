"""ConSinGAN as the program knows it: Hinz et al., WACV 2021. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.presets import PRESETS
from consingan.methods.consingan.tasks import TASKS
from consingan.methods.contract import FineTuning, Method, Panel

PARAMETERS = "parameters.txt"
LOSSES = ("d_real", "d_fake", "gradient_penalty", "g_adversarial", "g_reconstruction")


def label(config: ConSinGANConfig) -> str:
    """Name of a run's folder after its date, as users know it from the authors' program."""
    parts = [config.train_mode]
    if config.fine_tune:
        parts.append("fine-tune")
    parts.append(f"train_depth_{config.train_depth}_lr_scale_{config.lr_scale}")
    if config.batch_norm:
        parts.append("BN")
    parts.append(f"act_{config.activation}")
    if config.activation == "lrelu":
        parts.append(str(config.lrelu_alpha))
    return "_".join(parts)


def _fine_preset(preset: dict[str, Any], typed: Mapping[str, Any]) -> dict[str, Any]:
    """Only the finest stage is trained, so that its own count is what --niter means."""
    if "fine_niter" in preset and typed.get("niter") is not None:
        preset["fine_niter"] = typed["niter"]
    return preset


FINE_TUNING = FineTuning(
    # The run's own counts are for a whole training.
    settings={"niter": 500, "fine_niter": 0, "fine_d_steps": 0, "preset": "paper"},
    fixed=("train_stages", "nfc", "ker_size", "num_layer", "padd_size", "activation",
           "min_size", "max_size", "batch_norm", "lrelu_alpha"),
    preset=_fine_preset,
)  # fmt: skip


def _more_iterations(config: ConSinGANConfig) -> str:
    """The option that trains the fine stages longer, with its present value."""
    cut = config.train_stages > 1 and 0 < config.fine_niter < config.niter
    flag = "fine_niter" if cut else "niter"
    return f"--{flag}, now {getattr(config, flag)}"


def _more_variety(config: ConSinGANConfig) -> str:
    """What to change, with the present values, for samples that copy less."""
    ways = []
    if config.lr_scale > 0.1:
        ways.append(f"--lr_scale (now {config.lr_scale:g}; 0.1 varies more)")
    if config.train_stages > 4:
        ways.append(f"--train_stages (now {config.train_stages})")
    if config.train_depth > 3:
        ways.append(f"--train_depth (now {config.train_depth})")
    if config.min_size > 25:
        ways.append(f"--min_size (now {config.min_size})")
    return f"Lower {' or '.join(ways or [f'--alpha (now {config.alpha:g})'])}."


REMEDIES = {
    "flat": lambda _: (
        "Train anew with a smaller --lr_scale, --lr_g and --lr_d, or with --batch_norm."
    ),
    "diverged": lambda _: "Try --batch_norm, or smaller --lr_scale, --lr_g, --lr_d.",
    "longer": lambda config: f"Raise {_more_iterations(config)}.",
    "texture": lambda config: f"Raise {_more_iterations(config)}, or --train_stages.",
    "copies": _more_variety,
    "alike": lambda _: "for more variety train with a smaller --lr_scale or fewer --train_stages.",
    "memory": lambda _: "use --checkpointing, or train anew with a smaller --max_size or --nfc.",
    "still": lambda _: "Lower --alpha, --beta or --start_stage.",
    "fits": lambda _: "Try --fine_tune, or a lower --start_stage.",
    "misfits": lambda config: f"Raise {_more_iterations(config)}, or --start_stage.",
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


def idle(config: ConSinGANConfig) -> Iterator[tuple[str, str]]:
    """Settings that change nothing beside the others."""
    if not config.naive_img:
        yield "fit", "without --naive_img"
    if config.activation != "lrelu":
        yield "lrelu_alpha", f"with --activation {config.activation}"
    if config.train_stages == 1:
        idle = ("noise_amp", "train_depth", "lr_scale", "fine_niter", "fine_d_steps")
        preset = PRESETS[config.preset].keys()
        for name in (*idle, *(["preset"] if preset and preset <= set(idle) else [])):
            yield name, "with one stage"
    elif config.train_depth == 1:
        yield "lr_scale", "with --train_depth 1"
    if config.train_stages > 1 and config.fine_niter > config.niter:
        yield "fine_niter", f"above --niter {config.niter}"


def in_short(losses: Sequence[float]) -> str:
    """Both networks' losses and the reconstruction's in a few words."""
    real, fake, penalty, adversarial, reconstruction = losses
    return f"D {fake - real + penalty:.3f} G {adversarial:.3f} rec {reconstruction:.4f}"


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
    trial={"train_stages": 2, "niter": 2, "nfc": 4, "min_size": 16, "max_size": 32},
    anchored=("noise", "amplitude"),
    reads=is_official,
)
