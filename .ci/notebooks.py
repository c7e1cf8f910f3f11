"""Removes the outputs of notebooks, so that none is kept in git; exit code 1 if there were any."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat


def strip(path: Path) -> bool:
    """Remove outputs and execution counts from a notebook; says whether there were any."""
    notebook = nbformat.read(path, as_version=4)
    found = False
    for cell in notebook.cells:
        if cell.cell_type == "code" and (cell.outputs or cell.execution_count is not None):
            cell.outputs, cell.execution_count, found = [], None, True
    if found:
        nbformat.write(notebook, path)
        print(f"{path}: outputs removed")
    return found


if __name__ == "__main__":
    sys.exit(any([strip(Path(name)) for name in sys.argv[1:]]))
