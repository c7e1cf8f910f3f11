"""A study's description as a file of TOML, read and written."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from consingan.batch.named import FILES, placed, placed_file
from consingan.batch.study import Study, near, refuse_unknown, row_of
from consingan.errors import UserError
from consingan.images.names import SCIKIT_IMAGE, shown
from consingan.machine.files import LARGEST_JSON, TEXT, at_home, atomic_path, read_whole, write_text
from consingan.methods.contract import Method
from consingan.methods.registry import method_of
from consingan.settings.option import as_kind

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

STUDY = "study.toml"
BY_HAND = ("study.before", ".toml")  # what somebody wrote in its place, numbered from 2 on
MACHINE: Mapping[str, tuple[type, str]] = {
    "device": (str, 'a text, for example "cpu"'),
    "precision": (str, 'a text, for example "float32"'),
    "engine": (str, 'a text, for example "auto"'),
    "threads": (int, "a whole number from 1 on"),
    "checkpointing": (bool, "true or false"),
}
"""What [machine] may say: of which type it is, and that in words."""
KEYS = (
    "pictures",
    "methods",
    "presets",
    "seeds",
    "train_mode",
    "samples",
    "inception",
    "machine",
    "set",
)


def read_study(path: Path) -> Study:
    """The study that a file describes; paths in it count from the file's folder.

    Raises:
        UserError: the file is missing or damaged, or says what is not understood.
    """
    try:
        found = tomllib.loads(read_whole(path, LARGEST_JSON).decode(TEXT))
    except UnicodeDecodeError:
        raise UserError(f"{path} is not in UTF-8; save it in that encoding.") from None
    except ValueError as error:
        raise UserError(f"{path} is not TOML ({error}); mend that line.") from None
    for key in found:
        if key not in KEYS:
            raise UserError(f"{path}: there is no entry {key!r}; {near(key, KEYS)}")
    methods = _texts(path, found, "methods") or (Study(()).methods)
    settings = _settings(_table(path, found, "set"), [method_of(name) for name in methods])
    for key in ("train_mode", "inception"):
        if type(found.get(key, "")) is not str:
            raise UserError(f'{path}: {key} must be a text, for example {key} = "...".')
    study = Study(
        pictures=tuple(_placed(name, path.parent) for name in _texts(path, found, "pictures")),
        methods=methods,
        presets=_texts(path, found, "presets"),
        seeds=_seeds(path, found.get("seeds", 1)),
        train_mode=found.get("train_mode"),
        settings=placed(settings, path.parent),
        samples=found.get("samples", Study(()).samples),
        machine=_machine(path, _table(path, found, "machine")),
        inception=placed_file(found.get("inception", ""), path.parent),
    )
    if type(study.samples) is not int or study.samples < 0:
        raise UserError(f"{path}: samples must be a whole number.")
    return study


def _settings(table: Mapping[str, Any], known: Sequence[Method]) -> dict[str, tuple[Any, ...]]:
    """What [set] says, its numbers as those that are typed."""
    found = {}
    for name, values in table.items():
        refuse_unknown(name, known)
        row = row_of(name, known)
        found[name] = tuple(as_kind(row, value) for value in _listed(values))
    return found


def _placed(name: str, folder: Path) -> str:
    if name.startswith(SCIKIT_IMAGE):
        return name
    return str((folder / at_home(name)).absolute())


def _listed(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _table(path: Path, found: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = found.get(key, {})
    if not isinstance(table, dict):
        raise UserError(f"{path}: {key} must be a table, [{key}] with a line for each setting.")
    return table


def _machine(path: Path, table: Mapping[str, Any]) -> Mapping[str, Any]:
    from consingan.runs.soundness import MOST_THREADS

    for name, value in table.items():
        if name not in MACHINE:
            raise UserError(f"{path}: [machine] has no {name!r}; {near(name, tuple(MACHINE))}")
        kind, words = MACHINE[name]
        if type(value) is not kind or (kind is int and value not in range(1, MOST_THREADS + 1)):
            raise UserError(f"{path}: [machine] {name} must be {words}.")
    return table


def _texts(path: Path, found: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = _listed(found.get(key, []))
    if not all(type(value) is str for value in values):
        raise UserError(f'{path}: {key} must be a list of texts, for example ["a", "b"].')
    return values


def _seeds(path: Path, value: Any) -> tuple[int, ...]:
    seeds = tuple(range(value)) if type(value) is int else _listed(value)
    if not seeds or not all(type(seed) is int and seed >= 0 for seed in seeds):
        raise UserError(f"{path}: seeds must be how many, or a list of whole numbers.")
    return seeds


def write_study(folder: Path, study: Study) -> None:
    """Keep a study's description in its folder.

    What somebody wrote by hand is left as it is where it says the same, else kept beside it.

    Raises:
        UserError: a name in it is no text.
    """
    path, text = folder / STUDY, text_of(study, folder)
    before = path.read_bytes() if path.is_file() else None
    if before is not None and not _is_programs(before.decode(TEXT, "replace")):
        with contextlib.suppress(UserError):  # what is damaged says something else
            if read_study(path) == study:
                return
        _keep(folder, before)
    write_text(path, text)


def _is_programs(text: str) -> bool:
    """Whether a file is written as the program does, of whichever release: nobody's own words."""
    try:
        return _written(tomllib.loads(text)).splitlines() == text.splitlines()
    except (ValueError, AttributeError):  # no TOML, or no table where one belongs
        return False


