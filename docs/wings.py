"""Draw docs/images/wings.svg, the wings of the package and who imports whom, from the code.

python docs/wings.py
"""

from __future__ import annotations

import re
from collections import Counter
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "images" / "wings.svg"
WIDTH, ROW, BOX_H, GAP = 760, 74, 34, 16
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#111}.box{fill:#f4f1ea;stroke:#5b5346}"
    ".arrow{fill:none;stroke:#4a6fa5;stroke-opacity:.45}.count{font-size:10px;fill:#777}"
    "@media (prefers-color-scheme:dark){text{fill:#eee}.box{fill:#2b2a28;stroke:#a59b88}"
    ".arrow{stroke:#8fb3e8}.count{fill:#aaa}}"
)

Point = tuple[float, float]


def layers() -> list[list[str]]:
    """The wings from top to bottom as pyproject.toml lays them, those beside each other in one."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    found = re.search(r"exhaustive_ignores.*?layers = \[(.*?)\]", text, re.DOTALL)
    assert found
    return [row.split(" | ") for row in re.findall(r'"([^"]+)"', found.group(1))]


def arrows() -> Counter[tuple[str, str]]:
    """How many imports lead from one wing to another."""
    graph = grimp.build_graph("consingan", cache_dir=None)
    found: Counter[tuple[str, str]] = Counter()
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            pair = _wing(module), _wing(imported)
            if all(pair) and pair[0] != pair[1]:
                found[pair] += 1
    return found


def _wing(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and not parts[1].startswith("_") else ""


def files(wing: str) -> int:
    """Number of Python files of a wing that hold something."""
    folder = ROOT / "consingan" / wing
    found = folder.rglob("*.py") if folder.is_dir() else [folder.with_suffix(".py")]
    return sum(1 for path in found if path.stat().st_size)


def svg() -> str:
    """The picture."""
    rows = layers()
    places = {
        wing: (WIDTH * (i + 1) / (len(row) + 1), 30.0 + ROW * number)
        for number, row in enumerate(rows)
        for i, wing in enumerate(row)
    }
    counts = arrows()
    lines = [
        _arrow(places[a], places[b], count)
        for (a, b), count in sorted(counts.items())
        if a in places and b in places
    ]
    boxes = [_box(wing, place) for wing, place in places.items()]
    height = ROW * len(rows) + 10
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="Wings of the package; imports lead downwards"><style>{STYLE}</style>\n'
        + "\n".join([*lines, *boxes])
        + "\n</svg>\n"
    )


def _arrow(start: Point, end: Point, count: int) -> str:
    (x1, y1), (x2, y2) = start, end
    middle = (y1 + y2) / 2
    width = min(0.6 + count / 8, 6)
    path = f"M{x1:.0f} {y1 + BOX_H / 2:.0f}C{x1:.0f} {middle:.0f} {x2:.0f} {middle:.0f} "
    path += f"{x2:.0f} {y2 - BOX_H / 2:.0f}"
    return f'<path class="arrow" stroke-width="{width:.1f}" d="{path}"/>'


def _box(wing: str, place: Point) -> str:
    x, y = place
    width = 9 * len(wing) + 2 * GAP
    return (
        f'<rect class="box" rx="5" x="{x - width / 2:.0f}" y="{y - BOX_H / 2:.0f}" '
        f'width="{width}" height="{BOX_H}"/>'
        f'<text text-anchor="middle" x="{x:.0f}" y="{y + 2:.0f}">{escape(wing)}</text>'
        f'<text class="count" text-anchor="middle" x="{x:.0f}" y="{y + 13:.0f}">'
        f"{files(wing)} files</text>"
    )


if __name__ == "__main__":
    PICTURE.write_text(svg(), encoding="utf-8")
