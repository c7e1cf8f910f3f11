"""The notebook's cells as methods, in their order; each can be called again at any time."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from consingan.api.trained import TrainedModel
from consingan.errors import UserError
from consingan.images.channels import eye
from consingan.images.deep import write_as
from consingan.images.io import read_image
from consingan.images.layers import Own
from consingan.images.mask_files import Mask as OwnMask
from consingan.images.names import SCIKIT_IMAGE, image_stem, result_name
from consingan.images.video import write_animation
from consingan.machine.files import make_folder
from consingan.methods.registry import METHODS
from consingan.notebook import canvas, colab, shapes, show
from consingan.notebook.inputs import find_picture, from_home, parse_sizes
from consingan.notebook.learning import learned
from consingan.notebook.messages import explained
from consingan.outputs import own_mask as masking
from consingan.outputs.composite import compose, write_composite, write_mask
from consingan.outputs.formats import chosen_format, for_eyes
from consingan.outputs.own_mask import AUTO, read_own
from consingan.outputs.own_shape import fit_for
from consingan.outputs.requests import CompositeRequest, FilmRequest, SamplesRequest
from consingan.outputs.sizes import other_sizes
from consingan.report.write import all_alike, evaluation_folder
from consingan.settings.option import check_field

RESULTS = "Notebook"  # folder inside the run's
PICTURES, COMPOSITE = ("samples", "film"), "composite"  # outputs of tasks
# Fields of the notebook where 0 or nothing stands for what the mode and the preset say.
OPTIONAL = ("niter", "train_stages", "min_size", "lr_scale")


@dataclass(frozen=True)
class Naive:
    """The user's own picture.

    Attributes:
        path: its file.
        picture: (1, 3, H, W) in [-1, 1], of the training image's shape.
        fit: how it was brought to that shape.
        mask: what its transparency says.
    """

    path: Path
    picture: Tensor
    fit: str
    mask: OwnMask | None = None


@dataclass(frozen=True)
class Mask:
    """Where the user's own picture was changed, (1, 1, H, W) in [0, 1]; None is everywhere."""

    values: Tensor | None


