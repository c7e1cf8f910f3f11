"""Pages of TIFF files: any depth, any number of bands, as scientific programs write them.

tifffile decodes them, and compressions that it lacks are unpacked in segments.py. Pillow reads the
rest: palettes, CMYK, JPEG inside, less than 8 bit.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from consingan.errors import UserError
from consingan.images.pillow import page_notes, upright_array
from consingan.images.raster import BYTE_LIMIT, PIXEL_LIMIT, Pixels, Raster
from consingan.images.segments import known_to_pillow, unpack

MIN_IS_WHITE, MIN_IS_BLACK, RGB = 0, 1, 2
ASSOCIATED, UNASSOCIATED = 1, 2  # kinds of opacity
PREVIEW, MASK = 1, 4  # bits of a page's kind
MOST_PAGES = 10_000
SUBSTANTIAL = 0.5  # opacity from which what a color is divided by is sure enough


def is_tiff(path: Path) -> bool:
    """Whether a file begins as TIFF or BigTIFF."""
    with path.open("rb") as file:
        return file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read_tiff(path: Path, page: int) -> Raster | None:
    """One page of a TIFF file, turned upright; None if it is of a kind that Pillow reads.

    Args:
        path: the file.
        page: from 1; in a file of one page with many bands, the band.

    Raises:
        UserError: there is no such page, or its numbers are of no kind that is a picture.
    """
    with tifffile.TiffFile(path) as file:
        pages = pages_of(file)
        if not pages:
            return None
        bands = pages[0].samplesperpixel
        if len(pages) > 1:
            notes = page_notes(page, len(pages), "pages")
            chosen, band = pages[max(page, 1) - 1], 0
        else:
            many = bands > 1 and not _is_colors(pages[0])
            notes = () if many else page_notes(page, 1, "pages")
            chosen, band = pages[0], page if many else 0
        if not _is_readable(chosen):
            _refuse_compression(chosen)
            return None
        _refuse_too_large(chosen, path)
        pixels = _pixels(chosen)
        if pixels is None:
            _refuse_compression(chosen)
            if chosen.samplesperpixel > 1 and chosen.bitspersample > 8:  # Pillow would leave 8 bit
                raise _unread(chosen, f" of {chosen.bitspersample} bit in several bands")
            return None
        return _raster(chosen, pixels, band, notes)


def pages_of(file: tifffile.TiffFile) -> list[tifffile.TiffPage]:
    """All pages but previews and masks of others."""
    found = []
    for index in range(min(len(file.pages), MOST_PAGES)):
        page = file.pages[index]
        if isinstance(page, tifffile.TiffFrame):
            page = page.aspage()
        if index == 0 or not int(page.subfiletype) & (PREVIEW | MASK):
            found.append(page)
    return found


def _is_colors(page: tifffile.TiffPage) -> bool:
    """Whether the file says what its bands are: red, green, blue, or gray with opacity."""
    extra = [int(kind) for kind in page.extrasamples or ()]
    if page.photometric == RGB and page.samplesperpixel >= 3:
        return page.samplesperpixel == 3 or page.samplesperpixel == 4
    return page.samplesperpixel == 2 and extra[-1:] in ([ASSOCIATED], [UNASSOCIATED])


def _is_readable(page: tifffile.TiffPage) -> bool:
    dtype = page.dtype
    if (
        dtype is None
        or dtype.kind == "b"
        or page.photometric not in (MIN_IS_WHITE, MIN_IS_BLACK, RGB)
    ):
        return False
    if dtype.kind not in "uif":
        raise UserError(f"holds numbers of the type {dtype}; save it as 8 or 16 bit or as float")
    return bool(page.bitspersample == 8 * dtype.itemsize)


def _refuse_too_large(page: tifffile.TiffPage, path: Path) -> None:
    """What a page claims must be possible, before room is made for it."""
    if page.imagedepth != 1:
        raise UserError("is a volume; save one slice of it as a picture")
    if page.imagelength * page.imagewidth > PIXEL_LIMIT:
        raise Image.DecompressionBombError
    claimed = (
        page.imagelength * page.imagewidth * page.samplesperpixel * np.dtype(page.dtype).itemsize
    )
    if claimed > BYTE_LIMIT:
        raise UserError(
            f"would take {claimed / 2**30:.1f} GiB, more than this program reads at once; "
            "save a part or fewer bands of it"
        )
    segments = math.prod(page.chunked)
    there = sum(page.databytecounts)
    if len(page.dataoffsets) < segments or (page.compression == 1 and there < claimed):
        raise ValueError("pixels are missing")
    if there > 4 * path.stat().st_size + 4 * claimed:  # the same bytes, named again and again
        raise ValueError("its parts are larger than the file")


def _refuse_compression(page: tifffile.TiffPage) -> None:
    """What Pillow cannot unpack either is not damaged."""
    if not known_to_pillow(int(page.compression)):
        raise _unread(page, "")


def _unread(page: tifffile.TiffPage, what: str) -> UserError:
    """The end of a sentence; `what` is of the picture, as " of 16 bit"."""
    name = getattr(page.compression, "name", page.compression)
    return UserError(
        f"is compressed as {name}{what}, which cannot be read; save it with LZW or Deflate"
    )


def _pixels(page: tifffile.TiffPage) -> Pixels | None:
    """Numbers (H, W, bands); None for a compression that neither unpacks."""
    shape = (page.imagelength, page.imagewidth, page.samplesperpixel)
    try:
        pixels: Pixels = page.asarray()
    except (ImportError, ValueError) as error:  # newer releases look for a module of Python 3.14
        if not isinstance(error, ImportError) and "imagecodecs" not in str(error):
            raise
        return unpack(page)
    if page.planarconfig == 2 and page.samplesperpixel > 1:
        pixels = np.moveaxis(pixels.reshape(shape[2], *shape[:2]), 0, 2)
    return pixels.reshape(shape)


def _raster(page: tifffile.TiffPage, pixels: Pixels, band: int, notes: tuple[str, ...]) -> Raster:
    extra = [int(kind) for kind in page.extrasamples or ()]
    bands = pixels.shape[2]
    color_count = 3 if page.photometric == RGB and bands >= 3 else 1
    opacity = next(
        (color_count + i for i, kind in enumerate(extra) if kind in (ASSOCIATED, UNASSOCIATED)),
        None,
    )
    if opacity is not None and opacity >= bands:
        opacity = None
    colors, said = _colors(pixels, color_count, opacity, band)
    alpha = None if opacity is None or band else pixels[:, :, opacity]
    every = None if band else _bands(pixels, color_count, opacity)
    if alpha is not None and extra[opacity - color_count] == ASSOCIATED:  # type: ignore[operator]
        colors = _separate(colors, alpha)
    orientation = page.tags.valueof("Orientation", default=1)
    profile = page.tags.valueof(34675)
    return Raster(
        upright_array(colors, orientation),
        None if alpha is None else upright_array(alpha, orientation),
        white_is_zero=page.photometric == MIN_IS_WHITE,
        nodata=_nodata(page),
        profile=profile if isinstance(profile, bytes) else None,
        notes=(*notes, *said),
        bands=None if every is None else upright_array(every, orientation),
    )


def _colors(
    pixels: Pixels, color_count: int, opacity: int | None, band: int
) -> tuple[Pixels, tuple[str, ...]]:
    """The bands that become red, green and blue, or the one that becomes gray."""
    bands = pixels.shape[2]
    named = color_count + (opacity is not None)
    if band:
        notes = page_notes(band, bands, "bands")
        return pixels[:, :, band - 1 : band], notes
    if bands <= named:
        return pixels[:, :, :color_count], ()
    more = bands - named
    if color_count == 3:
        rest = "the other one" if more == 1 else f"the other {more}"
        return pixels[:, :, :3], (f"of its {bands} bands the first three are taken, {rest} not",)
    free = [index for index in range(bands) if index != opacity]
    if len(free) >= 3:
        said = f"of its {bands} bands the first three are taken as red, green and blue"
        return pixels[:, :, free[:3]], (f"{said}; of a training image --page N takes one as gray",)
    return pixels[:, :, free[:1]], (
        f"the first of its {bands} bands is taken; of a training image --page N takes another",
    )


def _bands(pixels: Pixels, color_count: int, opacity: int | None) -> Pixels | None:
    """All bands but opacity, where they are neither gray nor three colors."""
    kept = [index for index in range(pixels.shape[2]) if index != opacity]
    return None if len(kept) in (color_count, 3) else pixels[:, :, kept]


def _separate(colors: Pixels, alpha: Pixels) -> Pixels:
    """Undo that colors were multiplied with their opacity."""
    top = np.iinfo(alpha.dtype).max if alpha.dtype.kind in "ui" else 1
    share = np.where(alpha > 0, alpha, top)[:, :, None] / top
    whole: Pixels = colors / share
    if colors.dtype.kind not in "ui":
        # Lights may be above 1, which `levels` sees; glow that covers nothing is no color, nor is
        # what a resize left of an edge.
        solid = whole[(alpha >= SUBSTANTIAL) & np.isfinite(whole).all(2)]
        most = max(1.0, float(solid.max())) if solid.size else 1.0
        faint = (alpha < SUBSTANTIAL)[:, :, None]
        return np.where(faint, np.minimum(whole, whole.dtype.type(most)), whole)
    return np.asarray(np.minimum(whole, top).round(), dtype=colors.dtype)


def _nodata(page: tifffile.TiffPage) -> float | None:
    """What GDAL says stands for no value, as pixels hold it: in float32 there is no -999.9."""
    text, dtype = page.tags.valueof(42113), np.dtype(page.dtype)
    try:
        number = None if text is None else float(str(text).strip("\0 "))
    except ValueError:
        return None
    if number is None or dtype.kind != "f":
        return number
    with np.errstate(over="ignore"):
        return float(np.float64(number).astype(dtype))
