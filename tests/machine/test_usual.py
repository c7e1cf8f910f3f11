"""Torch as it is by default, in a process that was forked, too."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from consingan.machine.usual import torch_as_usual

FORKED = """
import os, signal, time
import torch
import consingan

torch.set_num_threads(2)
picture = torch.rand(1, 3, 40, 52)
small = {"niter": 2, "train_stages": 2, "nfc": 8, "max_size": 52, "min_size": 25, "device": "cpu"}
model = consingan.train(picture, **small)
sample = model.sample(seed=3)
child = os.fork()
if child == 0:
    again = model.sample(seed=3)
    os._exit(0 if torch.allclose(again, sample, atol=1e-4) else 1)
for _ in range(1200):
    ended, status = os.waitpid(child, os.WNOHANG)
    if ended:
        print("ended", os.waitstatus_to_exitcode(status), torch.get_num_threads())
        break
    time.sleep(0.1)
else:
    os.kill(child, signal.SIGKILL)
    print("waits for ever")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Processes cannot be forked here.")
def test_a_forked_process_computes_and_the_first_keeps_its_threads() -> None:
    """Torch's threads are not there in the child; with more than one it waits for ever."""
    environment = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    told = subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], env=environment,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert told.stdout.endswith("ended 0 2\n"), told.stdout[-500:] + told.stderr[-1500:]


def test_casts_are_not_asked_for_where_torch_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch 2.4 fails when it is asked about Apple's GPUs."""

    def enabled(device: str) -> bool:
        assert device != "mps", "unknown device type for autocast"
        return False

    monkeypatch.setattr(torch.amp, "is_autocast_available", lambda device: device != "mps")
    monkeypatch.setattr(torch, "is_autocast_enabled", enabled)
    with torch_as_usual():
        assert torch.is_grad_enabled()
