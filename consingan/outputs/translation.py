"""Translations: what a model of a pair (A, B) makes of new A's, and of its own A when bent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.images.deep import sheet_suffix, write_as
from consingan.images.folder import NAMED, is_folder, pictures_in
from consingan.images.io import read_image, read_picture, write_image
from consingan.images.names import distinct_stems, image_stem, result_name
from consingan.images.resize import resize_to
from consingan.images.sheets import labelled
from consingan.images.video import require_ffmpeg, write_animation
from consingan.machine.files import make_own_folder
from consingan.machine.progress import tracked
from consingan.methods.choose import no_naive_image
from consingan.methods.pairs import condition_reading
from consingan.outputs.contract import Say
from consingan.outputs.held_out import HeldOut, held_out
from consingan.outputs.requests import TranslationRequest

SHOWN = 6  # new A's on a sheet
BENT = 3  # held-out warps on a sheet
OF_FILMS = ("fps", "video_format")


@dataclass(frozen=True)
class Translated:
    """One new A, (1, 3, H, W), and what was made of it, (k, 3, H, W), both in [-1, 1]."""

    name: str
    condition: Tensor
    results: Tensor


@dataclass(frozen=True)
class Translation:
    """The pair, what was made of new A's, and whether it was learned by heart.

    Attributes:
        condition: A of the training, (1, 3, h, w) in [-1, 1].
        translated: the first new A's.
        test: with bent pairs; None where it was not put to it.
    """

    condition: Tensor
    translated: Sequence[Translated]
    test: HeldOut | None = None


@dataclass(frozen=True)
class TranslationWork:
    """New A's that are to be translated; without any only the pair is looked at."""

    model: Any
    request: TranslationRequest
    paths: Sequence[Path | str]
    of_examination: ClassVar = ()

    def idle(self) -> Iterator[tuple[str, str]]:
        """A film needs several pictures; nothing is random."""
        yield "seed", "for a translation, which is not random"
        if len(self.paths) < 2:
            yield from ((name, "without a folder of new A's") for name in OF_FILMS)

    def write(self, folder: Path, say: Say) -> Translation:
        """Write every translation, sheets, and of several a film."""
        form = self.request.image_format
        write_as(folder / "condition", self.model.condition, form)
        if not self.paths:
            say("No --naive_img: there is only the pair itself to be looked at.")
        shown = [done for done in self._written(folder, say) if done is not None]
        if self.paths:
            write_image(folder / f"translation_sheet{sheet_suffix(form)}", self._sheet(shown))
        return Translation(self.model.condition.cpu(), shown)

    def examine(self, made: Translation, folder: Path, say: Say) -> Translation:
        """Try bent pairs, and write some of them."""
        suffix = sheet_suffix(self.request.image_format)
        test = held_out(self.model, self.model.real)
        write_image(folder / f"held_out{suffix}", bent_sheet(test))
        say(
            f"bent pairs: L1 {test.bent.l1:.3f}, SSIM {test.bent.ssim:.2f}, SWD "
            f"{test.bent.swd:.1f}; the training's own: L1 {test.trained.l1:.3f}, SSIM "
            f"{test.trained.ssim:.2f}, SWD {test.trained.swd:.1f}"
        )
        return replace(made, test=test)

    def _written(self, folder: Path, say: Say) -> Iterator[Translated | None]:
        """Each translation, written before the next is made; only the first are kept."""
        if not self.paths:
            return
        target, film = make_own_folder(folder / "translations"), []
        names = distinct_stems([str(path) for path in self.paths])
        for number, path in enumerate(tracked(self.paths, len(self.paths), "translating")):
            done = translated(self.model, path, names[number])
            for note in self.model.notes_on(done.condition):
                say(f"Note: {done.name}: {note}")
            for k, result in enumerate(done.results.split(1)):
                ending = f"_{k}" if len(done.results) > 1 else ""
                write_as(target / result_name(done.name, ending), result, self.request.image_format)
            film.append(done.results[:1])
            yield done if number < SHOWN else None
        say(f"{len(self.paths)} translated: {target}")
        if len(self.paths) > 1:
            moving = folder / f"translations.{self.request.video_format}"
            size = (film[0].shape[-2], film[0].shape[-1])
            frames = (resize_to(frame, size).clamp(-1, 1) for frame in film)
            write_animation(moving, frames, self.request.fps)
            say(f"animation: {moving}")

    def _sheet(self, shown: Sequence[Translated]) -> Any:
        """A, B, then each new A beside its results, all at the training's height."""
        pictures = [self.model.condition.cpu(), self.model.real.cpu()]
        labels = ["A of the training", "B, the image"]
        for done in shown:
            pictures += [done.condition, *done.results.split(1)]
            labels += [f"new A: {done.name}", *["result"] * len(done.results)]
        size = self.model.sizes[-1]
        return labelled([_inside(p, size) for p in pictures], labels, 2)


def begin(model: Any, request: TranslationRequest) -> TranslationWork:
    """Look at every new A.

    Raises:
        UserError: some cannot be read or do not fit to the training's A, or MP4 is missing.
    """
    if request.naive_img and not model.task.takes_naive:
        raise no_naive_image(model.config)
    paths = new_conditions(request.naive_img)
    if request.video_format == "mp4" and len(paths) > 1:
        require_ffmpeg()
    refused = []
    for path in paths:
        try:
            model.notes_on(read_image(path, condition_reading(model.config)))
        except UserError as error:
            refused.append(f"{image_stem(str(path))}: {error}")
    if refused:  # all at once, so that a folder is put right at once
        more = [f"{len(refused) - NAMED} more are refused."] if len(refused) > NAMED else []
        raise UserError("\n".join([*refused[:NAMED], *more]))
    return TranslationWork(model, request, paths)


def new_conditions(name: str) -> list[Path | str]:
    """Files of new A's: of a folder every picture by name.

    Raises:
        UserError: there are none in a folder.
    """
    if not name:
        return []
    if not is_folder(name):
        return [name]
    found: list[Path | str] = list(pictures_in(Path(name)))
    return found


def translated(model: Any, path: Path | str, name: str) -> Translated:
    """Translate the picture in a file, which is called `name`."""
    reading = condition_reading(model.config)
    condition = read_picture(path, reading).image  # what there is to say of it was said at the door
    return Translated(name, condition, model.translate(condition))


def bent_sheet(test: HeldOut) -> Any:
    """Some warps: A, what it should have become, what it became."""
    pictures = [picture for triple in test.pictures[:BENT] for picture in triple]
    labels = ["bent A", "B bent alike", "result"] * len(test.pictures[:BENT])
    return labelled(pictures, labels, 3)


def _inside(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """A picture made to fit into `size`, on white."""
    height, width = picture.shape[-2:]
    scale = min(size[0] / height, size[1] / width)
    small = (max(1, round(height * scale)), max(1, round(width * scale)))
    sheet = torch.ones(1, 3, *size)
    fitted = picture if small == (height, width) else resize_to(picture, small).clamp(-1, 1)
    sheet[..., : small[0], : small[1]] = fitted.cpu()
    return sheet


def preview(model: Any, naive: Tensor | None) -> list[Tensor]:  # noqa: ARG001
    """A of the training, of a model in training."""
    return [model.condition]
