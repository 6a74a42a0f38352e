"""Ctrl-C and SIGTERM that wait for the end of a step."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

__all__ = ["DeferredInterrupt"]

DEFERRED = (signal.SIGINT, signal.SIGTERM)


class DeferredInterrupt:
    """Within its `with` block the first Ctrl-C or SIGTERM is only kept in `received`.

    The second ends the process's work at once, as it would without the block: KeyboardInterrupt for Ctrl-C.
    After the block `deliver` passes a SIGTERM on, because who sent it wants the process to end. Outside the
    main thread, where Python delivers no signals, it does nothing.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> DeferredInterrupt:
        if threading.current_thread() is threading.main_thread():
            for number in DEFERRED:
                self._previous[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._restore()

    def deliver(self) -> None:
        """Let a SIGTERM that was received do what it does outside the block; nothing for the others."""
        if self.received is signal.SIGTERM:
            os.kill(os.getpid(), signal.SIGTERM)

    def _restore(self) -> None:
        for number, previous in self._previous.items():
            signal.signal(number, previous)
        self._previous = {}

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.received is None:
            self.received = signal.Signals(number)
            return
        self._restore()
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        os.kill(os.getpid(), number)
