"""A folder held open, so that another one put in its place can be told from it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

__all__ = ["HeldFolder"]


class HeldFolder:
    """The folder that is at `path` now. Until it is closed no other one can be given its identity.

    Raises FileNotFoundError if there is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY) if os.name == "posix" else None
        self._identity = os.stat(path if self._descriptor is None else self._descriptor)

    def __enter__(self) -> HeldFolder:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def is_still_there(self) -> bool:
        """Whether `path` leads to this folder."""
        try:
            return os.path.samestat(os.stat(self.path), self._identity)
        except OSError:
            return False

    def lock(self) -> None:
        """Lock it until it is closed or the process ends. A lock keeps out only those who ask for it too.

        Raises BlockingIOError at once where another process or thread has the lock, another OSError where
        the system or the file system has no locks.
        """
        try:
            import fcntl
        except ImportError:
            raise OSError(errno.ENOTSUP, "no locks on this system", str(self.path)) from None
        if self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
