"""Fills of the hole that a model was trained around, at the picture's own size."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.images.deep import sheet_suffix, write_as
from consingan.images.hole import hole_at
from consingan.images.io import read_picture, unit, write_image
from consingan.images.names import shown
from consingan.images.patch_fill import enlarged_fill, polished
from consingan.images.picture import gray_as
from consingan.images.resize import resize_to
from consingan.images.sheets import labelled
from consingan.machine.progress import counted, tracked
from consingan.methods.contract import HasHole
from consingan.methods.holes import Holed
from consingan.metrics.inside import AROUND, Inside, box, inside, seam
from consingan.metrics.swd import sliced_wasserstein
from consingan.outputs.contract import Say
from consingan.outputs.hidden_copies import Trials, places, trials
from consingan.outputs.requests import FillRequest
from consingan.outputs.truth import doubts, truth_of

MARKED = (1.0, -1.0, 1.0)  # magenta, which few pictures have
COMPARED = 3  # known places that a fill is compared with
SHOWN = 6  # fills on a sheet
LONGEST = 600  # px of each there
LOUD = 2.0  # a step at the edge, as many times the usual one, that is white on the map


@dataclass(frozen=True)
class Filled:
    """What was made of a hole; pictures (1, 3, H, W) in [-1, 1] at the picture's own size.

    Attributes:
        holed: picture and hole.
        fills: the first of them.
        seams: of each, see `metrics.inside.seam`.
        apart: of each, the distance of its patches to those of known places of the hole's shape.
        scores: of each against the truth; () without one.
        truth: the picture without the hole.
        trials: copies of the hole hidden in the known part; None where there is no room.
    """

    holed: Holed
    fills: Sequence[Tensor]
    seams: Sequence[float]
    apart: Sequence[float] = ()
    scores: Sequence[Inside] = ()
    truth: Tensor | None = None
    trials: Trials | None = None

    @property
    def before(self) -> Tensor:
        """The picture with its hole marked."""
        return marked(self.holed)

    @property
    def seam_map(self) -> Tensor:
        """Steps between neighbors at the edge of the first fill's hole."""
        return seam_map(self.fills[0], self.holed.hole)


@dataclass(frozen=True)
class FillWork:
    """A hole that is to be filled."""

    model: Any
    request: FillRequest
    truth: Tensor | None = None
    notes: Sequence[str] = ()  # on how the truth was read
    of_examination: ClassVar = ("hidden_copies",)

    @property
    def inputs(self) -> Mapping[str, Path]:
        """See `contract.FromPictures`."""
        return truth_of(self.request)

    def idle(self) -> Iterator[tuple[str, str]]:
        """Every option counts."""
        return iter(())

    def write(self, folder: Path, say: Say) -> Filled:
        """Write the fills, a sheet of them and the map of the seam."""
        holed, form = self.model.holed, self.request.image_format
        count = self.request.num_samples
        fills, seams, different = [], [], set()
        for number in tracked(range(count), count, "filling"):
            made = filled(self.model, self.request.seed + number)
            path = write_as(folder / f"fill_{number}", made, form)
            seams.append(seam(unit(made), holed.hole))
            different.add(hashlib.sha256(made.numpy().tobytes()).digest())
            if number < SHOWN:
                fills.append(made)
        last = f" to {path.name}" if count > 1 else ""
        say(f"{counted(count, 'fill')}: {path.with_stem('fill_0')}{last}")
        if (found := len(different)) < count:
            say(f"Note: only {found} of {count} fills differ; fewer --num_samples give the same.")
        scores = []
        if self.truth is not None:
            for note in self.notes:
                say(f"Note: {note}")
            scores = [inside(unit(self.truth), unit(made), holed.hole) for made in fills]
            say(f"against the truth: PSNR {scores[0].psnr:.1f} dB, SSIM {scores[0].ssim:.2f}, "
                f"SWD {scores[0].swd:.1f} in the hole")  # fmt: skip
        done = Filled(holed, fills, seams, (), scores, self.truth)
        suffix = sheet_suffix(form)
        write_image(folder / f"fill_side_by_side{suffix}", _sheet(done))
        write_image(folder / f"fill_seam{suffix}", done.seam_map)
        return done

    def examine(self, made: Filled, folder: Path, say: Say) -> Filled:  # noqa: ARG002
        """Hold fills to known places, and try every way at hidden copies of the hole."""
        seed = self.request.seed
        apart = [_apart(made.holed, fill, seed) for fill in made.fills]
        tried = trials(self.model, self.request.hidden_copies, seed, say)
        return replace(made, apart=apart, trials=tried)