def _keep(folder: Path, content: bytes) -> None:
    """Keep what somebody wrote; what was kept so before remains."""
    names = (f".{number}".join(BY_HAND) for number in itertools.count(2))
    for name in itertools.chain(["".join(BY_HAND)], names):
        path = folder / name
        if path.is_file() and path.read_bytes() == content:
            return
        if not path.exists():
            with atomic_path(path) as temporary:
                temporary.write_bytes(content)
            return


def text_of(study: Study, folder: Path) -> str:
    """The description as TOML for a file in a folder.

    Paths below the folder count from it, so that it can be moved with them; others hold from
    anywhere.

    Raises:
        UserError: a name in it is no text.
    """
    pictures = [
        name if name.startswith(SCIKIT_IMAGE) else str(Path(name).absolute())
        for name in study.pictures
    ]
    files = {name: study.settings[name] for name in FILES if name in study.settings}
    below = {name: [_below(v, folder, placed_file) for v in vs] for name, vs in files.items()}
    found = {
        "pictures": [_below(name, folder, _placed) for name in pictures],
        "inception": _below(study.inception, folder, placed_file),
        "set": {**study.settings, **below},
    }
    same = ("methods", "presets", "seeds", "train_mode", "samples", "machine")
    return _written({**{name: getattr(study, name) for name in same}, **found})


def _written(found: Mapping[str, Any]) -> str:
    """The entries of a description as the program writes them, in its order."""
    lists = {name: _listed(found.get(name, ())) for name in ("pictures", "methods", "seeds")}
    presets, settings = _listed(found.get("presets", ())), found.get("set", {})
    lines = [
        "# A study; `consingan batch --file study.toml` goes on with it.",
        f"pictures = {_toml(lists['pictures'])}",
        f"methods = {_toml(lists['methods'])}",
        *([f"presets = {_toml(presets)}"] if presets else []),
        f"seeds = {_toml(lists['seeds'])}",
        *([f"train_mode = {_toml(found['train_mode'])}"] if found.get("train_mode") else []),
        f"samples = {_toml(found.get('samples'))}",
        *([f"inception = {_toml(found['inception'])}"] if found.get("inception") else []),
    ]
    listed = {name: _listed(values) for name, values in settings.items()}
    for name, table in (("set", listed), ("machine", found.get("machine", {}))):
        if table:
            lines += ["", f"[{name}]", *(f"{key} = {_toml(v)}" for key, v in table.items())]
    return "\n".join(lines) + "\n"


def _below(name: Any, folder: Path, read: Callable[[str, Path], Any]) -> Any:
    """A path as it counts from a folder, if it lies below it and is read as itself again."""
    root = folder.absolute()
    if not isinstance(name, str) or not Path(name).is_relative_to(root):
        return name
    short = Path(name).relative_to(root)
    below = ".." not in short.parts and read(short.as_posix(), root) == name
    return short.as_posix() if below else name


def _toml(value: Any) -> str:
    """A value of TOML; its texts are written as those of JSON, but for a sign that JSON allows.

    Raises:
        UserError: bytes that are no text.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(_toml, value))}]"
    if not isinstance(value, str):
        return repr(value)
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise UserError(f"{shown(value)} is not a name of text; rename that file.") from None
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
