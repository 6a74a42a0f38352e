"""Every place where saving touches the disk, as numbered points at which a test can strike."""

from __future__ import annotations

import builtins
import errno
import io
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ferrule.storage import folders

OS_CALLS = ("open", "mkdir", "rename", "link", "fsync", "unlink", "rmdir")


class Points:
    """Counts I/O calls and strikes at the one numbered `at`: before it, or for writes half-way through."""

    def __init__(self, at: int, strike: Callable[[], None]) -> None:
        self.at = at
        self.strike = strike
        self.count = 0

    def pass_one(self) -> None:
        self.count += 1
        if self.count == self.at:
            self.strike()


class CountedFile:
    """A file opened for writing whose writes are points."""

    def __init__(self, file: Any, points: Points) -> None:
        self._file = file
        self._points = points

    def write(self, data: Any) -> Any:
        self._points.count += 1
        if self._points.count == self._points.at:
            self._file.write(data[: len(data) // 2])
            self._file.flush()
            self._points.strike()
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> CountedFile:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


@contextmanager
def io_points(at: int, strike: Callable[[], None]) -> Iterator[Points]:
    """Within it, the `at`-th I/O call from now on calls `strike` first."""
    points = Points(at, strike)
    plain_open = io.open

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            points.pass_one()
            return function(*args, **kwargs)

        return call

    def open_counted(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        points.pass_one()
        opened = plain_open(file, mode, *args, **kwargs)
        return CountedFile(opened, points) if set(mode) & set("wax+") else opened

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(io, "open", open_counted)
        patch.setattr(builtins, "open", open_counted)
        for name in OS_CALLS:
            patch.setattr(os, name, counted(getattr(os, name)))
        patch.setattr(folders, "_exchange", counted(folders._exchange))
        yield points


def disk_full() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def in_child(action: Callable[[], None]) -> int:
    """Run `action` in a forked process: its exit code, or minus the signal that ended it."""
    process = os.fork()
    if process == 0:
        try:
            action()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
