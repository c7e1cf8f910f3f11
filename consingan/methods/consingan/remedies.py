"""What to change when a ConSinGAN disappoints, in its own flags with their present values.

No advice names a value that is there already: what cannot be lowered any more is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from consingan.methods.consingan.config import WINDOW, ConSinGANConfig
from consingan.methods.contract import Remedy

USUAL_RATE = 5e-4
"""The paper's learning rate of both networks. At 0.01 and more both stages of a small training
ended in one flat color, restarts and all; no number of iterations mends that."""


def _joined(ways: Sequence[str]) -> str:
    return ", ".join(ways[:-1]) + " or " + ways[-1] if len(ways) > 1 else "".join(ways)


def _more_iterations(config: ConSinGANConfig) -> str:
    """The options that train the fine stages longer, with their present value.

    A stage has as many iterations as the smaller one of two counts allows.
    """
    cut = config.train_stages > 1 and config.fine_niter > 0 and not _sketches(config)
    if cut and config.fine_niter == config.niter:
        return f"--niter and --fine_niter (now {config.niter})"
    flag = "fine_niter" if cut and config.fine_niter < config.niter else "niter"
    return f"--{flag} (now {getattr(config, flag)})"


def _sketches(config: ConSinGANConfig) -> bool:
    """Whether fine stages are left to a finish, so that only --niter counts."""
    return config.finished > 0 and config.layout > 0


def _longer(config: ConSinGANConfig) -> str:
    if max(config.lr_g, config.lr_d) > USUAL_RATE:
        return _smaller_steps(config)
    if _sketches(config):
        return f"Train anew with a larger --niter (now {config.niter})."
    return f"Go on with --resume and a larger {_more_iterations(config)}."


def _texture(config: ConSinGANConfig) -> str:
    if max(config.lr_g, config.lr_d) > USUAL_RATE:
        return _smaller_steps(config)
    return f"Raise {_more_iterations(config)} or --train_stages (now {config.train_stages})."


def _more_variety(config: ConSinGANConfig) -> str:
    """What to change for samples that copy less.

    The critic sees 11 px: nearly all of a coarsest stage of 12 px, a third of one of 36 px.
    """
    ways = []
    if config.lr_scale > 0.1:
        ways.append(f"--lr_scale (now {config.lr_scale:g}; 0.1 varies more)")
    if config.train_stages > 4:
        ways.append(f"--train_stages (now {config.train_stages})")
    if config.train_depth > 3:
        ways.append(f"--train_depth (now {config.train_depth})")
    larger = config.min_size < ConSinGANConfig.min_size  # the paper's
    if not ways and not larger:
        return _less_held(config)
    parts = [f"lower {_joined(ways)}"] if ways else []
    parts += [f"raise --min_size (now {config.min_size})"] if larger else []
    return f"{', or '.join(parts)}.".capitalize()


def _less_held(config: ConSinGANConfig) -> str:
    """What is left to change for variety, beside what decides on it first."""
    if config.alpha == 0:
        return f"Raise --noise_amp (now {config.noise_amp:g})."
    return f"Lower --alpha (now {config.alpha:g})."


def _smaller_steps(config: ConSinGANConfig) -> str:
    """For a training whose steps are too large: the unusual rates first, else all."""
    rates = {"lr_g": config.lr_g, "lr_d": config.lr_d}
    unusual = {name: rate for name, rate in rates.items() if rate > USUAL_RATE}
    ways = [f"--{name} (now {rate:g})" for name, rate in (unusual or rates).items()]
    if not unusual and config.train_stages > 1 and config.lr_scale > 0:
        ways.append(f"--lr_scale (now {config.lr_scale:g})")
    norm = "" if config.batch_norm else ", or with --batch_norm"
    return f"Train anew with a smaller {_joined(ways)}{norm}."


def _less_memory(config: ConSinGANConfig) -> str:
    wholly = (
        config.crop
        or config.batch_norm
        or config.mask
        or any(config.wraps)
        or config.max_size <= 2 * WINDOW
    )
    windows = "" if wholly else f"--crop {WINDOW}, "
    return f"use --checkpointing, or train anew with {windows}a smaller --max_size or --nfc."


def _fits(config: ConSinGANConfig) -> str:
    return "" if config.fine_tune else "Try --fine_tune."


REMEDIES: Mapping[str, Remedy] = {
    "flat": _smaller_steps,
    "diverged": _smaller_steps,
    "longer": _longer,
    "texture": _texture,
    "copies": _more_variety,
    "alike": _more_variety,
    "memory": _less_memory,
    "fits": _fits,
    "misfits": _longer,
}
