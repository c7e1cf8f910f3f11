"""Signals during a training: what they are taken for."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from consingan.training.session import StopSignal

pty = pytest.importorskip("pty")
pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="a system without signals")


@pytest.fixture(autouse=True)
def from_a_terminal() -> Iterator[None]:
    """As in a terminal, even where the tests themselves were begun to outlive theirs (nohup)."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_a_wish(number: int) -> None:
    with StopSignal().listening() as stop:
        signal.raise_signal(number)
    assert stop.number == number


def test_ctrl_break_is_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "SIGBREAK", signal.SIGUSR2, raising=False)
    before = signal.getsignal(signal.SIGUSR2)
    with StopSignal().listening() as stop:
        signal.raise_signal(signal.SIGUSR2)
        assert stop.number == signal.SIGINT  # so that the exit code is that of Ctrl+C
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGUSR2)
    assert signal.getsignal(signal.SIGUSR2) == before


def test_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGHUP)
    with StopSignal().listening():
        assert signal.getsignal(signal.SIGHUP) != before
    assert signal.getsignal(signal.SIGHUP) == before


def test_a_training_that_is_to_outlive_its_terminal_does() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup has it
    try:
        with StopSignal().listening() as stop:
            signal.raise_signal(signal.SIGHUP)
        assert stop.number == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_only_a_second_ctrl_c_stops_at_once() -> None:
    with StopSignal().listening() as stop:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGHUP)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert stop.number == signal.SIGINT


def test_output_to_a_terminal_that_is_gone_fails_nothing() -> None:
    keeper, terminal = pty.openpty()
    stop = StopSignal(terminals=[terminal])
    os.close(keeper)
    with pytest.raises(OSError, match="Input/output"):
        os.write(terminal, b"lost")
    with stop.listening():
        signal.raise_signal(signal.SIGHUP)
    assert os.write(terminal, b"nowhere") == 7
    os.close(terminal)
