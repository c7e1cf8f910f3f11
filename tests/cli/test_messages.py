"""What ends a command that is not training."""

from __future__ import annotations

import signal

import pytest

from consingan.cli.messages import FAILURE, STOPPED, friendly


@pytest.mark.skipif(not hasattr(signal, "SIGUSR2"), reason="a system without signals")
def test_ctrl_break_is_ctrl_c(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(signal, "SIGBREAK", signal.SIGUSR2, raising=False)
    before = signal.getsignal(signal.SIGUSR2)
    with pytest.raises(SystemExit) as ended, friendly():
        signal.raise_signal(signal.SIGUSR2)
    assert ended.value.code == STOPPED
    assert "Stopped." in capsys.readouterr().err
    assert signal.getsignal(signal.SIGUSR2) == before


def test_a_gpu_that_failed_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, friendly():
        raise RuntimeError("CUDA error: the launch timed out and was terminated\nSearch for ...")
    assert ended.value.code == FAILURE
    said = capsys.readouterr().err
    assert "Error: The GPU failed (CUDA error: the launch timed out and was terminated)" in said
