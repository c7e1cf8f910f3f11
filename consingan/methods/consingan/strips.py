"""A large picture made in horizontal strips, so that memory grows with its width alone.

What a generator makes of its noise is local: a row of the picture depends on some rows of each
stage. Each stage is a `Rows`, which makes its next strip from the strips of the stage before and
keeps no more than the next stage still needs. At the true edges of the picture convolutions see
what they see in the whole; at the edges of a strip the rows that padding reached are cut off, so
that the result equals the whole one to rounding.

Normalization needs the mean and the variance of whole maps. They are measured first, one layer
after the other: a pass through the strips up to that layer, with the statistics of the layers
before it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.machine.device import complete
from consingan.machine.progress import tracked
from consingan.methods.consingan.networks import Generator
from consingan.methods.consingan.reach import Range, inside, needed
from consingan.methods.consingan.rows import Rows, strip_of, whole
from consingan.nn.architecture import Architecture
from consingan.nn.blocks import Block, SampleNorm
from consingan.nn.upsampling import bicubic_rows, sources

Size = tuple[int, int]
Layer = Callable[[Tensor], Tensor]
WHOLE, WHOLE_ON_GPU = 2**24, 2**28  # values of the finest map up to which it is made whole


def is_large(size: Size, channels: int, device: torch.device) -> bool:
    """Whether a picture of `size` (h, w) had better be made in strips; of its size alone."""
    limit = WHOLE_ON_GPU if device.type == "cuda" else WHOLE
    return size[0] * size[1] * channels > limit


@dataclass(frozen=True)
class Strips:
    """What `generator([z0, *noises], amplitudes, start)` gives for one sample, made in strips.

    Attributes:
        generator: whose stages are passed.
        z0: the picture that it begins with.
        noises: makes the later noises anew; each pass through them takes its own.
        amplitudes: of all stages.
        start: the stage where z0 enters.
    """

    generator: Generator
    z0: Tensor
    noises: Callable[[], Sequence[Rows]]
    amplitudes: Sequence[float]
    start: int = 0

    @torch.no_grad()
    def picture(self) -> Tensor:
        """(1, 3, h, w) in [-1, 1]."""
        with _measured(self):
            x, row = self.features(), 0
            channels, device = self.generator.shape.image_channels, self.z0.device
            made = torch.empty(1, channels, x.height, x.width, device=device)
            for strip in self._rendered(x):
                made[:, :, row : row + strip.shape[2]] = strip
                row += strip.shape[2]
        return made

    @torch.no_grad()
    def unrolled(self) -> Iterator[Tensor]:
        """The same from the top, (1, 3, rows, w) at a time: no more of it is held."""
        with _measured(self):
            yield from self._rendered(self.features())

    def _rendered(self, x: Rows) -> Iterator[Tensor]:
        generator = self.generator
        tail: list[Layer] = [partial(generator.operations.render, generator.tail)]
        padded = _Padded(x, generator.shape.margin)
        for rows in _tracked(x):
            yield _through(generator.shape, tail, padded, rows)

    def features(self, last: Block | None = None) -> Rows:
        """Those of the finest stage; or what the convolution of `last` gives."""
        x = self._first(last)
        if last in [self.generator.head, *self._blocks(0)]:
            return x
        for stage, noise in enumerate(self.noises(), max(self.start, 1)):
            x = self._refined(stage, x, noise, last)
            if last in self._blocks(stage):
                break
        return x

    def normalized(self) -> Iterator[Block]:
        """The blocks that z0 passes, if they have a normalization, in their order."""
        stages = range(self.start, len(self.amplitudes))
        blocks = [block for stage in stages for block in self._blocks(stage)]
        yield from (b for b in [self.generator.head, *blocks] if b.norm is not None)

    def _blocks(self, stage: int) -> list[Block]:
        blocks: torch.nn.ModuleList = self.generator.body[stage]  # type: ignore[assignment]
        return list(blocks)  # type: ignore[arg-type]

    def _layers(self, blocks: Sequence[Block], last: Block | None) -> list[Layer]:
        """`blocks`, of `last` the convolution alone and none after it."""
        operations = self.generator.operations
        if last in blocks:
            before = blocks[: blocks.index(last)]
            convolution = partial(operations.convolve, last)  # type: ignore[arg-type]
            return [*(partial(operations.block, block) for block in before), convolution]
        return [partial(operations.block, block) for block in blocks]

    def _map(self, size: Size, make: Callable[[Range], Tensor]) -> Rows:
        return Rows(*size, make, strip_of(size[1] * self.generator.shape.channels, self.z0.device))

    def _made(self, layers: Sequence[Layer], padded: _Padded, width: int) -> Rows:
        """What `layers` make of a map of `width` px."""
        shape = self.generator.shape
        less = 2 * shape.margin * len(layers)
        size = (padded.height - less, width - less)
        return self._map(size, lambda rows: _through(shape, layers, padded, rows))

    def _first(self, last: Block | None) -> Rows:
        """See `Generator.first_features`."""
        generator = self.generator
        margin, layers = generator.shape.margin, generator.shape.layers
        height, width = self.z0.shape[-2:]
        head = self._layers([generator.head], last)
        x = self._made(head, _Padded(whole(self.z0), margin), width + 2 * margin)
        if self.start > 0 or last is generator.head:
            return x
        body = self._layers(self._blocks(0), last)
        if generator.border == "noise":
            size = (height + 2 * margin, width + 2 * margin)
            wide = self._map(size, lambda rows: _upsampled(x, size, rows))
            padded = _Padded(wide, (layers - 1) * margin)
        else:
            padded = _Padded(x, layers * margin)
        return self._made(body, padded, width + 2 * layers * margin)

    def _refined(self, stage: int, x: Rows, noise: Rows, last: Block | None) -> Rows:
        """See `Generator.refine`; up to `last` without what is added at the end."""
        generator, shape = self.generator, self.generator.shape
        border, frame = shape.layers * shape.margin, generator.frame
        size = (noise.height - 2 * frame, noise.width - 2 * frame)
        blocks = self._blocks(stage)
        layers = self._layers(blocks, last)
        complete = last not in blocks
        less = 2 * (border - shape.margin * len(layers))
        made_size = size if complete else (size[0] + less, size[1] + less)
        widened = _Widened(noise, self.amplitudes[stage])

        def make(rows: Range) -> Tensor:
            inner = needed(shape, len(layers), size[0] + 2 * border, rows)
            if generator.border == "zero":  # the frame of zeros is put around skip + noise
                inner = inside(inner, border, size[0])
            bounds = [sources(x.height, noise.height, *inner)]
            bounds += [sources(x.height, size[0], *rows)] if complete else []
            first = min(a for a, _ in bounds)
            known = _Part(x.take((first, max(b for _, b in bounds))), first, x.height)
            padded = _Padded(widened.part(known, inner), border - frame)
            made = _through(shape, layers, padded, rows)
            return made + _upsampled(known, size, rows) if complete else made

        return Rows(*made_size, make, noise.strip)


@dataclass(frozen=True)
class _Widened:
    """Up-sampled features plus noise, as a stage's convolutions see them."""

    noise: Rows
    amplitude: float

    def part(self, known: _Part, rows: Range) -> _Part:
        """Some rows, from what is `known` of the features."""
        size = (self.noise.height, self.noise.width)
        up = _upsampled(known, size, rows)
        made = torch.add(up, self.noise.take(rows), alpha=self.amplitude)
        return _Part(made, rows[0], self.noise.height)


