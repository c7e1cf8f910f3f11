"""What a part of a map is made of: ranges of rows, or of columns, through convolutions."""

from __future__ import annotations

from consingan.nn.architecture import Architecture

Range = tuple[int, int]  # [a, b)


def needed(shape: Architecture, layers: int, length: int | None, wanted: Range) -> Range:
    """Part of a line of `length` px of which `layers` convolutions make `wanted`.

    A `length` of None has no ends.
    """
    before = layers * shape.padding
    after = layers * (shape.kernel - 1 - shape.padding)
    if length is None:
        return wanted[0] - before, wanted[1] + after
    return max(wanted[0] - before, 0), min(wanted[1] + after, length)


def moved(wanted: Range, pixels: int) -> Range:
    """The same part of a line that begins `pixels` later."""
    return wanted[0] - pixels, wanted[1] - pixels


def pieces(wanted: Range, length: int) -> list[Range]:
    """A part of a ring of `length` px as parts of the line from its beginning to its end."""
    found, first = list[Range](), wanted[0]
    while first < wanted[1]:
        place = first % length
        last = min(wanted[1] - first + place, length)
        found.append((place, last))
        first += last - place
    return found


def inside(wanted: Range, pixels: int, length: int) -> Range:
    """What is of a line of `length` px among `wanted` of it with `pixels` on each side."""
    return max(wanted[0] - pixels, 0), min(wanted[1] - pixels, length)
