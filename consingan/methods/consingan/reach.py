"""What a part of a map is made of: ranges of rows, or of columns, through convolutions."""

from __future__ import annotations

from consingan.nn.architecture import Architecture

Range = tuple[int, int]  # [a, b)


def needed(shape: Architecture, layers: int, length: int, wanted: Range) -> Range:
    """Part of a line of `length` px from which `layers` convolutions make `wanted`."""
    before = layers * shape.padding
    after = layers * (shape.kernel - 1 - shape.padding)
    return max(wanted[0] - before, 0), min(wanted[1] + after, length)


def inside(wanted: Range, pixels: int, length: int) -> Range:
    """What is of a line of `length` px among `wanted` of it with `pixels` on each side."""
    return max(wanted[0] - pixels, 0), min(wanted[1] - pixels, length)
