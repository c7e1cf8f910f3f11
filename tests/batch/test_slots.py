"""A machine is shared out: no more trainings than cores, memory and GPUs bear."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch

from consingan.batch.slots import (
    CONTEXT,
    PROGRAM,
    Gpu,
    Machine,
    Slot,
    machine_here,
    slots_of,
    taking_turns,
)
from consingan.errors import UserError
from consingan.machine import device, memory

GIB = 2**30


def test_a_core_for_each_training() -> None:
    assert len(slots_of(Machine(8, None), GIB, "cpu")) == 8
    assert len(slots_of(Machine(8, None), GIB, "cpu", threads=3)) == 2
    assert len(slots_of(Machine(2, None), GIB, "cpu", threads=4)) == 1


def test_memory_bounds_how_many() -> None:
    machine = Machine(8, 3 * (GIB + PROGRAM) + 5)
    assert len(slots_of(machine, GIB, "cpu")) == 3
    assert len(slots_of(machine, GIB, "cpu", workers=5)) == 3
    with pytest.raises(UserError, match="are free; use a smaller max_size"):
        slots_of(Machine(8, GIB), GIB, "cpu")


def test_gpus_are_filled_in_turns() -> None:
    gpus = [Gpu("cuda:0", 3 * (GIB + CONTEXT)), Gpu("cuda:1", GIB + CONTEXT)]
    slots = slots_of(Machine(16, 99 * GIB, gpus), GIB, "auto")
    assert [slot.device for slot in slots] == ["cuda:0", "cuda:1", "cuda:0", "cuda:0"]
    few = slots_of(Machine(2, 99 * GIB, gpus), GIB, "auto")
    assert Counter(slot.device for slot in few) == {"cuda:0": 1, "cuda:1": 1}
    with pytest.raises(UserError, match="of a GPU's memory"):
        slots_of(Machine(16, 99 * GIB, gpus), 9 * GIB, "auto")


def test_trainings_that_share_a_gpu_are_told_of_its_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_MPS_PIPE_DIRECTORY", str(tmp_path))
    shared, apart = [Slot("cuda:0", 1)] * 2, [Slot("cuda:0", 1), Slot("cuda:1", 1)]
    assert "nvidia-cuda-mps-control -d" in taking_turns(shared)
    assert taking_turns(apart) == taking_turns([Slot("cpu", 1)] * 2) == ""
    (tmp_path / "control").touch()
    assert taking_turns(shared) == ""


def test_gpus_that_do_not_compute_get_no_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    """One is too old for this build of torch, another program keeps another for itself."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(device, "_unusable", lambda gpu: "busy" if gpu.index != 1 else "")
    given_back: list[bool] = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: given_back.append(True))
    monkeypatch.setattr(memory, "free_memory", lambda _: GIB)
    assert machine_here("auto").gpus == [Gpu("cuda:1", GIB)]
    assert machine_here("cuda:2").gpus == [Gpu("cuda:2", GIB)]
    assert machine_here("cpu").gpus == []
    assert given_back == [True, True]  # or what planning took would be counted as free for others
