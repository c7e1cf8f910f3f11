"""The kernels that Triton compiles: where they are used, what they compute, which cards take them.

On a GPU tests/machine/test_cuda.py runs them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from engine_cases import Case
from helpers import REPOSITORY

from consingan.machine.precision import Arithmetic
from consingan.methods.consingan.fast_engine import FastEngine
from consingan.nn.architecture import Architecture
from consingan.nn.critic import make_critic
from consingan.nn.discriminator import Discriminator
from consingan.nn.fused import choice
from consingan.nn.fused.critic import FusedCritic
from consingan.nn.fused.maps import LAUNCHES, launch_of
from consingan.nn.kernels import FastOperations
from consingan.nn.linear_critic import LinearCritic

SHAPE = Architecture()
GPU = torch.device("cuda", 0)
SMALL = 250 * 188  # px


@pytest.mark.skipif(not choice.has_triton(), reason="there is no Triton here")
@pytest.mark.parametrize(
    ("cases", "more"), [("fused_cases.py", {"TRITON_INTERPRET": "1"}), ("fused_cards.py", {})]
)
def test_kernels_without_a_gpu(cases: str, more: dict[str, str]) -> None:
    """In processes of their own: what is imported for the interpreter is not what a GPU runs."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", cases]
    done = subprocess.run(
        command, cwd=REPOSITORY / "tests", capture_output=True, text=True, check=False,
        env={**os.environ, **more, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize(
    ("more", "fit"),
    [({}, True), ({"channels": 16, "padding": 1, "image_channels": 7}, True),
     ({"channels": 8}, False), ({"channels": 96}, False), ({"channels": 256}, False),
     ({"kernel": 5}, False), ({"norm": True}, False), ({"activation": "elu"}, False),
     ({"image_channels": 8}, False)],
    ids=str,
)  # fmt: skip
def test_networks_that_fit(more: dict[str, object], fit: bool) -> None:
    assert choice.fits(Architecture(**more)) is fit  # type: ignore[arg-type]


def test_what_is_tried_first_is_launched_in_every_way() -> None:
    found = {launch_of(extent**2, SHAPE.channels) for extent in choice.EXTENTS}
    assert found == {launch for _, launch in LAUNCHES}


@pytest.mark.parametrize(
    ("version", "fit"), [("3.2.0", False), ("3.3.0", True), ("3.10.1+git1", True), (None, False)]
)
def test_old_tritons_are_not_used(
    version: str | None, fit: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "triton_version", lambda: version)
    assert choice.has_triton() is fit


@pytest.mark.parametrize("code", ["raise AttributeError('broken')", ""])
def test_a_broken_triton_is_none(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "triton.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "triton", raising=False)
    assert choice.triton_version.__wrapped__() is None
    sys.modules.pop("triton", None)


@pytest.fixture
def with_triton(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU with Triton, where all compiles."""
    monkeypatch.setattr(choice, "has_triton", lambda: True)
    monkeypatch.setattr(choice, "run_all", lambda *_: None)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda _: None)
    monkeypatch.delenv(choice.SWITCH, raising=False)
    choice._compiles.cache_clear()
    yield
    choice._compiles.cache_clear()


@pytest.mark.usefixtures("with_triton")
def test_where_they_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choice.usable(GPU, torch.bfloat16, SHAPE, SMALL)
    assert not choice.usable(GPU, torch.float32, SHAPE, SMALL)
    assert not choice.usable(GPU, torch.bfloat16, Architecture(norm=True), SMALL)
    assert not choice.usable(torch.device("cpu"), torch.bfloat16, SHAPE, SMALL)
    monkeypatch.setenv(choice.SWITCH, "0")
    assert not choice.usable(GPU, torch.bfloat16, SHAPE, SMALL)
    monkeypatch.delenv(choice.SWITCH)
    with monkeypatch.context() as here:
        here.setattr(torch.version, "hip", "6.4")
        assert not choice.usable(GPU, torch.bfloat16, SHAPE, SMALL)
    monkeypatch.setattr(choice, "has_triton", lambda: False)
    assert not choice.usable(GPU, torch.bfloat16, SHAPE, SMALL)


@pytest.mark.usefixtures("with_triton")
def test_maps_whose_values_are_too_many_to_be_counted_in_32_bits_are_left_to_torch() -> None:
    most = choice.MOST // SHAPE.channels
    assert 3 * most * SHAPE.channels < 2**31  # the critic's map: real, fake and one between them
    assert choice.usable(GPU, torch.bfloat16, SHAPE, most)
    assert not choice.usable(GPU, torch.bfloat16, SHAPE, most + 1)


@pytest.mark.usefixtures("with_triton")
def test_a_machine_without_a_compiler_goes_on_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("Failed to find C compiler.\nPlease specify via CC")

    monkeypatch.setattr(choice, "run_all", fails)
    with pytest.warns(UserWarning, match=r"going on with torch's own \(Failed to find C compiler"):
        assert not choice.usable(GPU, torch.bfloat16, SHAPE, SMALL)
    assert not choice.usable(GPU, torch.bfloat16, SHAPE, SMALL)  # and says it once


def test_recorded_iterations_alone_ask_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Launched one by one from Python, Triton's kernels would wait for it."""
    asked = []
    monkeypatch.setattr(
        "consingan.methods.consingan.fast_engine.usable",
        lambda *told: asked.append(told) or False,
    )
    task = Case(dtype=torch.float32).task()
    engine = FastEngine(task, Arithmetic("bf16"))
    assert (asked, engine.operations, engine.arithmetic.fused) == ([], None, False)
    FastEngine(task, Arithmetic("bf16"), capturable=True)
    ((device, dtype, shape, pixels),) = asked
    assert (device.type, dtype, shape.channels) == ("cpu", torch.bfloat16, 5)
    assert pixels == 17 * 21


@pytest.mark.parametrize(
    ("fused", "side", "kind"),
    [(False, 20, LinearCritic), (True, 20, FusedCritic), (True, 200, LinearCritic)],
)
def test_the_critic_of_one_batch(fused: bool, side: int, kind: type) -> None:
    discriminator, real = Discriminator(SHAPE), torch.zeros(1, 3, side, side)
    assert type(make_critic(discriminator, real, Arithmetic(fused=fused))) is kind


def test_operations_without_kernels_of_ours_add_the_noise() -> None:
    x, noise = torch.randn(1, 4, 5, 6), torch.randn(1, 4, 9, 11)
    operations = FastOperations(torch.float32)
    expected = operations.upsample(x, (9, 11)) + 0.5 * noise
    torch.testing.assert_close(operations.upsample_onto(noise, x, 0.5), expected)
