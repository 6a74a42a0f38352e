"""Ctrl-C during training."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from ferrule.training.interrupts import DeferredInterrupt


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_the_first_interrupt_waits_and_the_second_does_not() -> None:
    before = signal.getsignal(signal.SIGINT)
    with DeferredInterrupt() as deferred:
        assert not deferred.requested
        interrupt()
        assert deferred.requested
        with pytest.raises(KeyboardInterrupt):
            interrupt()
    assert signal.getsignal(signal.SIGINT) is before


def test_the_handler_is_restored_after_an_error() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError), DeferredInterrupt():
        raise RuntimeError
    assert signal.getsignal(signal.SIGINT) is before


def test_another_thread_leaves_signals_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def run() -> None:
        with DeferredInterrupt():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [before]
