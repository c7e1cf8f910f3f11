"""A fill gone over with patches of the known part: texture for what a network only painted.

Each window that touches the hole takes its nearest known window, by the leading principal
components of the known ones; overlapping windows vote, those near the known border more (Wexler et
al. 2007, section 3). At a larger size the windows that were found give the fine detail.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.images.hole import emptied
from consingan.images.resize import resize_to
from consingan.machine.device import complete

PATCH = 7  # px
LEADING = 24  # principal components of a patch
MOST = 12_000  # known windows asked; of more, some at regular places
CHUNK = 2048  # windows compared at once
ROUNDS = 4
FALL = 1.3  # weight of a window falls by this for each pixel from the known border


@dataclass(frozen=True)
class Matches:
    """The nearest known window of each window that touches the hole, by their upper left pixels.

    Attributes:
        windows: (n, 2), row and column.
        nearest: (n, 2), likewise.
    """

    windows: Tensor
    nearest: Tensor


@dataclass(frozen=True)
class Library:
    """The known windows of a picture.

    Attributes:
        places: (m, 2), row and column of their upper left pixels.
        patches: (m, 3 p p).
        axes: (3 p p, k), principal components.
    """

    places: Tensor
    patches: Tensor
    axes: Tensor

    def nearest(self, windows: Tensor) -> Tensor:
        """Numbers of the nearest known patches, (n,), of (n, 3 p p)."""
        mine = self.patches @ self.axes
        half = mine.square().sum(1) / 2
        asked = (windows @ self.axes).split(CHUNK)
        return torch.cat([(part @ mine.T - half).argmax(1) for part in asked])


def touched(hole: Tensor, patch: int = PATCH) -> Tensor:
    """Which windows have a pixel of a hole (1, 1, h, w): (h - p + 1, w - p + 1), bool."""
    return F.max_pool2d(hole, patch, stride=1)[0, 0] > 0


def library_of(image: Tensor, hole: Tensor) -> Library | None:
    """The windows of (1, 3, h, w) without a pixel of the hole; None where there are too few."""
    places = (~touched(hole)).nonzero()
    if len(places) <= LEADING:
        return None
    places = places[:: -(-len(places) // MOST)]
    patches = cut(image, places)
    apart = (patches - patches.mean(0)).to(complete(image.device), torch.float64)
    _, vectors = torch.linalg.eigh(apart.T @ apart / len(apart))
    return Library(places, patches, vectors[:, -LEADING:].to(patches))


def cut(image: Tensor, places: Tensor, patch: int = PATCH) -> Tensor:
    """Windows of (1, 3, h, w) with their upper left pixels at `places` (n, 2): (n, 3 p p)."""
    width = image.shape[-1] - patch + 1
    rows = image[0].unfold(1, patch, 1).unfold(2, patch, 1)  # (3, h', w', p, p)
    numbers = places[:, 0] * width + places[:, 1]
    row, column = numbers // width, numbers % width
    return rows[:, row, column].transpose(0, 1).flatten(1)


def polished(image: Tensor, hole: Tensor, rounds: int = ROUNDS) -> tuple[Tensor, Matches | None]:
    """The picture with its fill gone over, and what was found last.

    Args:
        image: (1, 3, h, w) in [-1, 1], with a first fill.
        hole: (1, 1, h, w), 1 inside.
        rounds: of search and vote.
    """
    if min(image.shape[-2:]) < PATCH or (library := library_of(image, hole)) is None:
        return image, None
    places = touched(hole).nonzero()
    if not len(places):
        return image, None
    weights = FALL ** -depth(hole).clamp_max(60)
    matches = None
    for _ in range(rounds):
        found = library.nearest(cut(image, places))
        matches = Matches(places, library.places[found])
        voted = _voted(library.patches[found], places, weights)
        image = torch.where(hole > 0, voted, image)
    return image, matches


def copied(image: Tensor, matches: Matches | None, hole: Tensor) -> Tensor:
    """Each pixel of the hole as it is in the middle of the known window found for it.

    Votes blur; copies do not. On three photographs with a tenth missing that lowered the SWD of
    fills from 38.0 to 34.6 and their PSNR from 15.2 to 14.9 dB.

    Args:
        image: (1, 3, h, w) in [-1, 1].
        matches: of `polished`; None changes nothing.
        hole: (1, 1, h, w).
    """
    if matches is None:
        return image
    to, at = (places + PATCH // 2 for places in (matches.windows, matches.nearest))
    made = image.clone()
    made[:, :, to[:, 0], to[:, 1]] = image[:, :, at[:, 0], at[:, 1]]
    return torch.where(hole > 0, made, image)


def _voted(patches: Tensor, places: Tensor, weights: Tensor) -> Tensor:
    """The mean of overlapping windows, (1, 3, h, w); each counts as its middle does."""
    height, width = weights.shape[-2:]
    middle = weights[0, 0, places[:, 0] + PATCH // 2, places[:, 1] + PATCH // 2]
    total = weights.new_zeros(4, height * width)
    steps = torch.arange(PATCH)
    offsets = (steps[:, None] * width + steps).flatten().to(places)
    pixels = (places[:, 0] * width + places[:, 1])[:, None] + offsets
    values = patches.view(len(patches), 3, -1) * middle[:, None, None]
    for channel in range(3):
        total[channel].index_add_(0, pixels.flatten(), values[:, channel].flatten())
    counts = middle[:, None].expand(-1, PATCH**2)
    total[3].index_add_(0, pixels.flatten(), counts.flatten())
    return (total[:3] / total[3].clamp_min(1e-8)).view(1, 3, height, width)


def depth(hole: Tensor) -> Tensor:
    """Of each pixel of a hole (1, 1, h, w) the distance to what is known, px; 0 outside."""
    from scipy import ndimage

    inside = hole[0, 0].cpu().numpy() > 0
    found = torch.from_numpy(ndimage.distance_transform_edt(inside)).to(hole.dtype)
    return found.to(hole.device)[None, None]


def seamless(made: Tensor, image: Tensor, hole: Tensor) -> Tensor:
    """`made` in the hole, moved by what it lacks around the hole; else the image, bit for bit.

    Args:
        made: (1, 3, h, w), a whole picture.
        image: what is known, the same shape.
        hole: (1, 1, h, w).
    """
    lack = emptied(image - made, hole)
    return torch.where(hole > 0, (made + lack).clamp(-1, 1), image)


def enlarged_fill(small: Tensor, matches: Matches | None, picture: Tensor, hole: Tensor) -> Tensor:
    """A fill at the picture's own size: smooth from the small one, with the detail that is known.

    Detail is what the picture has beyond its own reduction, at the places where the small fill
    found its windows.

    Args:
        small: (1, 3, h, w) in [-1, 1], filled.
        matches: of `polished`, at the small size; None adds no detail.
        picture: (1, 3, H, W).
        hole: (1, 1, H, W).
    """
    size = (picture.shape[-2], picture.shape[-1])
    little = (small.shape[-2], small.shape[-1])
    large = resize_to(small, size)
    if matches is not None:
        detail = torch.where(hole > 0, 0, picture - resize_to(resize_to(picture, little), size))
        large = large + _moved(detail, matches, little, hole)
    return seamless(large, picture, hole)


def _moved(detail: Tensor, matches: Matches, little: tuple[int, int], hole: Tensor) -> Tensor:
    """In each pixel of the hole the detail of the place that its window was found at."""
    height, width = detail.shape[-2:]
    shift = torch.zeros(2, *little, dtype=torch.float64)
    middle = matches.windows + PATCH // 2
    shift[:, middle[:, 0], middle[:, 1]] = (matches.nearest - matches.windows).T.double()
    inside = (hole[0, 0] > 0).nonzero()
    scale = torch.tensor([little[0] / height, little[1] / width], dtype=torch.float64)
    at = ((inside + 0.5) * scale).long()
    half = PATCH // 2
    row, column = (at[:, k].clamp(half, little[k] - 1 - half) for k in (0, 1))
    source = inside + (shift[:, row, column].T / scale).round().long()
    row, column = (source[:, k].clamp(0, side - 1) for k, side in enumerate((height, width)))
    moved = torch.zeros_like(detail)
    moved[:, :, inside[:, 0], inside[:, 1]] = detail[:, :, row, column]
    return moved