@contextlib.contextmanager
def _measured(strips: Strips) -> Iterator[None]:
    """Every normalization knows the statistics of its whole map."""
    norms = list[SampleNorm]()
    try:
        for block in strips.normalized():
            assert block.norm is not None
            norms.append(block.norm)
            block.norm.statistics = _statistics(strips.features(block))
        yield
    finally:
        for norm in norms:
            norm.statistics = None


def _statistics(x: Rows) -> tuple[Tensor, Tensor]:
    """Mean and variance of each channel of a map, (C,) each; strips are merged as they come."""
    count, mean, spread = 0, torch.zeros(()), torch.zeros(())
    for rows in _tracked(x):
        strip = x.take(rows)
        home, strip = strip.device, strip.to(complete(strip.device), torch.float64)
        n = strip.shape[2] * strip.shape[3]
        variance, average = torch.var_mean(strip, (0, 2, 3), correction=0)
        step = average - mean.to(average)
        spread = spread.to(average) + n * variance + step.square() * (count * n / (count + n))
        mean = mean.to(average) + step * (n / (count + n))
        count += n
    return mean.float().to(home), (spread / count).float().to(home)


def _tracked(x: Rows) -> Iterator[Range]:
    """Rows of all strips of a map, with the time left."""
    strips = list(_ranges(x.height, x.strip))
    return tracked(strips, len(strips), f"making {x.width}x{x.height}")


def _ranges(height: int, strip: int) -> Iterator[Range]:
    for first in range(0, height, strip):
        yield first, min(first + strip, height)


def _upsampled(x: Rows | _Part, size: Size, rows: Range) -> Tensor:
    first, last = sources(x.height, size[0], *rows)
    return bicubic_rows(x.take((first, last)), size, rows, x.height, first)


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
        first, last = inside(rows, self.pixels, self.inner.height)
        above, below = first + self.pixels - rows[0], rows[1] - last - self.pixels
        return F.pad(self.inner.take((first, last)), (self.pixels, self.pixels, above, below))


def _through(shape: Architecture, layers: Sequence[Layer], source: _Padded, rows: Range) -> Tensor:
    """Rows of what `layers`, each with a convolution, make of `source`."""
    height = source.height
    first, last = needed(shape, len(layers), height, rows)
    x = source.take((first, last))
    for layer in layers:
        y = layer(x)
        above = shape.padding if first > 0 else 0  # rows that see zeros instead of the map
        below = shape.padding if last < height else 0
        x = y[:, :, above : y.shape[2] - below]
        first, height = first + above, height - 2 * shape.margin
        last = first + x.shape[2]
    return x[:, :, rows[0] - first : rows[1] - first]
