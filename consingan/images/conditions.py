"""The other picture of a pair: made from a photograph, read for its colors, held to another one.

All pictures are (1, 3, h, w) in [-1, 1]; a palette is (L, 3) in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy
import torch
from numpy.typing import NDArray
from torch import Tensor

from consingan.images.channels import LUMINANCE
from consingan.images.picture import is_gray

SIDE = 128  # px of the shorter side, to which the sigmas below belong
EDGE_SIGMA, COLOR_SIGMA, BLUR_SIGMA = 1.5, 2.0, 6.0  # px
ROUNDS = 25  # of k-means
MOST_LABELS = 64
LEAST_SHARE = 0.001  # of the area, of a color that is a label where there are many colors
MOST_STRAYS = 0.2  # of the area, beside the labels, of a picture that still is a layout
ALIKE = 8
"""Levels of 255 in each channel within which two colors may be one that JPEG wrote in two ways:
layouts of 2 to 7 colors had 10 to 60 in files of quality 75 to 95, with this as many as they had,
with 4 up to 15."""
AS_LIGHT = 0.2  # of red and blue, say: range of the sum of a color's channels


def made_from(image: Tensor, word: str, number: int = 0) -> Tensor:
    """A of a pair, from its B.

    Args:
        image: B.
        word: "edges" (white on black), "gray", "blur" or "colors".
        number: of colors.
    """
    makers: dict[str, Callable[[Tensor], Tensor]] = {
        "edges": edges,
        "gray": gray,
        "blur": lambda picture: smoothed(picture, BLUR_SIGMA),
        "colors": lambda picture: few_colors(picture, number),
    }
    return makers[word](image)


def gray(image: Tensor) -> Tensor:
    """Luminance in all channels."""
    weights = image.new_tensor(LUMINANCE)[None, :, None, None]
    return (image * weights).sum(1, keepdim=True).expand(-1, 3, -1, -1).clone()


def smoothed(image: Tensor, sigma: float) -> Tensor:
    """Gaussian blur; `sigma` in px of a picture whose shorter side is `SIDE`."""
    real_sigma = sigma * min(image.shape[-2:]) / SIDE
    blurred = scipy.ndimage.gaussian_filter(
        image.cpu().double().numpy(), (0, 0, real_sigma, real_sigma)
    )
    return torch.from_numpy(blurred).to(image)


def edges(image: Tensor) -> Tensor:
    """Canny's edges of the luminance, white on black."""
    from skimage.feature import canny

    luminance = (gray(image)[0, 0].cpu().double().numpy() + 1) / 2
    sigma = max(EDGE_SIGMA * min(image.shape[-2:]) / SIDE, 0.8)
    found = torch.from_numpy(canny(luminance, sigma)).to(image)
    return (2 * found - 1).expand(1, 3, -1, -1).clone()


def few_colors(image: Tensor, number: int) -> Tensor:
    """The picture in `number` colors: k-means of it, blurred."""
    pixels = smoothed(image, COLOR_SIGMA)[0].flatten(1).T.double()
    rng = np.random.RandomState(0)
    places = rng.choice(len(pixels), min(number, len(pixels)), replace=False)
    centers = pixels[torch.from_numpy(places).to(pixels.device)]
    for _ in range(ROUNDS):
        nearest = torch.cdist(pixels, centers).argmin(1)
        members = torch.nn.functional.one_hot(nearest, len(centers)).double()
        sizes = members.sum(0)
        means = (members.T @ pixels) / sizes.clamp_min(1)[:, None]
        centers = torch.where(sizes[:, None] > 0, means, centers)
    centers = ((centers + 1) * 127.5).round() / 127.5 - 1  # as a file keeps them
    chosen = centers[torch.cdist(pixels, centers).argmin(1)]
    return chosen.T.reshape(1, 3, *image.shape[-2:]).to(image)


def palette_of(condition: Tensor) -> Tensor | None:
    """The colors that are names of things, (L, 3); None where a picture is no layout.

    All, where there are few of them; else those of some area, if little is of other colors, as at
    soft edges, and of colors that are alike, as JPEG makes them, the most frequent one. Two
    colors, as of drawn lines, are none: between them there may be gray.
    """
    pixels = ((condition[0].flatten(1).T + 1) * 127.5).round().to(torch.uint8).cpu()
    colors, counts = np.unique(pixels.numpy(), axis=0, return_counts=True)
    if len(colors) > MOST_LABELS:
        large = counts >= LEAST_SHARE * len(pixels)
        if counts[large].sum() < (1 - MOST_STRAYS) * len(pixels) or large.sum() > MOST_LABELS:
            return None
        colors = _apart(colors[large], counts[large])
    if len(colors) < 3:
        return None
    return torch.from_numpy(colors.astype(np.float32) / 127.5 - 1)


def _apart(colors: NDArray[np.uint8], counts: NDArray[np.intp]) -> NDArray[np.uint8]:
    """The colors (n, 3) of which no more frequent one is like them, in their order."""
    kept: list[int] = []
    for n in np.argsort(-counts, kind="stable"):
        off = np.abs(colors[kept].astype(int) - colors[n].astype(int)).max(1)
        if (off > ALIKE).all():
            kept.append(int(n))
    return colors[sorted(kept)]


def two_colors(condition: Tensor) -> Tensor:
    """The darkest and the lightest color, as a palette; of equally light ones, the most unlike."""
    pixels = condition[0].flatten(1).T.cpu()
    brightness = pixels.sum(1)
    dark, light = pixels[brightness.argmin()], pixels[brightness.argmax()]
    if brightness.max() - brightness.min() < AS_LIGHT:  # any may be these two, also one between
        light = _farthest(pixels, dark)
        dark = _farthest(pixels, light)
    return torch.stack([dark, light])


def _farthest(pixels: Tensor, color: Tensor) -> Tensor:
    return pixels[(pixels - color).square().sum(1).argmax()]


def label_map(condition: Tensor, palette: Tensor) -> Tensor:
    """The number of the nearest color of the palette for each pixel, (h, w)."""
    pixels = condition[0].flatten(1).T
    return torch.cdist(pixels, palette.to(pixels)).argmin(1).view(condition.shape[-2:])


def painted(labels: Tensor, palette: Tensor) -> Tensor:
    """A picture of labels (h, w) in the colors of a palette."""
    return palette.to(labels.device)[labels].permute(2, 0, 1)[None]


def one_hot(condition: Tensor, palette: Tensor) -> Tensor:
    """The layout (1, L, h, w) of a picture, by the nearest colors."""
    labels = label_map(condition, palette)
    return torch.nn.functional.one_hot(labels, len(palette)).permute(2, 0, 1)[None].to(condition)


def stray_share(condition: Tensor, palette: Tensor) -> float:
    """Share of the pixels whose color is far from every one of the palette.

    Far is a fifth of the range in one channel, or as much in several.
    """
    pixels = condition[0].flatten(1).T
    distances = torch.cdist(pixels, palette.to(pixels)).min(1).values
    return float((distances > 0.4).float().mean())


def is_drawn(condition: Tensor) -> bool:
    """Whether it is black and white with little between, as drawn lines are."""
    return is_gray(condition) and float((condition.abs() > 0.8).float().mean()) > 0.9


def has_ground(condition: Tensor) -> bool:
    """Whether more than half of it is white or black, as around lines that were softened."""
    shares = [float((end * condition > 0.8).float().mean()) for end in (1, -1)]
    return is_gray(condition) and max(shares) > 0.5