def begin(model: Any, request: FillRequest) -> FillWork:
    """Read the truth, if there is one.

    Raises:
        UserError: it cannot be read or is of another size, or the model knows no hole.
    """
    if not isinstance(model, HasHole) or model.holed is None:
        raise UserError("This run was trained without a hole; train one with --mask.")
    if not request.truth:
        return FillWork(model, request)
    config: Any = model.config  # type: ignore[attr-defined]
    read = read_picture(request.truth, config.reading)
    truth = read.image
    size, own = truth.shape[-2:], model.holed.picture.shape[-2:]
    if size != own:
        raise UserError(
            f"--truth {shown(request.truth)} is {size[1]}x{size[0]}, the picture with the hole "
            f"{own[1]}x{own[0]}; they must be the same picture at the same size."
        )
    picture, known = model.holed.picture, model.holed.hole == 0
    notes = (*read.notes, *doubts(truth[known.expand_as(truth)], picture[known.expand_as(picture)]))
    return FillWork(model, request, torch.where(known, picture, truth), notes)


def preview(model: Any, naive: Tensor | None) -> list[Tensor]:  # noqa: ARG001
    """The hole and its fill, of a model in training."""
    size = model.sizes[-1]
    real = model.real.cpu()
    hole = hole_at(model.holed.hole, size)
    small = marked(Holed(real, hole))
    return [small, model.fill(real, hole, model.config.manual_seed)]


def filled(model: HasHole, seed: int) -> Tensor:
    """One fill at the picture's own size, whose known pixels are the picture's bit for bit.

    Made at the training size; where that is smaller, the fine detail is taken from the places of
    the known part that the fill resembles.
    """
    picture, hole = model.holed.picture, model.holed.hole
    small = model.fill(picture, hole, seed).cpu()
    size = (small.shape[-2], small.shape[-1])
    if size == (picture.shape[-2], picture.shape[-1]):
        made = small
    else:
        less = hole_at(hole, size)
        _, matches = polished(small, less, 1)
        made = gray_as(picture, enlarged_fill(small, matches, picture, hole))
    return torch.where(hole > 0, made.clamp(-1, 1), picture)


def _apart(holed: Holed, made: Tensor, seed: int) -> float:
    """Mean SWD of the filled rectangle to known ones of its size, or to the whole picture."""
    known = places(holed.hole, COMPARED, seed) or [torch.ones_like(holed.hole)]
    rows, columns = box(holed.hole, AROUND)
    filled_part, found = unit(made[..., rows, columns]), []
    for copy in known:
        rows, columns = box(copy, AROUND)
        real = unit(holed.picture[..., rows, columns])
        found.append(float(sliced_wasserstein(real, filled_part)))
    return sum(found) / len(found)


def marked(holed: Holed) -> Tensor:
    """The picture with its hole in one color."""
    color = torch.tensor(MARKED).view(1, 3, 1, 1)
    return torch.where(holed.hole > 0, color, holed.picture)


def seam_map(made: Tensor, hole: Tensor) -> Tensor:
    """The picture, gray and dim, and at the hole's edge how much neighbors differ: white is loud.

    (1, 3, H, W) in [-1, 1].
    """
    gray = made.mean(1, keepdim=True)
    loud = torch.zeros_like(gray)
    steps = []
    for axis in (2, 3):
        length = made.shape[axis] - 1
        step = (made.narrow(axis, 0, length) - made.narrow(axis, 1, length)).abs().mean(1, True)
        edge = hole.narrow(axis, 0, length) != hole.narrow(axis, 1, length)
        steps.append(step[~edge])
        for start in (0, 1):
            there = loud.narrow(axis, start, length)
            there.copy_(torch.maximum(there, torch.where(edge, step, 0.0)))
    usual = torch.cat(steps).mean().clamp_min(1 / 255)
    light = (loud / (LOUD * usual)).clamp(0, 1)
    return torch.maximum(0.5 * (gray + 1) - 1, 2 * light - 1).expand(-1, 3, -1, -1)


def _sheet(done: Filled) -> Any:
    pictures, labels = [done.before], ["hole"]
    if done.truth is not None:
        pictures.append(done.truth)
        labels.append("truth")
    pictures += list(done.fills)
    labels += [f"fill {number}" for number in range(len(done.fills))]
    size = _inside_limits((done.before.shape[-2], done.before.shape[-1]))
    small = [p if p.shape[-2:] == size else resize_to(p, size).clamp(-1, 1) for p in pictures]
    return labelled(small, labels)


def _inside_limits(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, LONGEST / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
