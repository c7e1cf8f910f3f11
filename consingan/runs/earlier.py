"""Find the run that an earlier training of the same picture left, and tell whose a run is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.images.channels import trained
from consingan.images.io import read_picture
from consingan.images.names import image_stem
from consingan.images.picture import SAME_IMAGE
from consingan.images.resize import reduced, resize_to, same_shape
from consingan.machine.execution import Execution
from consingan.machine.files import described
from consingan.machine.precision import Arithmetic
from consingan.methods.contract import Inputs, Size, Training
from consingan.methods.holes import known
from consingan.methods.registry import method_of
from consingan.runs.files import PYRAMID
from consingan.runs.folder import RunFolder
from consingan.runs.load import LoadedRun
from consingan.runs.manifest import MANIFEST, first_counts
from consingan.settings.config import Config
from consingan.settings.reading import AUTO, FULL_8

HOLE = "mask"  # field of `Inputs`
A_RANGE = "condition_range"  # of the settings for pairs
AMONG_IMAGES = (HOLE, "condition")  # settings that name pictures which `Training.fixed` has
SAME_PICTURE = 1e-3  # largest difference in [-1, 1] that another machine's rounding may make
ON_CPU = Execution(torch.device("cpu"), Arithmetic())


def earlier_run(parent: Path, fits: Callable[[RunFolder], bool]) -> RunFolder | None:
    """The run among those in the folder `parent` that a queue goes on from, if there is one.

    The newest that is finished, else the newest that was cut short. One that diverged would only
    diverge again, and one that is damaged is left alone.
    """
    kept: RunFolder | None = None
    for manifest in sorted(parent.glob(f"*/{MANIFEST}"), reverse=True):
        try:
            run = RunFolder.open(manifest.parent)
            status = run.manifest["status"]
            if status == "diverged" or not fits(run):
                continue
        except UserError:
            continue
        if status != "finished":
            kept = kept or run
        elif is_whole(run):
            return run
    return kept


def is_whole(run: RunFolder) -> bool:
    """Whether what a finished run learned can still be read; says what cannot."""
    try:
        run.tensors()
    except UserError as error:
        warnings.warn(f"{error} The run does not count as finished", stacklevel=2)
        return False
    return True


def earlier_run_of(
    training: Training, root: Path, any_seed: bool, lengthened: bool = True
) -> RunFolder | None:
    """The same for a training that would be: of the same pictures, with settings that train alike.

    Args:
        training: that would be.
        root: where runs are made, usually TrainedModels.
        any_seed: whether the seed, having been drawn, may be another one.
        lengthened: whether a run may have been trained longer since.
    """
    config, images, sizes = training.config, training.fixed(), training.sizes

    def fits(run: RunFolder) -> bool:
        first = first_counts(run.manifest)
        if first and not lengthened:
            return False
        begun = run.config.replace(**first)  # longer is no other training
        return _same_settings(begun, config, any_seed, sizes) and _same_images(run, images)

    return earlier_run(root / image_stem(config.input_name), fits)


def is_of(run: LoadedRun, name: str) -> bool:
    """Whether a run was trained on the picture in a file; many a file has the same name.

    Args:
        run: of a method that is trained on one picture and nothing else.
        name: of the file.

    Raises:
        UserError: the file cannot be read.
    """
    config = run.model.config
    image = trained(read_picture(name, config.reading), config.channels)
    # A run of SinGAN's authors does not say its max_size, which the longer side can be a px above.
    sizes = (config.max_size, config.max_size - 1)
    return any(_gives(run, config.replace(max_size=longer), image) for longer in sizes)


def _gives(run: LoadedRun, config: Config, image: Tensor) -> bool:
    """Whether a training of `image` with these settings has the images of a run."""
    try:  # made smaller by the method's own rule
        training = run.method.load().begin(config, Inputs(image), ON_CPU, None)
    except UserError:  # of another size
        return False
    return all(
        key in run.tensors
        and run.tensors[key].shape == real.shape
        and bool((run.tensors[key].cpu() - real).abs().mean() <= SAME_IMAGE)
        for key, real in training.fixed().items()
    )


def training_file(run: LoadedRun) -> Path | None:
    """The file that a run was trained on, if it is still there and the same picture.

    The file counts if it is the very one that the run noted, as one that lies at the same path
    below the present folder may be any other; of older runs, which noted none, by what it shows.
    """
    noted = run.pictures.get("input_name", {})
    digest, name = noted.get("sha256"), run.model.config.input_name
    holed = HOLE in run.method.pictures(run.model.config)  # there the run's picture is empty
    for path in (noted.get("path", name), name):
        now = described({"file": Path(path)})["file"].get("sha256")
        if now is None or now != (digest or now):
            continue
        # Looked at all the same: a fine-tuning notes what lies at the path in its turn.
        if _shows_it(run, path) or (holed and digest):
            return Path(path)
    return None


def _shows_it(run: LoadedRun, path: str) -> bool:
    """Whether a file is the training image, at its newest stage's size."""
    config, real = run.model.config, run.model.real.cpu()
    try:
        image = trained(read_picture(path, config.reading), config.channels)
    except UserError:
        return False
    (height, width), size = image.shape[-2:], (real.shape[-2], real.shape[-1])
    if image.shape[1] != real.shape[1] or not same_shape((height, width), size):
        return False
    ways = [] if (height, width) == size else [reduced, resize_to]  # DCGAN's is the latter
    made = [way(image, size) for way in ways] or [image]
    return min(float((x.clamp(-1, 1) - real).abs().mean()) for x in made) <= SAME_IMAGE


def _same_settings(kept: Config, wanted: Config, any_seed: bool, sizes: Sequence[Size]) -> bool:
    # The pictures themselves are compared: a path depends on where the command was typed.
    if type(kept) is not type(wanted):
        return False
    like = {"input_name": kept.input_name}
    if getattr(kept, A_RANGE, None) == AUTO:  # earlier releases kept none; A itself is compared
        like[A_RANGE] = AUTO
    if kept.value_range == FULL_8:  # of release 1.0, which kept none
        like["value_range"] = FULL_8
    for name in AMONG_IMAGES:
        before, now = str(getattr(kept, name, "")), str(getattr(wanted, name, ""))
        if Path(before).suffix and Path(now).suffix:  # both are files, no words as "alpha"
            like[name] = before
    seed = {"manual_seed": kept.manual_seed} if any_seed else {}
    effective = method_of(wanted.method).effective
    return bool(effective(wanted.replace(**like, **seed), sizes) == effective(kept, sizes))


def _same_images(run: RunFolder, images: Mapping[str, Tensor]) -> bool:
    kept = run.load(PYRAMID)
    # Numbers besides the pictures that an earlier release did not keep follow from these.
    images = {name: image for name, image in images.items() if name in kept or image.ndim}
    if any(name not in kept or kept[name].shape != image.shape for name, image in images.items()):
        return False
    with run.explained(PYRAMID):
        before = known(kept)
    return all(
        bool(((before[name] - image.cpu()).abs() <= SAME_PICTURE).all())
        for name, image in known(images).items()
    )
