"""The examples do what they say: a method of one's own is a method like any other."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import contract_cases
import pytest
import torch
from commands_in_text import ROOT
from contract_cases import Case

from consingan.api.train import train
from consingan.methods.contract import Method
from consingan.methods.registry import METHODS

NAME = "add_a_method"


@pytest.fixture
def quilt(monkeypatch: pytest.MonkeyPatch) -> Iterator[Method]:
    """The example's method, registered as the script registers it, and gone afterwards."""
    spec = importlib.util.spec_from_file_location(NAME, ROOT / "examples" / f"{NAME}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, NAME, module)
    spec.loader.exec_module(module)
    yield METHODS["quilt"]
    del METHODS["quilt"]


def test_the_examples_method_keeps_the_contract(quilt: Method, tmp_path: Path) -> None:
    case = Case(quilt, "generation", tmp_path)
    contract_cases.check_row(quilt)
    contract_cases.check_resuming(case)
    contract_cases.check_loading(case)
    contract_cases.check_output(case)
    contract_cases.check_refusals(case)
    for other in METHODS.values():
        contract_cases.check_foreign_setting(quilt, other, tmp_path)
        contract_cases.check_foreign_setting(other, quilt, tmp_path)


def test_a_quilt_has_only_pixels_of_the_image(quilt: Method) -> None:
    image = torch.rand(1, 3, 24, 30, generator=torch.Generator().manual_seed(0)) * 2 - 1
    made = train(image, method=quilt.name, patch=8).sample(1, size=(40, 20))
    pixels = {tuple(p) for p in image[0].flatten(1).T.tolist()}
    assert made.shape == (1, 3, 40, 20)
    assert {tuple(p) for p in made[0].flatten(1).T.tolist()} <= pixels
