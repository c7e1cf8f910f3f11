"""What a training step will take, what is free, and what is advised."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import pytest
import torch

from consingan.machine.execution import Execution
from consingan.machine.memory import free_memory
from consingan.machine.precision import Arithmetic
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.engine import Recipe, recipe_of
from consingan.methods.consingan.foresight import peak_memory
from consingan.methods.consingan.memory import estimate_training_memory
from consingan.methods.consingan.method import CONSINGAN
from consingan.nn.architecture import Architecture
from consingan.settings.layers import Chosen
from consingan.training import plan
from consingan.training.prepare import prepare

CPU = torch.device("cpu")
SIZES = [(25, 38), (31, 47), (41, 61), (60, 89), (115, 171), (167, 250)]


def estimate(precision: str = "float32", engine: str = "fast", checkpointing: bool = False) -> int:
    execution = Execution(CPU, Arithmetic(precision), engine, checkpointing)
    return estimate_training_memory(SIZES, Architecture(), "noise", Recipe(), execution)


@pytest.mark.parametrize(
    ("precision", "engine", "checkpointing", "measured"),
    [
        ("float32", "plain", False, 463),
        ("float32", "fast", False, 289),
        ("float32", "fast", True, 244),
        ("bf16", "fast", False, 252),
        ("bf16", "fast", True, 229),
    ],
)
def test_near_what_was_measured(
    precision: str, engine: str, checkpointing: bool, measured: int
) -> None:
    """MiB that `python -m benchmarks.memory --sizes 250` printed."""
    expected = estimate(precision, engine, checkpointing) / 2**20
    assert expected == pytest.approx(measured, rel=0.2)


SMALL = {
    128: [(25, 38), (31, 47), (37, 56), (45, 67), (65, 98), (85, 128)],
    96: [(25, 38), (30, 45), (35, 53), (40, 60), (52, 78), (64, 96)],
}


@pytest.mark.parametrize(
    ("longer", "precision", "networks", "checkpointing", "hole", "measured"),
    [
        (96, "float32", {}, False, False, 114),
        (96, "bf16", {}, False, False, 70),
        (128, "float32", {}, False, False, 198),
        (128, "bf16", {}, False, False, 116),
        (128, "float32", {}, True, False, 188),
        (128, "float32", {"norm": True}, False, False, 250),
        (128, "bf16", {"norm": True}, False, False, 148),
        (128, "float32", {"activation": "elu"}, False, False, 218),
        (128, "float32", {}, False, True, 188),
    ],
)
def test_small_pictures_go_in_one_batch_and_take_more_than_larger_ones(
    longer: int, precision: str, networks: dict[str, Any], checkpointing: bool, hole: bool,
    measured: int,
) -> None:  # fmt: skip
    """MiB by which a process grew (`benchmarks.memory.measure`, six stages)."""
    execution = Execution(CPU, Arithmetic(precision), "fast", checkpointing)
    expected = estimate_training_memory(
        SMALL[longer], Architecture(**networks), "noise", Recipe(), execution, hole
    )
    assert 0.9 < expected / 2**20 / measured < 1.3


def test_the_largest_step_may_be_that_of_a_coarser_stage() -> None:
    sizes = [(48, 60), (100, 125), (114, 143), (130, 163)]
    config, alone = ConSinGANConfig(), Execution(CPU, engine="fast")
    peaks = [peak_memory(config, sizes[:count], alone) for count in (3, 4)]
    assert peaks[0] == peaks[1]
    assert (
        estimate_training_memory(
            sizes, config.architecture, config.border, recipe_of(config), alone
        )
        < peaks[0]
    )


@pytest.mark.parametrize("longer", [250, 200, 160, 100, 48])
def test_a_task_s_own_min_size_is_foreseen_as_it_will_be_fitted(longer: int) -> None:
    typed = {"train_mode": "harmonization", "manual_seed": 1}
    execution, picture = Execution(torch.device("cpu")), torch.zeros(1, 3, 140, 250)
    job = prepare(typed, execution, picture)
    smaller = prepare({**typed, "max_size": longer}, execution, picture)
    foreseen = job.training.peak_memory_at(longer, job.chosen.origin)
    assert foreseen == smaller.training.peak_memory()


@pytest.mark.skipif(not Path("/proc/meminfo").is_file(), reason="only Linux tells")
def test_free_memory() -> None:
    free = free_memory(torch.device("cpu"))
    assert free is not None
    assert 2**20 < free < 2**50
    assert free_memory(torch.device("mps")) is None


@pytest.mark.parametrize(("free", "word"), [(None, None), (1000, None), (245, "or"), (100, "and")])
def test_advice(monkeypatch: pytest.MonkeyPatch, free: int | None, word: str | None) -> None:
    mebi = 2**20
    monkeypatch.setattr(plan, "free_memory", lambda _: free and free * mebi)
    execution = types.SimpleNamespace(device=torch.device("cpu"), engine="fast")
    execution.checkpointing = False
    training = types.SimpleNamespace(sizes=SIZES, peak_memory=lambda checkpointing: 243 * mebi)
    chosen = Chosen(ConSinGANConfig(), {})
    job = types.SimpleNamespace(
        execution=execution, training=training, base=None, chosen=chosen, method=CONSINGAN,
        input_size=SIZES[-1],
    )  # fmt: skip
    lines = list(plan.memory_advice(job, 284 * mebi))  # type: ignore[arg-type]
    if word is None:
        assert lines == []
        return
    (line,) = lines
    assert f"--checkpointing (about 243 MiB) {word} --max_size" in line
    longer = int(line.rstrip(".").split()[-1])
    assert longer < 250


@pytest.mark.parametrize(
    ("engine", "unusual", "hole", "stages", "grown"),
    [
        ("fast", {"norm": True}, False, 1, 44),
        ("fast", {"norm": True}, False, 4, 61),
        ("fast", {"activation": "elu"}, False, 1, 235),
        ("fast", {"activation": "prelu"}, False, 4, 241),
        ("fast", {}, True, 1, 172),
        ("fast", {}, True, 4, 178),
        ("checkpointed", {"norm": True}, False, 4, 18),
        ("checkpointed", {"activation": "elu"}, False, 4, 217),
        ("plain", {"norm": True}, False, 4, 36),
        ("plain", {"activation": "elu"}, False, 1, 62),
    ],
)
def test_what_the_unusual_takes_besides_is_near_what_was_measured(
    engine: str, unusual: dict[str, Any], hole: bool, stages: int, grown: int
) -> None:
    """MiB by which a process grew more than for the default networks, at 280x187, 32 channels."""
    sizes = [(26, 38), (42, 62), (96, 144), (187, 280)][-stages:]
    checkpointed = engine == "checkpointed"
    execution = Execution(CPU, Arithmetic(), "fast" if checkpointed else engine, checkpointed)
    more, less = (
        estimate_training_memory(
            sizes, Architecture(channels=32, **kind), "noise", Recipe(), execution, holed
        )
        for kind, holed in ((unusual, hole), ({}, False))
    )
    assert (more - less) / 2**20 == pytest.approx(grown, rel=0.25)
