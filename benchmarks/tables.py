"""What the benchmarks of speed and memory write: JSON and a table, with the machine in words."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from consingan.machine.device import processor
from consingan.machine.files import make_folder, write_json

RESULTS = Path(__file__).parent / "results"

Row = Mapping[str, Any]


def machine(device: str) -> dict[str, Any]:
    """What was measured on; no name of a host or of a folder."""
    words: dict[str, Any] = {
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": platform.system(),
    }
    if device == "cuda":
        words["gpu"] = torch.cuda.get_device_name()
        words["cuda"], words["cudnn"] = torch.version.cuda, torch.backends.cudnn.version()
    return words


def markdown_table(rows: Sequence[Row]) -> str:
    """Rows with the same keys as a table; without rows there is nothing to show."""
    if not rows:
        return "Nothing yet."
    columns = list(rows[0])
    lines = [columns, ["---"] * len(columns), *([cell(row[c]) for c in columns] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(value: Any) -> str:
    """What a table shows of a value."""
    if isinstance(value, bool):
        return "yes" if value else ""
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def write_results(
    path: Path, title: str, described: Mapping[str, Any], tables: Mapping[str, Sequence[Row]]
) -> None:
    """Write `path`.json and `path`.md; `tables` are by heading."""
    make_folder(path.parent)
    json_tables = {name or "table": list(rows) for name, rows in tables.items()}
    write_json(path.with_suffix(".json"), {"machine": dict(described), **json_tables})
    lines = [f"# {title}", "", ", ".join(f"{k} {v}" for k, v in described.items()), ""]
    for heading, rows in tables.items():
        lines += [f"## {heading}", ""] if heading else []
        lines += [markdown_table(rows), ""]
    path.with_suffix(".md").write_text("\n".join(lines), encoding="utf-8")
