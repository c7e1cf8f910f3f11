"""Which way of filling looks best here: copies of the hole are hidden where the truth is known.

At some places that the seed chooses a copy of the user's hole is laid over known pixels, filled
by every way, and held to what is there. A trained method has seen those places in training, so its
figures prove little; that is said beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.images.hole import emptied, hole_at
from consingan.images.io import unit
from consingan.images.resize import resize_to
from consingan.images.smooth import biharmonic
from consingan.machine.execution import Execution
from consingan.machine.progress import counted
from consingan.methods.registry import METHODS, UNTRAINED, method_of
from consingan.metrics.inside import Inside, box, inside
from consingan.nn.noise import stream
from consingan.outputs.contract import Say

LONGEST = 128  # px at which it is tried; the longer side of larger pictures is brought to that
TASK = "inpainting"

Fill = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Trial:
    """One way of filling, the mean over the hidden copies.

    Attributes:
        name: of the way.
        score: see `Inside`.
        seen: whether it learned the hidden places.
        picture: the first copy, filled, (1, 3, h, w) in [-1, 1].
    """

    name: str
    score: Inside
    seen: bool
    picture: Tensor


@dataclass(frozen=True)
class Trials:
    """Every way, and the first copy as it should be; `best` is the name of the way to look at."""

    rows: Sequence[Trial]
    truth: Tensor

    @property
    def best(self) -> Trial:
        """The way with the least SWD of those that had not seen the places."""
        return min((t for t in self.rows if not t.seen), key=lambda trial: trial.score.swd)

    def to_json(self) -> list[dict[str, Any]]:
        """The figures."""
        return [{"way": t.name, "seen": t.seen, **asdict(t.score)} for t in self.rows]


def trials(model: Any, count: int, seed: int, say: Say) -> Trials | None:
    """Try every way at hidden copies; None without any, or where the hole fits nowhere else.

    Args:
        model: see `contract.HasHole`.
        count: how many copies.
        seed: chooses the places.
        say: takes a line for the user.
    """
    if not count:
        return None
    picture, hole = _reduced(model.holed.picture, model.holed.hole)
    copies = places(hole, count, seed)
    if not copies:
        say("Note: no copy of the hole fits into what is known, so ways are not compared.")
        return None
    ways = _ways(model)
    number = f"{len(copies)} {'copy' if len(copies) == 1 else 'copies'}"
    say(f"trying {counted(len(ways), 'way')} at {number} of the hole in the known part")
    tried = (_tried(name, way, picture, hole, copies) for name, way in ways.items())
    rows = [trial for trial in tried if trial is not None]
    return Trials(rows, _cut(picture, copies[0]))


def _ways(model: Any) -> Mapping[str, tuple[Fill, bool]]:
    own = method_of(model.config.method).title
    ways = {name: (way, False) for name, way in UNTRAINED_WAYS.items()}
    if own not in ways:
        seen = bool(model.saw_known)
        ways[own] = (lambda image, mask: _sized(model.fill(image, mask, 0), image, mask), seen)
    return ways


def _sized(made: Tensor, image: Tensor, mask: Tensor) -> Tensor:
    size = (image.shape[-2], image.shape[-1])
    large = made if tuple(made.shape[-2:]) == size else resize_to(made, size)
    return torch.where(mask > 0, large.to(image).clamp(-1, 1), image)


def of_patches(image: Tensor, mask: Tensor) -> Tensor:
    """The fill of the method that trains nothing."""
    method = METHODS[UNTRAINED]
    settings = {**method.tasks[TASK].overrides, "train_mode": TASK, "max_size": LONGEST}
    there = Execution(torch.device("cpu"))
    model: Any = method.load().restore(method.config(**settings), {"real.0": image}, there)
    return _sized(model.fill(image, mask, 0), image, mask)


UNTRAINED_WAYS: Mapping[str, Fill] = {
    "smooth (means)": emptied,
    "smooth (biharmonic)": biharmonic,
    METHODS[UNTRAINED].title: of_patches,
}
"""Ways that are there for every picture; each takes picture and hole, and gives the whole."""


def _tried(
    name: str, way: tuple[Fill, bool], picture: Tensor, hole: Tensor, copies: Sequence[Tensor]
) -> Trial | None:
    fill, seen = way
    scores, first = [], None
    for copy in copies:
        both = torch.maximum(hole, copy)
        try:
            made = fill(emptied(picture, both), both)
        except UserError:  # too little is left for it
            return None
        made = torch.where(copy > 0, made, picture)
        scores.append(inside(unit(picture), unit(made), copy))
        first = _cut(made, copy) if first is None else first
    assert first is not None
    values = np.mean([(s.psnr, s.ssim, s.swd) for s in scores], axis=0)
    return Trial(name, Inside(*(float(v) for v in values)), seen, first)


def _cut(image: Tensor, copy: Tensor) -> Tensor:
    rows, columns = box(copy, 16)
    return image[..., rows, columns]


def _reduced(picture: Tensor, hole: Tensor) -> tuple[Tensor, Tensor]:
    height, width = picture.shape[-2:]
    scale = LONGEST / max(height, width)
    if scale >= 1:
        return picture, hole
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return resize_to(picture, size).clamp(-1, 1), hole_at(hole, size)


def places(hole: Tensor, count: int, seed: int) -> list[Tensor]:
    """Up to `count` copies of a hole (1, 1, h, w), whole ones, that leave something known.

    None touches the hole; nor is there one that takes all the rest, as of the half of a picture.
    """
    rows, columns = box(hole)
    piece = hole[..., rows, columns]
    height, width = (s - p for s, p in zip(hole.shape[-2:], piece.shape[-2:], strict=True))
    rng, found = stream(seed, "hidden copies"), []
    for _ in range(400):
        top = int(torch.randint(height + 1, (1,), generator=rng))
        left = int(torch.randint(width + 1, (1,), generator=rng))
        copy = torch.zeros_like(hole)
        copy[..., top : top + piece.shape[-2], left : left + piece.shape[-1]] = piece
        if not bool((copy * hole).any()) and not bool((copy + hole).all()):
            found.append(copy)
        if len(found) == count:
            break
    return found
