"""Rules of the house that no linter knows; prints what breaks them, exit code 1 if anything does.

- No file of the package has over 300 lines, no function over 40, but for a reason given here.
- No comparison with a method's, a task's or an output's name outside of its own folder: what is
  asked by name belongs into a row of a table.
- Only the faces print, and only the readers of foreign weights call torch.load.
- A package that not everybody has is imported in one file, inside of a function.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "consingan"
LONGEST_FILE, LONGEST_FUNCTION = 300, 40
FACES = ("cli", "notebook", "web")
READERS = (
    "methods/consingan/official.py",
    "methods/singan/official.py",
    "metrics/foreign.py",
)
ALONE = {"ray": "batch/on_ray.py"}
# path or path:function -> why it may be longer
REASONS = {
    "methods/contract.py": "the contract is read as one page: protocols with their sentences",
}


def names() -> dict[str, tuple[str, ...]]:
    """What must not be asked for by name -> folders where it may be."""
    sys.path.insert(0, str(ROOT))
    from consingan.methods.registry import METHODS
    from consingan.outputs.registry import OUTPUTS

    found: dict[str, tuple[str, ...]] = {name: ("outputs/",) for name in OUTPUTS}
    for method in METHODS.values():
        home = f"methods/{method.name}/"
        for name in (method.name, *method.tasks):
            found[name] = (*found.get(name, ()), home)
    return found


def faults(path: Path, text: str, forbidden: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """What breaks the rules in one file of the package; `path` is relative to the package."""
    where = path.as_posix()
    lines = text.count("\n")
    if lines > LONGEST_FILE and where not in REASONS:
        yield f"{where}: {lines} lines; split it by subject"
    for node in ast.walk(ast.parse(text)):
        yield from _long(where, node)
        yield from _asked_by_name(where, node, forbidden)
        yield from _in_the_wrong_place(path, node)
    yield from _out_of_its_file(where, ast.parse(text))


def _long(where: str, node: ast.AST) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        documented = ast.get_docstring(node, clean=False) or ""
        length -= documented.count("\n") + bool(documented)
        if length > LONGEST_FUNCTION and f"{where}:{node.name}" not in REASONS:
            yield f"{where}:{node.lineno} {node.name} has {length} lines beside its docstring"


def _asked_by_name(
    where: str, node: ast.AST, forbidden: dict[str, tuple[str, ...]]
) -> Iterator[str]:
    if not isinstance(node, ast.Compare):
        return
    for part in ast.walk(node):
        word: Any = part.value if isinstance(part, ast.Constant) else None
        known = isinstance(word, str) and word in forbidden
        if known and not where.startswith(forbidden[word]):
            yield f'{where}:{node.lineno} asks for "{word}" by name; ask a row of a table'


def _in_the_wrong_place(path: Path, node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Call):
        return
    called = ast.unparse(node.func)
    if called == "print" and path.parts[0] not in FACES:
        yield f"{path.as_posix()}:{node.lineno} prints; only the faces do"
    if called == "torch.load" and path.as_posix() not in READERS:
        yield f"{path.as_posix()}:{node.lineno} calls torch.load; weights are safetensors"


def _out_of_its_file(where: str, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        found = [node.module or ""] if isinstance(node, ast.ImportFrom) else [
            alias.name for alias in node.names
        ]  # fmt: skip
        for package in {name.partition(".")[0] for name in found} & set(ALONE):
            if where != ALONE[package]:
                yield f"{where}:{node.lineno} imports {package}; only {ALONE[package]} does"
            elif node in tree.body:
                yield f"{where}:{node.lineno} imports {package} at its top; do so in a function"


def unlisted() -> Iterator[str]:
    """Methods that the contracts of import-linter do not know of."""
    from consingan.methods.registry import METHODS

    text = (ROOT / "pyproject.toml").read_text("utf-8")
    for name in METHODS:
        folder = f"consingan.methods.{name}"
        rows = ("method", "config", "tasks", "presets")
        missing = [f"{folder}.{row}" for row in rows if f'"{folder}.{row}"' not in text]
        if text.count(folder + '"') + text.count(folder + " |") < 2:
            missing.insert(0, folder)
        yield from (f"pyproject.toml: [tool.importlinter] lacks {one}" for one in missing)


def main() -> int:
    """Look at every file of the package."""
    forbidden = names()
    found = [
        *unlisted(),
    ]
    found += [
        fault
        for file in sorted(PACKAGE.rglob("*.py"))
        for fault in faults(file.relative_to(PACKAGE), file.read_text("utf-8"), forbidden)
    ]
    print("\n".join(found) or "every rule is kept")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
