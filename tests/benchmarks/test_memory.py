"""The benchmark of memory: what it measures is what the dry run estimates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchmarks import memory
from benchmarks.memory import Step
from consingan.nn.regions import EVERYTHING, Around


@pytest.mark.parametrize("unusual", [{}, {"activation": "elu"}, {"norm": True}, {"hole": True}])
def test_a_step_is_of_the_networks_that_it_names(unusual: dict[str, Any]) -> None:
    step = Step(48, "fast", "float32", False, stages=2, iterations=1, **unusual)
    task = step.task()
    assert task.generator.shape == step.config.architecture
    assert isinstance(task.region, Around) == step.hole
    assert (task.region is EVERYTHING) == (not step.hole)
    memory._iterate(step)
    usual = Step(250, "fast", "float32", False, stages=2)
    assert (replace(step, size=250).estimate() > usual.estimate()) == bool(unusual)
