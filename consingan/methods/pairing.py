"""What methods that learn from a pair have in common: the pair and the trained model."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from consingan.errors import UserError
from consingan.images.conditions import (
    gray,
    has_ground,
    is_drawn,
    label_map,
    made_from,
    painted,
    palette_of,
    stray_share,
    two_colors,
)
from consingan.images.picture import gray_as, is_flat, is_gray
from consingan.images.resize import resize, resize_to, same_shape, training_scale
from consingan.machine.precision import Arithmetic
from consingan.methods.contract import Inputs, Size, Task
from consingan.methods.least import refuse_small
from consingan.methods.one_stage import OneNetwork
from consingan.methods.pairs import WORDS, recipe_of

MOST_STRAYS = 0.2  # of the area of a new A, in colors that the training's A has not
GROUND = 0.5
"""Mean, to either side of 0, of a drawing whose lines take a quarter of it: lines take less, and of
a layout in black and white each may take any share."""


@dataclass(frozen=True)
class Pair:
    """A and B of one size.

    Attributes:
        condition: A, (1, 3, h, w) in [-1, 1].
        image: B, likewise.
        palette: (L, 3), the colors of A where they are names of things; else (0, 3).
        scale: of A in the training to A as it was given.
        drawn: whether A is black lines on white or the reverse, as it was read: reduced to the
            size of the training, thin lines are gray.
    """

    condition: Tensor
    image: Tensor
    palette: Tensor
    scale: float = 1.0
    drawn: bool = False

    @property
    def labels(self) -> bool:
        """Whether the colors of A are names of things."""
        return len(self.palette) > 0

    def to(self, device: torch.device) -> Pair:
        """The same on another device."""
        condition, image = self.condition.to(device), self.image.to(device)
        return replace(self, condition=condition, image=image, palette=self.palette.to(device))

    def tensors(self) -> dict[str, Tensor]:
        """For a file; `pair_from` is the inverse."""
        scale = torch.tensor(self.scale, dtype=torch.float64)
        named = {"real.0": self.image, "condition": self.condition}
        named |= {"palette": self.palette, "scale": scale}
        if self.drawn == is_drawn(self.condition):  # as every release can tell
            return named
        return named | {"drawn": torch.tensor(float(self.drawn))}


def pair_from(tensors: Mapping[str, Tensor]) -> Pair:
    """The pair that `Pair.tensors` came from.

    Raises:
        KeyError: a tensor is missing.
    """
    condition = tensors["condition"]
    drawn = bool(tensors["drawn"]) if "drawn" in tensors else is_drawn(condition)
    scale = float(tensors["scale"])
    return Pair(condition, tensors["real.0"], tensors["palette"], scale, drawn)


class Paired(Protocol):
    """Settings of a pair: what A is, and the longer side of the training in px."""

    @property
    def condition(self) -> str: ...  # noqa: D102
    @property
    def max_size(self) -> int: ...  # noqa: D102


def pair_of(config: Paired, inputs: Inputs) -> Pair:
    """The pair at the training's size; A is made from B where no file is named.

    Raises:
        UserError: there is no A, or it does not go with B.
    """
    scale = training_scale(_size(inputs.image), config.max_size)
    image = resize(inputs.image, scale).clamp(-1, 1) if scale < 1 else inputs.image
    size = _size(image)
    refuse_small(size, _size(inputs.image))
    given = inputs.condition
    if given is None:
        recipe = recipe_of(config.condition) if config.condition else None
        if recipe is None:
            raise UserError(f"--condition is missing: name A of the pair, or {WORDS}.")
        word, number = recipe
        condition = made_from(image, word, number)
        # A dark gray picture or a flat blur has few levels, too, which name nothing.
        palette = palette_of(condition) if number else None
        drawn = is_drawn(condition)
    else:
        _check_shape(given, inputs.image)
        palette = palette_of(given)
        scale = size[1] / given.shape[-1]
        condition = scaled(given, size, palette)
        # A dithered photograph is black and white, too, but gray all over once it is reduced.
        drawn = is_drawn(given) and (is_drawn(condition) or has_ground(condition))
    if is_flat(condition):
        warnings.warn(
            "A of the pair has only one color, so that it says nothing of B", stacklevel=2
        )
    palette = torch.zeros(0, 3) if palette is None else palette
    return Pair(condition, image, palette, scale, drawn)


def _size(image: Tensor) -> Size:
    return image.shape[-2], image.shape[-1]


def _check_shape(condition: Tensor, image: Tensor) -> None:
    (h, w), (height, width) = _size(condition), _size(image)
    if not same_shape((h, w), (height, width)):
        raise UserError(
            f"The condition is {w}x{h}, of another shape than the image ({width}x{height}); cut "
            "both alike, for they must show the same places."
        )


def scaled(condition: Tensor, size: Size, palette: Tensor | None) -> Tensor:
    """An A at another size; a layout keeps its colors and gets no others."""
    if palette is not None and len(palette):
        clean = painted(label_map(condition, palette), palette)
        return F.interpolate(clean, size, mode="nearest-exact")
    return condition if _size(condition) == size else resize_to(condition, size).clamp(-1, 1)


@dataclass
class PairModel(OneNetwork):
    """A network that makes B from A, with the pair that it learned; see `contract.Translates`.

    Attributes:
        config: its settings.
        tasks: the method's.
        network: see `made`.
        pair: on the network's device.
        arithmetic: of making pictures.
    """

    config: Any
    tasks: Mapping[str, Task]
    network: nn.Module
    pair: Pair
    arithmetic: Arithmetic = field(default_factory=Arithmetic)

    @abstractmethod
    def made(self, condition: Tensor) -> Tensor:
        """From an A on the device, (k, 3, h, w), without gradients."""

    @property
    def device(self) -> torch.device:
        """Where it lies; patches have no network."""
        return self.pair.image.device

    @property
    def real(self) -> Tensor:
        """B, (1, 3, h, w)."""
        return self.pair.image

    @property
    def condition(self) -> Tensor:
        """A, (1, 3, h, w)."""
        return self.pair.condition

    @property
    def labels(self) -> bool:
        """See `contract.Translates`."""
        return self.pair.labels

    @property
    def sizes(self) -> list[Size]:
        """(h, w) px of the training."""
        return [_size(self.real)]

    @torch.no_grad()
    def render(self, condition: Tensor) -> Tensor:
        """See `contract.Translates`."""
        self.network.eval()
        with self.arithmetic.scope(self.device), self.arithmetic.autocast(self.device):
            made = self.made(condition.to(self.device))
        return gray_as(self.real.cpu(), made.float().clamp(-1, 1).cpu())

    def reconstruction(self) -> Tensor:
        """From the A that it was trained with, (1, 3, h, w)."""
        return self.render(self.condition)[:1]

    def translate(self, condition: Tensor) -> Tensor:
        """See `contract.Translates`."""
        size, scale = _size(condition), self.pair.scale
        small = (max(round(size[0] * scale), 1), max(round(size[1] * scale), 1))
        palette = self.pair.palette.cpu()
        if not self.labels and is_gray(self.condition) and not is_gray(condition):
            condition = gray(condition)
        made = self.render(scaled(condition.cpu(), small, palette))
        return made if small == size else resize_to(made, size).clamp(-1, 1)

    def notes_on(self, condition: Tensor) -> list[str]:
        """See `contract.Translates`."""
        if self.labels:
            return self._notes_on_colors(condition)
        mine, new = is_gray(self.condition), is_gray(condition)
        if mine and not new:
            return ["A has colors, of which only the brightness counts: the training's A is gray."]
        if not mine and new:
            return ["A is gray, the training's A has colors: the result may be, too."]
        two = two_colors(self.condition)
        share = stray_share(condition, two)
        if not mine and share > MOST_STRAYS > stray_share(self.condition, two):
            return [f"{share:.0%} of A is in colors that are not among the training's two."]
        means = float(self.condition.mean()), float(condition.mean())
        opposite, dark = means[0] * means[1] < 0, means[0] < 0
        if self.pair.drawn and opposite and is_drawn(condition) and min(map(abs, means)) > GROUND:
            ground, line = ("black", "white") if dark else ("white", "black")
            raise UserError(
                f"The new A is drawn the other way round than that of the training; draw {line} "
                f"on {ground}, or invert it."
            )
        if self.pair.drawn and opposite and has_ground(condition):  # or a photograph at night
            return ["If the new A is a drawing, it is drawn the other way round: invert it then."]
        return []

    def _notes_on_colors(self, condition: Tensor) -> list[str]:
        share = stray_share(condition, self.pair.palette)
        if share > MOST_STRAYS:
            raise UserError(
                f"{share:.0%} of the new A is in colors that the A of the training has not; paint "
                f"with its {len(self.pair.palette)} colors (condition.png in the folder of an "
                "evaluation shows them)."
            )
        if share > 0:
            return [
                f"{share:.1%} of A is in other colors than the training's A; the nearest count."
            ]
        return []


def margin(size: Size, unit: int) -> Size:
    """Rows below and columns at the right that make both sides multiples of `unit` px."""
    return -size[0] % unit, -size[1] % unit


def mirrored(x: Tensor, size: Size) -> Tensor:
    """`x` (1, C, h, w) continued below and at the right to `size`, mirrored as often as need be."""
    return x[..., _mirrored_places(x.shape[-2], size[0]), :][
        ..., _mirrored_places(x.shape[-1], size[1])
    ]


def _mirrored_places(length: int, wanted: int) -> Tensor:
    places = torch.arange(wanted) % max(2 * length - 2, 1)
    return torch.where(places < length, places, 2 * length - 2 - places)