class Studio:
    """What one notebook works on.

    Args:
        output_dir: where runs are kept.
        keep_on_drive: on Colab, make that a folder of the user's Google Drive.
    """

    @explained
    def __init__(self, output_dir: str = "TrainedModels", keep_on_drive: bool = False) -> None:
        self.output_dir = from_home(output_dir)
        if keep_on_drive and colab.on_colab():
            self.output_dir = colab.drive_folder(output_dir)
        elif keep_on_drive:
            print("Note: Google Drive can be used on Colab only.")
        print(f"Results are kept in {self.output_dir.absolute()}")
        self._image = ""
        self._trained: TrainedModel | None = None
        self._naive: Naive | None = None
        self._mask: Mask | None = None

    @explained
    def choose(self, image: str, upload: bool = False) -> None:
        """Choose the training image: a path, "skimage:NAME" or, on Colab, an uploaded file."""
        self._image = self._uploaded("image") if upload else find_picture(image)
        picture = read_image(self._image)
        show.show(
            [picture], [f"{Path(self._image).name}, {picture.shape[-1]}x{picture.shape[-2]} px"]
        )

    @explained
    def train(self, start_anew: bool = False, **settings: Any) -> None:
        """Train on the chosen picture, go on with an unfinished run of it or load a finished one.

        Args:
            start_anew: train a new run even so.
            **settings: fields of `consingan.methods.consingan.config.ConSinGANConfig`; 0 in a
                number that must be above 0 means "as recommended".
        """
        if not self._image:
            raise UserError("No picture is chosen yet; run the cell that chooses one first.")
        self._trained = self._naive = self._mask = None
        given = {k: v for k, v in settings.items() if k not in OPTIONAL or v}
        typed = {"manual_seed": 0, **given, "input_name": self._image}
        self._trained = learned(typed, self.output_dir, start_anew)

    @explained
    def samples(self, number: int = 8, seed: int = 0) -> None:
        """Show random pictures of the training size."""
        if self._skips("Random samples", *PICTURES):
            return
        made = self._make_samples(number, None, seed)
        show.show(made, [f"{index + 1}" for index in range(number)])
        if all_alike(self._model().model, made):
            print("Note: all samples are nearly the image; train with a smaller lr_scale.")

    @explained
    def sizes(self, sizes: str, number: int = 2, seed: int = 0) -> None:
        """Show random pictures of other sizes, for example "400x160, 160x400" (width x height)."""
        if self._skips("Samples of other sizes", *PICTURES):
            return
        request = SamplesRequest(sizes=parse_sizes(sizes))
        for _, size in other_sizes(self._model().model, request):
            made = self._make_samples(number, size, seed)
            show.show(made, [f"{size[1]}x{size[0]}"] * number)

    @explained
    def animation(
        self, frames: int = 40, fps: float = 10, alpha: float = 0.1, beta: float = 0.9,
        start_stage: int = 0, seed: int = 0,
    ) -> None:  # fmt: skip
        """Show an animated GIF, see `consingan.methods.contract.Walk`."""
        if self._skips("An animation", *PICTURES):
            return
        check_field(FilmRequest.__dataclass_fields__["fps"], fps)
        model = self._model()
        name = f"animation_alpha_{alpha:g}_beta_{beta:g}_start_stage_{start_stage}_seed_{seed}.gif"
        path = self._results() / name
        moving = model.animate(frames, alpha, beta, start_stage, seed=seed)
        show_frame = eye(model.model.real.cpu(), model.config.channels)
        write_animation(path, map(show_frame, moving), fps)
        show.show_file(path, f"{frames} frames: {path.name}")

    @explained
    def choose_naive(self, naive_img: str = "", upload: bool = False, fit: str = "exact") -> None:
        """Choose the picture to harmonize or edit; by default IMAGE_naive beside the image."""
        if self._skips("A picture of your own", COMPOSITE):
            return
        self._naive = self._mask = None
        model = self._model()
        if upload:
            path = Path(self._uploaded("naive_img"))
        else:
            path = Path(find_picture(naive_img)) if naive_img.strip() else self._naive_beside()
        fit = fit_for(model.model.task, fit)
        own = read_own(str(path), model.model, fit)
        for note in own.notes:
            print(note)
        picture = own.image
        self._naive = Naive(path, picture, fit, own.mask)
        show.show([picture], [f"{path.name}, {picture.shape[-1]}x{picture.shape[-2]} px"])

    @explained
    def choose_mask(self, mask: str = "draw", shape: str = "") -> None:
        """Say where that picture was changed.

        Args:
            mask: draw (on Colab; elsewhere as shape), shape, upload, beside (NAIVE_mask beside
                the picture), auto (the difference to the training image), none, or a file's path.
            shape: points in percent, see `shapes.parse_shape`.
        """
        if self._skips("A mask", COMPOSITE):
            return
        self._mask = None
        naive = self._chosen_naive()
        source = self._mask_source(mask, shape, naive)
        if source == "none":
            self._mask = Mask(None)
            print("No mask: the whole picture is used.")
            return
        request = CompositeRequest(mask=source, fit=naive.fit)
        own = Own(naive.picture, naive.mask)
        found = masking.choose_mask(str(naive.path), own, self._model().model, request)
        if found is None:
            raise UserError(
                f"There is no {naive.path.stem}_mask beside the picture; choose another mask."
            )
        for note in found.notes:
            print(note)
        self._mask = Mask(values := found.values)
        write_mask(values, self._results() / f"{result_name(naive.path.stem, '_mask')}.png")
        changed = f"red: changed, {100 * float(values.mean()):.1f} % of the picture"
        show.show([show.tinted(naive.picture, values)], [changed])

    @explained
    def compose(self, start_stage: int = 0, mask_dilation: int = -1, seed: int = 0) -> None:
        """Harmonize or edit the chosen picture inside the mask; -1 is the mode's own dilation."""
        if self._skips("Harmonization", COMPOSITE):
            return
        naive, model = self._chosen_naive(), self._model()
        if self._mask is None:
            raise UserError("No mask is chosen yet; run the cell that chooses one first.")
        dilation = mask_dilation if mask_dilation >= 0 else None
        request = CompositeRequest(start_stages=(start_stage,), mask_dilation=dilation, seed=seed)
        made = compose(model.model, naive.picture, self._mask.values, request)
        word = model.model.task.result
        write_composite(made, model.model, self._results(), str(naive.path))
        show.show([made.naive, made.full_blended], ["the picture", f"the picture, {word}"])

    @explained
    def download(self) -> None:
        """Pack everything of the run into a zip and, on Colab, download it."""
        run = self._run_folder()
        archive = Path(shutil.make_archive(str(run), "zip", run.parent, run.name))
        started = colab.download(archive)
        megabytes = archive.stat().st_size / 1e6
        print(f"{'Downloading' if started else 'Packed'} {archive} ({megabytes:.1f} MB)")

    def _model(self) -> TrainedModel:
        if self._trained is None:
            raise UserError("There is no trained model yet; run the training cell first.")
        return self._trained

    def _run_folder(self) -> Path:
        folder = self._model().folder
        assert folder is not None
        return folder

    def _results(self) -> Path:
        return evaluation_folder(self._run_folder(), RESULTS)

    def _chosen_naive(self) -> Naive:
        if self._naive is None:
            raise UserError("No picture of your own is chosen yet; run the cell that chooses it.")
        return self._naive

    def _skips(self, what: str, *outputs: str) -> bool:
        """Whether a cell does not go with the model's mode; says so."""
        config = self._model().config
        rows = METHODS[config.method].tasks.items()
        fitting = [name for name, row in rows if row.output in outputs]
        if skips := config.train_mode not in fitting:
            print(
                f"{what}: skipped, for this model was trained for {config.train_mode}. "
                f"Train with train_mode {', '.join(fitting)} to use this cell."
            )
        return skips

    def _uploaded(self, field: str) -> str:
        path = colab.upload(self.output_dir, field)
        print(f"Saved. To use it again, put {path} into the field {field} and untick upload.")
        return str(path)

    def _make_samples(self, number: int, size: tuple[int, int] | None, seed: int) -> list[Tensor]:
        """Random pictures, (1, 3, h, w) each, that are also saved."""
        model = self._model()
        made = list(model.sample(number, size, seed).split(1))
        height, width = size or model.size
        folder = self._results() / f"samples_{width}x{height}_seed_{seed}"
        form, channels = chosen_format(AUTO, model.config), model.config.channels
        for index, sample in enumerate(made):
            write_as(make_folder(folder) / f"sample_{index + 1}", sample, form, channels)
        return for_eyes(model, made)

    def _naive_beside(self) -> Path:
        stem = image_stem(self._image)
        if not self._image.startswith(SCIKIT_IMAGE):
            for path in sorted(Path(self._image).parent.iterdir()):
                named = path.suffix and image_stem(path.name) == f"{stem}_naive"
                if named and path.is_file():
                    return path
        raise UserError(
            f"There is no {stem}_naive beside {self._image}; give the picture to work on in "
            "naive_img or tick upload."
        )

    def _mask_source(self, mask: str, shape: str, naive: Naive) -> str:
        """What `CompositeRequest.mask` takes, "" for a mask beside the picture, or "none"."""
        kept = self._results() / f"{result_name(naive.path.stem, '_drawn')}.png"
        if mask == "draw" and not colab.on_colab():
            print("Note: painting needs Google Colab; the field shape or a mask beside counts.")
            mask = "shape" if shape.strip() else "beside"
        if mask == "draw":
            canvas.draw(naive.picture, kept)
        elif mask == "shape":
            size = (naive.picture.shape[-2], naive.picture.shape[-1])
            shapes.save_shape(shapes.parse_shape(shape), size, kept)
        elif mask == "upload":
            return self._uploaded("mask")
        elif mask in (AUTO, "none", "beside"):
            return "" if mask == "beside" else mask
        else:
            return find_picture(mask)
        return str(kept)
