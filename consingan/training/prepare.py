"""Set trainings up: a new one here, one to go on with in resuming.py.

What the command line and the Python API have in common is found here by name: `prepare`,
`resumed`, `load_run`, and `Execution`, which says where and how to compute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from consingan.errors import UserError
from consingan.images.fit import fit_naive, read_naive
from consingan.images.io import read_image
from consingan.images.resize import resize, resize_to, training_scale
from consingan.machine.execution import Execution
from consingan.methods.choose import _preset, choose_settings, no_naive_image
from consingan.methods.consingan.draws import SeededRandomness
from consingan.methods.consingan.engines import choose_engine
from consingan.methods.consingan.model import Model
from consingan.methods.consingan.tasks import fine_tuned
from consingan.methods.consingan.training import FINE_TUNE, _fitted, _pyramid, _refuse_unfit
from consingan.runs.about import about_this_run, versions
from consingan.runs.load import LoadedRun, load_run
from consingan.settings.layers import Chosen, choose
from consingan.training.loop import Trainer
from consingan.training.resume import resumed

__all__ = [
    "Execution", "Job", "LoadedRun", "about_this_run", "choose_settings", "load_run",
    "no_naive_image", "prepare", "read_naive", "resumed", "versions",
]  # fmt: skip
SAME_PICTURE = 0.02  # mean difference in [-1, 1] below which two pictures are the same one


@dataclass(frozen=True)
class Job:
    """A training that is ready to begin.

    Attributes:
        chosen: settings and where each came from.
        trainer: set up, not started.
        execution: where and how it computes.
        input_size: (h, w) in px of the training image before it was brought to the training size.
        naive: the user's own picture at its own size, (1, 3, H, W) in [-1, 1].
        notes: sentences that the user should read.
    """

    chosen: Chosen
    trainer: Trainer
    execution: Execution
    input_size: tuple[int, int]
    naive: Tensor | None = None
    notes: list[str] = field(default_factory=list)


def prepare(
    typed: Mapping[str, Any],
    execution: Execution,
    image: Tensor | None = None,
    base: Path | None = None,
) -> Job:
    """Set up a new training run; nothing is written.

    Args:
        typed: fields of Config that the user gave.
        execution: how it will be executed.
        image: the picture itself, (1, 3, H, W) in [-1, 1]; by default `input_name` is read.
        base: the run to fine-tune.

    Raises:
        UserError: a setting, a picture or the base run cannot be used.
    """
    typed = dict(typed)
    if typed.get("fine_tune"):
        return _prepare_fine_tuning(typed, execution, image, base)
    if base is not None:
        raise UserError(
            "--model_dir goes with --fine_tune or --resume; leave it out to train anew."
        )
    chosen = choose_settings(typed)
    picture = read_image(chosen.config.input_name) if image is None else image
    notes: list[str] = []
    chosen = _fitted(chosen, picture, notes)
    reals = _pyramid(chosen.config, picture, execution.device)
    naive = read_naive(chosen.config, (reals[-1].shape[-2], reals[-1].shape[-1]))
    factory = choose_engine(execution.engine, execution.arithmetic, execution.checkpointing)
    trainer = Trainer(chosen.config, reals, factory)
    size = (picture.shape[-2], picture.shape[-1])
    return Job(chosen, trainer, execution, size, naive, notes)


def _prepare_fine_tuning(
    typed: dict[str, Any], execution: Execution, image: Tensor | None, base: Path | None
) -> Job:
    if base is None:
        raise UserError("--fine_tune needs --model_dir, the folder of the run to go on from.")
    if not typed.get("naive_img"):
        raise UserError("--fine_tune needs --naive_img, the picture to train for.")
    loaded = load_run(base, execution.device)
    trained = loaded.model
    _refuse_unfit(trained, typed, base)
    own = {k: v for k, v in trained.config.to_json().items() if k not in ("fine_tune", "naive_img")}
    preset = _preset(typed, FINE_TUNE)
    if "fine_niter" in preset and typed.get("niter") is not None:
        preset["fine_niter"] = typed["niter"]  # the finest stage is all that is trained
    layers = {"run": own, "fine-tuning": FINE_TUNE, "preset": preset, "typed": typed}
    chosen = choose(layers)
    if typed.get("input_name"):
        given = read_image(typed["input_name"]) if image is None else image
        _refuse_other_picture(given, trained, base)
    naive = fit_naive(read_image(chosen.config.naive_img), trained.sizes[-1], chosen.config.fit)
    source = resize_to(naive.to(execution.device), trained.sizes[0]).clamp(-1, 1)
    mode = fine_tuned(trained.mode)
    trainer = Trainer(
        chosen.config,
        [anchor.real for anchor in trained.anchors],
        choose_engine(execution.engine, execution.arithmetic, execution.checkpointing),
        SeededRandomness(chosen.config.manual_seed, mode, execution.device),
        start=(trained, loaded.discriminator),
        source_image=source,
    )
    return Job(chosen, trainer, execution, trained.sizes[-1], naive)


def _refuse_other_picture(image: Tensor, trained: Model, base: Path) -> None:
    """The training image must be the one that the model was trained on."""
    real = trained.real.cpu()
    scale = training_scale((image.shape[-2], image.shape[-1]), trained.config.max_size)
    again = resize(image, scale).clamp(-1, 1) if scale < 1 else image
    if again.shape != real.shape or (again - real).abs().mean() > SAME_PICTURE:
        raise UserError(
            f"--input_name is not the picture that {base} was trained on; name that one or "
            "leave it out."
        )
