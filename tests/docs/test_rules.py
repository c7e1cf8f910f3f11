"""The rules of the house can be broken, and are then named."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from commands_in_text import ROOT


@pytest.fixture(scope="module")
def rules() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rules", ROOT / ".ci" / "rules.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LONG = "def f():\n" + "    x = 1\n" * 60
CASES = {
    "a method's name": ("api/train.py", 'if name == "consingan":\n    pass\n', 'asks for "cons'),
    "an output's name": ("report/page.py", 'kind = 1 if k == "film" else 2\n', 'asks for "film"'),
    "one of several": ("api/x.py", 'x = k in ("samples", "other")\n', 'asks for "samples"'),
    "a task's name": ("runs/load.py", 'while mode != "editing":\n    pass\n', "editing"),
    "a long function": ("nn/blocks.py", LONG, "f has 61 lines"),
    "a long file": ("nn/blocks.py", "x = 1\n" * 301, "301 lines"),
    "printing": ("runs/load.py", 'print("x")\n', "prints"),
    "an extra elsewhere": ("cli/batching.py", "def f():\n    import ray\n", "imports ray; only"),
    "an extra at the top": ("batch/on_ray.py", "import ray.util\n", "imports ray at its top"),
    "pickles": ("runs/load.py", "torch.load(path)\n", "torch.load"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_breaks_a_rule_is_named(case: str, rules: ModuleType) -> None:
    path, text, said = CASES[case]
    (fault,) = rules.faults(Path(path), text, rules.names())
    assert said in fault


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("methods/consingan/tasks.py", 'x = mode == "editing"\n'),
        ("outputs/film.py", 'x = kind == "film"\n'),
        ("cli/training.py", "print(1)\n"),
        ("metrics/foreign.py", "torch.load(path)\n"),
        ("api/train.py", 'x = name == "something else"\n'),
    ],
)
def test_what_is_allowed_is_not(path: str, text: str, rules: ModuleType) -> None:
    assert list(rules.faults(Path(path), text, rules.names())) == []
