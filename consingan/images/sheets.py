"""Several pictures in one: grids and labelled sheets."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from consingan.images.io import to_pixels
from consingan.images.raster import Pixels
from consingan.images.resize import resize

GAP = 4  # px between the pictures of a grid
LABEL_HEIGHT = 18  # px for a line of text
MARGIN = 3  # px around it
MOST = 2**24  # px of all pictures of a sheet together


def grid(pictures: Sequence[Tensor], columns: int | None = None) -> Tensor:
    """Put pictures (1, 3, h, w) in [-1, 1] into rows on white, (3, H, W); cells fit the largest."""
    count = len(pictures)
    columns = columns or min(count, 4)
    rows = -(-count // columns)
    channels = pictures[0].shape[1]
    height, width = (max(picture.shape[side] for picture in pictures) for side in (2, 3))
    sheet = torch.ones(channels, rows * (height + GAP) - GAP, columns * (width + GAP) - GAP)
    for index, picture in enumerate(pictures):
        top = (index // columns) * (height + GAP)
        left = (index % columns) * (width + GAP)
        h, w = picture.shape[-2:]
        sheet[:, top : top + h, left : left + w] = picture[0].detach().float().cpu()
    return sheet


def labelled(
    pictures: Sequence[Tensor], labels: Sequence[str], columns: int | None = None
) -> Pixels:
    """The same with a line of text above each picture, as (H, W, 3) uint8.

    What is narrower than its label gets white beside it, so that every label can be read. Pictures
    of more than `MOST` px together are shown smaller.
    """
    from PIL import Image, ImageDraw

    pictures = _lessened(pictures)
    pen = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    widest = max(math.ceil(pen.textlength(label)) for label in labels) + 2 * MARGIN
    framed = []
    for picture, label in zip(pictures, labels, strict=True):
        pixels = to_pixels(picture)
        size = (max(pixels.shape[1], widest), pixels.shape[0] + LABEL_HEIGHT)
        canvas = Image.new("RGB", size, "white")
        canvas.paste(Image.fromarray(pixels), (0, LABEL_HEIGHT))
        ImageDraw.Draw(canvas).text((MARGIN, MARGIN), label, fill="black")
        framed.append(torch.from_numpy(np.asarray(canvas) / 127.5 - 1).permute(2, 0, 1)[None])
    return to_pixels(grid(framed, columns))


def _lessened(pictures: Sequence[Tensor]) -> Sequence[Tensor]:
    """The same, all as many times smaller as a sheet has room for."""
    pixels = sum(picture.shape[-2] * picture.shape[-1] for picture in pictures)
    if pixels <= MOST:
        return pictures
    scale = math.sqrt(MOST / pixels)
    return [resize(picture.detach().float().cpu(), scale).clamp(-1, 1) for picture in pictures]
