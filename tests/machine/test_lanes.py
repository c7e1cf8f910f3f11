"""Lanes where there is no GPU: work is done as it is written."""

from __future__ import annotations

import torch

from consingan.machine.lanes import LANES, Lanes


def test_without_a_gpu_everything_runs_in_order() -> None:
    lanes, done = Lanes(torch.device("cpu")), []
    for number in range(LANES + 1):
        with lanes.beside(number):
            done.append(number)
    lanes.join()
    assert done == list(range(LANES + 1))
    assert lanes.used == []
