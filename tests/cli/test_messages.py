"""What ends a command that is not training."""

from __future__ import annotations

import signal

import pytest

from consingan.cli.messages import STOPPED, friendly


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
