"""A window of a picture that equals the same window of the whole picture.

What a generator makes of its noise is local. From a window of the finest stage it is reckoned back
which rows and columns of every stage, and of its noise, it is made of: the reach of the
convolutions, the four neighbors of the up-sampling. Only those are computed, by the same sums as in
the whole; at the true edges of the picture convolutions see what they see in the whole. With
normalization, whose statistics are of whole maps, that is not so.

The coarsest stage is small and always computed whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.methods.consingan.networks import Generator
from consingan.methods.consingan.reach import Range, inside, moved, needed, pieces
from consingan.nn.architecture import AROUND, Architecture, Border
from consingan.nn.noise_field import Box, NoiseField
from consingan.nn.ring import ring_sources
from consingan.nn.upsampling import bicubic_window, sources
from consingan.settings.tiles import ENDS, Wraps

Size = tuple[int, int]
Lengths = tuple[int | None, int | None]
Layer = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Part:
    """What a window needs of one stage.

    Attributes:
        size: (h, w) of the stage's picture.
        out: of its features, rows and columns that are needed.
        noise: rows and columns of its z from which they are made; of stage 0 nothing.
        source: rows and columns of the features of the stage before.
    """

    size: Size
    out: Box
    noise: Box
    source: Box


def parts(shape: Architecture, border: Border, sizes: Sequence[Size], window: Box) -> list[Part]:
    """What `window` of the last of `sizes` (h, w), coarsest first, needs of each stage."""
    wraps, finest = AROUND.get(border, ENDS), sizes[-1]
    reaching = [
        _before_tail(shape, *numbers) for numbers in zip(wraps, finest, window, strict=True)
    ]
    found, out = list[Part](), (reaching[0], reaching[1])
    for stage in range(len(sizes) - 1, 0, -1):
        size, before = sizes[stage], sizes[stage - 1]
        lines = [
            _around(shape, n, m, wanted) if wrapped else _line(shape, border, n, m, wanted)
            for wrapped, n, m, wanted in zip(wraps, size, before, out, strict=True)
        ]
        noise, source = (lines[0][0], lines[1][0]), (lines[0][1], lines[1][1])
        found.append(Part(size, out, noise, source))
        out = source
    nothing = (0, 0), (0, 0)
    return [Part(sizes[0], out, nothing, nothing), *reversed(found)]


def _before_tail(shape: Architecture, wrapped: bool, length: int, wanted: Range) -> Range:
    """Part of the last features of which the tail makes `wanted` of the picture."""
    if wrapped:
        return moved(needed(shape, 1, None, wanted), shape.margin)
    return inside(needed(shape, 1, length + 2 * shape.margin, wanted), shape.margin, length)


def _around(shape: Architecture, length: int, before: int, out: Range) -> tuple[Range, Range]:
    """`_line` along an axis without ends; parts may go beyond them."""
    noise = moved(needed(shape, shape.layers, None, out), shape.layers * shape.margin)
    return noise, ring_sources(before, length, *noise)


def _line(
    shape: Architecture, border: Border, length: int, before: int, out: Range
) -> tuple[Range, Range]:
    """Along one axis: what of a stage's z, and of the features before it, makes `out`."""
    frame = shape.layers * shape.margin
    noise = needed(shape, shape.layers, length + 2 * frame, out)
    wide = length + 2 * frame
    if border != "noise":  # the frame of zeros is put around features + noise
        noise, wide = inside(noise, frame, length), length
    ranges = [sources(before, wide, *noise), sources(before, length, *out)]
    return noise, (min(a for a, _ in ranges), max(b for _, b in ranges))


