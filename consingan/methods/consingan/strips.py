"""A large picture made in horizontal strips, so that memory grows with its width alone.

What a generator makes of its noise is local: a row of the picture depends on some rows of each
stage. Each stage is a `Rows`, which makes its next strip from the strips of the stage before and
keeps no more than the next stage still needs. At the true edges of the picture convolutions see
what they see in the whole; at the edges of a strip the rows that padding reached are cut off, so
that the result equals the whole one to rounding. With normalization, whose statistics are of whole
maps, that is not so: `can_strip`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.methods.consingan.networks import Generator
from consingan.nn.architecture import Architecture
from consingan.nn.noise import GaussianReader, gaussian
from consingan.nn.upsampling import bicubic_rows, sources

Range = tuple[int, int]  # rows [a, b)
Layer = Callable[[Tensor], Tensor]
WHOLE, WHOLE_ON_GPU = 2**24, 2**28  # values of the finest map up to which it is made whole
STRIP = 2**23  # values of a strip of any map
ON_GPU = 8  # times as many there


def can_strip(shape: Architecture) -> bool:
    """Whether strips give the whole picture: without normalization every layer is local."""
    return not shape.norm


def is_large(size: tuple[int, int], channels: int, device: torch.device) -> bool:
    """Whether a picture of `size` (h, w) had better be made in strips; of its size alone."""
    limit = WHOLE_ON_GPU if device.type == "cuda" else WHOLE
    return size[0] * size[1] * channels > limit


@dataclass
class Rows:
    """A map (1, C, height, width) that is made strip by strip from the top.

    Attributes:
        height, width: of the whole map.
        make: rows [a, b) of the map; it is asked for one range after the other.
        strip: rows that are worth making at a time.
    """

    height: int
    width: int
    make: Callable[[Range], Tensor]
    strip: int
    start: int = 0
    kept: Tensor | None = None

    def take(self, rows: Range) -> Tensor:
        """Rows [a, b); from then on no row before a can be asked for."""
        first, last = rows
        end = self.start + (0 if self.kept is None else self.kept.shape[2])
        old = None if self.kept is None else self.kept[:, :, first - self.start :]
        if last > end:
            new = self.make((end, min(max(last, end + self.strip), self.height)))
            old = new[:, :, first - end :] if old is None else torch.cat([old, new], 2)
        assert old is not None
        self.start, self.kept = first, old
        return old[:, :, : last - first]


@torch.no_grad()
def draw(
    shapes: Sequence[tuple[int, int, int, int]], rng: torch.Generator
) -> tuple[Tensor, list[Rows]]:
    """z_0 and the others in strips: the numbers that `gaussian` gives for one shape after another.

    A CPU draws them as they are needed. A GPU, whose numbers depend on how many are drawn at a
    time, draws them at once.
    """
    first = gaussian(shapes[0], rng)
    if rng.device.type != "cpu":
        return first, [whole(gaussian(shape, rng)) for shape in shapes[1:]]
    later = []
    for _, channels, height, width in shapes[1:]:
        reader = GaussianReader(height * width * channels, rng)
        make = partial(_drawn, reader, width, channels)
        later.append(Rows(height, width, make, _strip(width * channels, rng.device)))
        if len(later) < len(shapes) - 1:
            reader.skip(rng)
    return first, later


def _drawn(reader: GaussianReader, width: int, channels: int, rows: Range) -> Tensor:
    numbers = reader.take((rows[1] - rows[0]) * width * channels)
    return numbers.view(1, -1, width, channels).permute(0, 3, 1, 2)


def whole(x: Tensor) -> Rows:
    """A map that is there."""
    return Rows(x.shape[2], x.shape[3], lambda rows: x[:, :, rows[0] : rows[1]], x.shape[2])


def _strip(values: int, device: torch.device) -> int:
    """Rows of a strip for a map with so many `values` in a row."""
    return max(16, STRIP * (ON_GPU if device.type == "cuda" else 1) // values)


@torch.no_grad()
def picture(
    generator: Generator, z0: Tensor, noises: Sequence[Rows], amplitudes: Sequence[float],
    start: int = 0,
) -> Tensor:  # fmt: skip
    """What `generator([z0, *noises], amplitudes, start)` gives, (1, 3, h, w), for one sample."""
    device = z0.device
    x = _first(generator, z0, start)
    for stage, noise in enumerate(noises, max(start, 1)):
        x = _refined(generator, stage, x, noise, amplitudes[stage])
    made = torch.empty(1, generator.shape.image_channels, x.height, x.width, device=device)
    for rows in _ranges(x.height, x.strip):
        made[:, :, rows[0] : rows[1]] = _rendered(generator, x, rows)
    return made


def _ranges(height: int, strip: int) -> Iterator[Range]:
    for first in range(0, height, strip):
        yield first, min(first + strip, height)


def _map(
    generator: Generator, size: tuple[int, int], make: Callable[[Range], Tensor], like: Tensor
) -> Rows:
    return Rows(*size, make, _strip(size[1] * generator.shape.channels, like.device))


def _first(generator: Generator, z0: Tensor, start: int) -> Rows:
    """See `Generator.first_features`."""
    shape, operations = generator.shape, generator.operations
    margin, layers = shape.margin, shape.layers
    height, width = z0.shape[-2:]
    head: list[Layer] = [partial(operations.block, generator.head)]
    source = _Padded(whole(z0), margin)
    x = _map(generator, (height, width), lambda rows: _through(shape, head, source, rows), z0)
    if start > 0:
        return x
    body = _layers(generator, 0)
    if generator.border == "noise":
        size = (height + 2 * margin, width + 2 * margin)
        wide = _map(generator, size, lambda rows: _upsampled(x, size, rows), z0)
        inner = _Padded(wide, (layers - 1) * margin)
    else:
        inner = _Padded(x, layers * margin)
    return _map(generator, (height, width), lambda rows: _through(shape, body, inner, rows), z0)


def _refined(generator: Generator, stage: int, x: Rows, noise: Rows, amplitude: float) -> Rows:
    """See `Generator.refine`."""
    shape, frame = generator.shape, generator.frame
    border = shape.layers * shape.margin
    size = (noise.height - 2 * frame, noise.width - 2 * frame)
    wide_size = (noise.height, noise.width)
    body = _layers(generator, stage)

    def make(rows: Range) -> Tensor:
        inner = _needed(shape, len(body), size[0] + 2 * border, rows)
        if generator.border == "zero":  # the frame of zeros is put around skip + noise
            inner = _inside(inner, border, size[0])
        bounds = [sources(x.height, wide_size[0], *inner), sources(x.height, size[0], *rows)]
        first, last = min(a for a, _ in bounds), max(b for _, b in bounds)
        known = x.take((first, last))

        def upsampled(to: tuple[int, int], wanted: Range) -> Tensor:
            a, b = sources(x.height, to[0], *wanted)
            return bicubic_rows(known[:, :, a - first : b - first], to, wanted, x.height, a)

        wide = torch.add(upsampled(wide_size, inner), noise.take(inner), alpha=amplitude)
        source = _Part(wide, inner[0], noise.height)
        padded = _Padded(source, 0 if generator.border == "noise" else border)
        return _through(shape, body, padded, rows) + upsampled(size, rows)

    return Rows(*size, make, noise.strip)


def _rendered(generator: Generator, x: Rows, rows: Range) -> Tensor:
    """Rows of the picture, see `Generator.render`."""
    tail: list[Layer] = [partial(generator.operations.render, generator.tail)]
    return _through(generator.shape, tail, _Padded(x, generator.shape.margin), rows).float()


def _upsampled(x: Rows, size: tuple[int, int], rows: Range) -> Tensor:
    first, last = sources(x.height, size[0], *rows)
    return bicubic_rows(x.take((first, last)), size, rows, x.height, first)


def _layers(generator: Generator, stage: int) -> list[Layer]:
    blocks: torch.nn.ModuleList = generator.body[stage]  # type: ignore[assignment]
    return [partial(generator.operations.block, block) for block in blocks]  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Part:
    """Rows from `first` on of a map of `height`, of which no others are asked for."""

    known: Tensor
    first: int
    height: int

    def take(self, rows: Range) -> Tensor:
        return self.known[:, :, rows[0] - self.first : rows[1] - self.first]


@dataclass(frozen=True)
class _Padded:
    """A map with `pixels` zeros on each side."""

    inner: Rows | _Part
    pixels: int

    @property
    def height(self) -> int:
        return self.inner.height + 2 * self.pixels

    def take(self, rows: Range) -> Tensor:
        first, last = _inside(rows, self.pixels, self.inner.height)
        above, below = first + self.pixels - rows[0], rows[1] - last - self.pixels
        return F.pad(self.inner.take((first, last)), (self.pixels, self.pixels, above, below))


def _inside(rows: Range, pixels: int, height: int) -> Range:
    """The rows of a map of `height` among `rows` of it with `pixels` on each side."""
    return max(rows[0] - pixels, 0), min(rows[1] - pixels, height)


def _needed(shape: Architecture, layers: int, height: int, rows: Range) -> Range:
    """Rows of a map of `height` from which `layers` convolutions make `rows`."""
    above = layers * shape.padding
    below = layers * (shape.kernel - 1 - shape.padding)
    return max(rows[0] - above, 0), min(rows[1] + below, height)


def _through(shape: Architecture, layers: Sequence[Layer], source: _Padded, rows: Range) -> Tensor:
    """Rows of what `layers`, each with a convolution, make of `source`."""
    height = source.height
    first, last = _needed(shape, len(layers), height, rows)
    x = source.take((first, last))
    for layer in layers:
        y = layer(x)
        above = shape.padding if first > 0 else 0  # rows that see zeros instead of the map
        below = shape.padding if last < height else 0
        x = y[:, :, above : y.shape[2] - below]
        first, height = first + above, height - 2 * shape.margin
        last = first + x.shape[2]
    return x[:, :, rows[0] - first : rows[1] - first]
