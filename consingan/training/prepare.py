"""Set a new training up, of any method; nothing is written yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import Tensor

from consingan.errors import UserError
from consingan.images.channels import trained
from consingan.images.fit import fit_naive
from consingan.images.hole import ALPHA, by_color, emptied, read_hole
from consingan.images.io import read_picture
from consingan.images.layers import own_picture
from consingan.images.levels import percent
from consingan.images.mask_files import Mask
from consingan.images.names import shown
from consingan.images.picture import Picture, flatness
from consingan.machine.execution import Execution
from consingan.methods.choose import (
    MASK,
    choose_fine_tuning,
    choose_settings,
    no_naive_image,
)
from consingan.methods.contract import Inputs, Method, Task, Training
from consingan.methods.registry import method_of
from consingan.outputs.own_mask import opaque, was_trained
from consingan.outputs.own_shape import fit_for
from consingan.runs.load import LoadedRun, load_run
from consingan.settings.config import Config
from consingan.settings.layers import Chosen
from consingan.settings.reading import AUTO, BY_FLAG, FULL, Reading, of_deep
from consingan.training.channels import choose_channels
from consingan.training.conditions import further_pictures
from consingan.training.fine_tuning import rules_of


@dataclass(frozen=True)
class Job:
    """A training that is ready to begin.

    Attributes:
        chosen: settings and where each came from.
        training: set up, not started.
        execution: where and how it computes.
        input_size: (h, w) in px of the training image before it was brought to the training size.
        naive: the user's own picture at its own size, (1, 3, H, W) in [-1, 1].
        said_of_pictures: sentences on how the pictures were read.
        notes: sentences that the user should read, these among them.
        base: the run that a fine-tuning starts from.
    """

    chosen: Chosen[Any]
    training: Training
    execution: Execution
    input_size: tuple[int, int]
    naive: Tensor | None = None
    notes: tuple[str, ...] = ()
    said_of_pictures: tuple[str, ...] = ()
    base: Path | None = None

    @property
    def method(self) -> Method:
        """How it trains."""
        return method_of(self.chosen.config.method)


def prepare(
    typed: Mapping[str, Any],
    execution: Execution,
    image: Picture | Tensor | None = None,
    base: Path | None = None,
    usual: Mapping[str, Any] = MappingProxyType({}),
) -> Job:
    """Set up a new training run; nothing is written.

    Args:
        typed: fields of the method's Config that the user gave.
        execution: how it will be executed.
        image: the picture itself, as a tensor (1, 3, H, W) in [-1, 1]; by default `input_name` is
            read.
        base: the run to fine-tune.
        usual: settings that the caller has in place of the method's defaults.

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
    chosen = choose_settings(typed, usual)
    method = method_of(chosen.config.method)
    check_engine(method, execution)
    picture = _training_image(chosen.config, image)
    code = method.load()
    picture, hole = _with_hole(chosen.config, picture, image is None)
    if hole is not None:
        picture = _without(picture, hole.values)
    chosen, picture = choose_channels(chosen, picture)
    chosen, notes = code.fitted(_read_alike(chosen, picture), picture.size)
    named = _named_picture(chosen.config)
    own = own_picture(named, picture.image, _name_of(chosen.config)) if named else None
    given = own.image if own else None
    chosen, further = further_pictures(chosen, typed.get("value_range"))
    further |= {} if hole is None else {MASK: hole.values}
    inputs = Inputs(trained(picture, chosen.config.channels), given, **further)
    training = code.begin(chosen.config, inputs, execution, None)
    fit = fit_for(method.task_of(chosen.config), chosen.config.fit)
    naive = None if given is None else fit_naive(given, training.sizes[-1], fit)
    said = (*picture.notes, *_unfilled(picture, method.task_of(chosen.config), hole))
    said = (*said, *_flat(picture, chosen.config), *(own.notes if own else ()))
    said = (*said, *(hole.notes if hole else ()))
    notes = [*_extent(chosen.config, hole), *notes]
    notes = [*_not_enlarged(chosen, picture.size, training.sizes[-1]), *notes]
    return Job(chosen, training, execution, picture.size, naive, (*said, *notes), said)


def check_engine(method: Method, execution: Execution) -> None:
    """Refuse an engine that the method has not.

    Raises:
        UserError: the sentence names those that it has.
    """
    if execution.engine not in method.engines:
        known = ", ".join(method.engines)
        raise UserError(
            f"--engine {execution.engine} is unknown to --method {method.name}; choose one of "
            f"{known}."
        )


def _training_image(config: Config, image: Picture | Tensor | None) -> Picture:
    """The picture that was given, or else the file that the configuration names."""
    if image is None:
        return read_picture(config.input_name, _typed_reading(config))
    return image if isinstance(image, Picture) else Picture(image)


