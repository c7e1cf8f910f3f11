"""The examples do what they say: a method of one's own is a method like any other."""

from __future__ import annotations

import contextlib
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
from consingan.images.io import read_image, unit
from consingan.images.resize import resize_to
from consingan.methods.contract import Method
from consingan.methods.registry import METHODS
from consingan.metrics.swd import sliced_wasserstein

SCRIPTS = {"quilt": "add_a_method", "texture_net": "add_a_trained_method"}


@contextlib.contextmanager
def added(name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Method]:
    """An example's method, registered as its script registers it, and gone afterwards."""
    script = SCRIPTS[name]
    spec = importlib.util.spec_from_file_location(script, ROOT / "examples" / f"{script}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, script, module)
    spec.loader.exec_module(module)
    yield METHODS[name]
    del METHODS[name]


@pytest.fixture
def quilt(monkeypatch: pytest.MonkeyPatch) -> Iterator[Method]:
    with added("quilt", monkeypatch) as method:
        yield method


@pytest.fixture
def texture_net(monkeypatch: pytest.MonkeyPatch) -> Iterator[Method]:
    with added("texture_net", monkeypatch) as method:
        yield method


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_examples_methods_keep_the_contract(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with added(name, monkeypatch) as method:
        case = Case(method, "generation", tmp_path)
        contract_cases.check_row(method)
        contract_cases.check_resuming(case)
        contract_cases.check_loading(case)
        contract_cases.check_output(case)
        contract_cases.check_refusals(case)
        for other in METHODS.values():
            contract_cases.check_foreign_setting(method, other, tmp_path)
            contract_cases.check_foreign_setting(other, method, tmp_path)


def test_a_quilt_has_only_pixels_of_the_image(quilt: Method) -> None:
    image = torch.rand(1, 3, 24, 30, generator=torch.Generator().manual_seed(0)) * 2 - 1
    made = train(image, method=quilt.name, patch=8).sample(1, size=(40, 20))
    pixels = {tuple(p) for p in image[0].flatten(1).T.tolist()}
    assert made.shape == (1, 3, 40, 20)
    assert {tuple(p) for p in made[0].flatten(1).T.tolist()} <= pixels


def test_a_texture_network_learns_the_images_patches(texture_net: Method) -> None:
    image = read_image(ROOT / "Images" / "Generation" / "stone_wall.jpg")
    real = resize_to(image, (36, 48)).clamp(-1, 1)
    settings = {"method": texture_net.name, "width": 8, "manual_seed": 0}
    apart = []
    for iterations in (1, 60):
        made = train(real, niter=iterations, **settings).sample(2, seed=1)
        apart.append(float(sliced_wasserstein(unit(real), unit(made)).mean()))
    assert apart[1] < 0.5 * apart[0]