@dataclass(frozen=True)
class Windowed:
    """A generator that makes one window; its methods are those of `networks.Generator`.

    Noises are `Part.noise` of the whole ones, but for z_0, which is whole.
    """

    generator: Generator
    parts: Sequence[Part]
    window: Box

    def first_features(self, z0: Tensor) -> Tensor:
        """See `Generator.first_features`."""
        return part_of(self.generator.first_features(z0), self.parts[0].out)

    def refine(self, stage: int, x: Tensor, noise: Tensor, amplitude: float) -> Tensor:
        """See `Generator.refine`."""
        generator, part = self.generator, self.parts[stage]
        shape, frame = generator.shape, generator.shape.layers * generator.shape.margin
        before = self.parts[stage - 1].size
        height, width = part.size
        wide_size = (height + 2 * generator.frame, width + 2 * generator.frame)
        wraps = generator.wraps
        skip = bicubic_window(x, part.size, part.out, before, part.source, wraps)
        wide = bicubic_window(x, wide_size, part.noise, before, part.source, wraps)
        wide = torch.add(wide, noise, alpha=amplitude)
        padded = _padded(part.size, frame, wraps)
        zeros = 0 if generator.border == "noise" else frame
        blocks: torch.nn.ModuleList = generator.body[stage]  # type: ignore[assignment]
        layers = [_layer(generator, block) for block in blocks]
        return _through(shape, layers, wide, zeros, padded, part.out) + skip

    def render(self, x: Tensor) -> Tensor:
        """See `Generator.render`."""
        generator, margin = self.generator, self.generator.shape.margin
        padded = _padded(self.parts[-1].size, margin, generator.wraps)

        def tail(y: Tensor) -> Tensor:
            return generator.operations.render(generator.tail, y)

        return _through(generator.shape, [tail], x, margin, padded, self.window)

    def features(
        self, noises: Sequence[Tensor], amplitudes: Sequence[float], start: int = 0
    ) -> Tensor:
        """See `Generator.features`; windows begin at stage 0."""
        assert start == 0
        x = self.first_features(noises[0])
        for stage, noise in enumerate(noises[1:], 1):
            x = self.refine(stage, x, noise, amplitudes[stage])
        return x

    def __call__(self, noises: Sequence[Tensor], amplitudes: Sequence[float]) -> Tensor:
        """The window, (N, 3, h, w) in [-1, 1]."""
        return self.render(self.features(noises, amplitudes))


def _layer(generator: Generator, block: torch.nn.Module) -> Layer:
    return lambda x: generator.operations.block(block, x)  # type: ignore[arg-type]


def part_of(x: Tensor | NoiseField, box: Box) -> Tensor:
    """Rows and columns of a map (1, C, h, w), which beyond its ends goes on at the other ones."""
    rows, columns = (pieces(wanted, n) for wanted, n in zip(box, x.shape[-2:], strict=True))
    lines = [_joined([_cut(x, (row, column)) for column in columns], 3) for row in rows]
    return _joined(lines, 2)


def _cut(x: Tensor | NoiseField, box: Box) -> Tensor:
    if isinstance(x, NoiseField):
        return x.window(box)
    (top, bottom), (left, right) = box
    return x[:, :, top:bottom, left:right]


def _joined(parts: Sequence[Tensor], axis: int) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts), axis)


def _padded(size: Size, pixels: int, wraps: Wraps) -> Lengths:
    """(h, w) with so many px on each side; None along axes that wrap."""
    height, width = (
        None if wrapped else side + 2 * pixels for side, wrapped in zip(size, wraps, strict=True)
    )
    return height, width


def _through(
    shape: Architecture, layers: Sequence[Layer], x: Tensor, zeros: int, size: Lengths, wanted: Box
) -> Tensor:
    """What `layers`, each with a convolution, make at `wanted`.

    Args:
        shape: of the convolutions.
        layers: one after the other.
        x: what `wanted` needs of the map that they work on, without the zeros around the map.
        zeros: how many of them there are on each side.
        size: (h, w) of the map with them; None along an axis that wraps.
        wanted: rows and columns of the result.
    """
    spans = [
        needed(shape, len(layers), length, want) for length, want in zip(size, wanted, strict=True)
    ]
    above, below, left, right = (
        count
        for (first, last), length in zip(spans, size, strict=True)
        for count in _zeros_of(zeros, first, last, length)
    )
    if above or below or left or right:
        x = F.pad(x, (left, right, above, below))
    for layer in layers:
        x, spans = _trimmed(shape, layer(x), spans, size)
        height, width = (None if n is None else n - 2 * shape.margin for n in size)
        size = (height, width)
    (top, _), (first, _) = spans
    (a, b), (c, d) = wanted
    return x[:, :, a - top : b - top, c - first : d - first]


def _zeros_of(zeros: int, first: int, last: int, length: int | None) -> Range:
    """How many of the `zeros` before and after a line lie in the part from `first` to `last`."""
    if length is None:
        return 0, 0
    return max(zeros - first, 0), max(last - (length - zeros), 0)


def _trimmed(
    shape: Architecture, x: Tensor, spans: Sequence[Range], size: Lengths
) -> tuple[Tensor, list[Range]]:
    """A convolution's result without the lines that saw zeros of its own instead of the map.

    `spans` is what the convolution was given of a map of `size`; what is left comes with it.
    """
    left = list[Range]()
    for axis, ((first, last), length) in enumerate(zip(spans, size, strict=True), 2):
        before = shape.padding if length is None or first > 0 else 0
        after = shape.padding if length is None or last < length else 0
        x = x.narrow(axis, before, x.shape[axis] - before - after)
        left.append((first + before, first + before + x.shape[axis]))
    return x, left