def _with_hole(config: Config, picture: Picture, from_file: bool) -> tuple[Picture, Mask | None]:
    """The picture and what the settings say is not known of it; None where all is.

    A color that marks the hole is the one that is seen: of a deep file the one of the type's whole
    range, and the picture is read anew, by the numbers that are known.

    Raises:
        UserError: the mask cannot be used, or the task is not trained with one.
    """
    words = method_of(config.method).pictures(config).get(MASK)
    if not words:
        return picture, None
    task = method_of(config.method).tasks[config.train_mode]
    if MASK not in (*task.needs, *task.takes):
        instead = (
            "it is for the trained model, with --naive_img."
            if task.result  # a mask of what was changed is laid over it
            else "leave it out, or use --train_mode inpainting."
        )
        raise UserError(f"--mask does not go with --train_mode {config.train_mode}; {instead}")
    if not (by_color(words) and from_file and picture.value_range != AUTO):
        return picture, read_hole(words, picture)
    seen = read_picture(config.input_name, replace(config.reading, value_range=FULL)).image
    hole = read_hole(words, picture, seen)
    return read_picture(config.input_name, _typed_reading(config), hole.values), hole


def _without(picture: Picture, hole: Tensor) -> Picture:
    """The picture without what lies in its hole: from here on nobody can see that."""
    picture = replace(picture, image=emptied(picture.image, hole))
    if picture.alpha is None or bool(((picture.alpha < 1) & (hole == 0)).any()):
        return picture
    kept = tuple(note for note in picture.notes if "transparent parts" not in note)
    return replace(picture, alpha=None, notes=kept)


def _extent(config: Config, hole: Mask | None) -> tuple[str, ...]:
    """How much of the picture the hole takes and, of a file, what it is there."""
    if hole is None:
        return ()
    words = str(method_of(config.method).pictures(config)[MASK])
    named = words != ALPHA and not by_color(words)
    of = f", what counts as white in {shown(Path(words).name)}," if named else ""
    return (f"The hole{of} takes {percent(float(hole.values.double().mean()))} of the picture.",)


def _unfilled(picture: Picture, task: Task, hole: Mask | None) -> tuple[str, ...]:
    """Say how what is transparent becomes the hole, where holes are filled and none is marked."""
    if hole is not None or picture.alpha is None or not task.fills:
        return ()
    return ("To have what is transparent filled, add --mask alpha.",)


def _typed_reading(config: Config) -> Reading:
    """How pictures are read that the settings name: a range can be typed for them."""
    return replace(config.reading, otherwise=BY_FLAG)


def _read_alike(chosen: Chosen[Any], picture: Picture) -> Chosen[Any]:
    """Keep which numbers became black and white, so that other pictures are read alike."""
    if picture.value_range == AUTO:
        return chosen
    typed, origin = chosen.config.value_range, chosen.origin
    if typed == AUTO:
        typed, origin = picture.value_range, {**origin, "value_range": "picture"}
    return Chosen(chosen.config.replace(value_range=of_deep(typed)), origin)


def _flat(picture: Picture, config: Config) -> tuple[str, ...]:
    """Say before the training what a picture has too little of."""
    lack = flatness(picture.image)
    return (f"{shown(Path(config.input_name).name)} {lack}.",) if lack else ()


def _not_enlarged(
    chosen: Chosen[Any], size: tuple[int, int], finest: tuple[int, int]
) -> tuple[str, ...]:
    """Say that a picture of `size` (h, w) has less than was typed, if it is trained no larger."""
    typed, longer = chosen.config.max_size, max(size)
    enlarged = any(trained > own for trained, own in zip(finest, size, strict=True))
    if chosen.origin["max_size"] != "typed" or typed <= longer or enlarged:
        return ()
    return (
        f"--max_size {typed} is more than the {longer} px of the picture, which is not enlarged; "
        "for more take a larger picture.",
    )


def _named_picture(config: Config) -> Picture | None:
    """The user's own picture, if the configuration names one and the task takes it."""
    if not config.naive_img:
        return None
    if not method_of(config.method).tasks[config.train_mode].takes_naive:
        raise no_naive_image(config)
    return read_picture(config.naive_img, _typed_reading(config))


def _name_of(config: Config) -> str:
    """Of the user's own picture, for sentences."""
    return shown(Path(config.naive_img).name)


def _prepare_fine_tuning(
    typed: dict[str, Any],
    execution: Execution,
    image: Picture | Tensor | None,
    base: Path | None,
) -> Job:
    if base is None:
        raise UserError("--fine_tune needs --model_dir, the folder of the run to go on from.")
    if not typed.get("naive_img"):
        raise UserError("--fine_tune needs --naive_img, the picture to train for.")
    run = load_run(base, execution)
    if typed.get("channels") == AUTO:
        del typed["channels"]  # the run's own, as where nothing is typed
    rules = rules_of(run, typed)
    chosen = choose_fine_tuning(run.model.config, rules, typed)
    check_engine(run.method, execution)
    if typed.get("input_name"):
        _refuse_other_picture(_training_image(chosen.config, image).image, run)
    size = run.model.sizes[-1]
    named = _named_picture(chosen.config)
    assert named is not None
    own = opaque(named, run.model, _name_of(chosen.config))
    naive = fit_naive(own.image, size, chosen.config.fit)
    inputs = Inputs(run.model.real, naive)
    training = run.method.load().begin(chosen.config, inputs, execution, run.tensors)
    return Job(chosen, training, execution, size, naive, own.notes, own.notes, base)


def _refuse_other_picture(image: Tensor, run: LoadedRun) -> None:
    """The training image must be the one that the model was trained on."""
    if not was_trained(image, run.model):
        raise UserError(
            f"--input_name is not the picture that {run.path} was trained on; name that one or "
            "leave it out."
        )
