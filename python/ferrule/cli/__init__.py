"""The command line `ferrule`. One file a command; what a command needs is imported when it runs."""

from __future__ import annotations

import errno
import os
import sys
import warnings
from collections.abc import Sequence

__all__ = ["main"]

SHOW_TRACEBACK = "FERRULE_TRACEBACK"
FREE_SPACE = "; free some space there and run the command again. What was saved before is as it was."
REMEDIES = {errno.ENOSPC: FREE_SPACE, errno.EDQUOT: FREE_SPACE, errno.EFBIG: FREE_SPACE}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `ferrule` with `arguments` (default: those of the process) and exit.

    An error is printed as one message on stderr and the exit code is 1 (2 for a wrong use of the command
    line, 130 after Ctrl-C). Set the environment variable FERRULE_TRACEBACK=1 to see where it came from.
    """
    from ferrule.cli.app import app

    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            app(None if arguments is None else list(arguments), prog_name="ferrule")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does; what Python flushes at exit must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if os.environ.get(SHOW_TRACEBACK, "") not in ("", "0"):
            raise
        print(f"ferrule: {describe(error)}", file=sys.stderr)
        sys.exit(1)


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"ferrule: warning: {message}", file=sys.stderr)


def describe(error: Exception) -> str:
    """The error as a person would want to read it: without a class name where the message says enough."""
    message = str(error).strip()
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}{REMEDIES.get(error.errno or 0, '')}"
    if isinstance(error, (ValueError, TypeError, OSError)) and message:
        return message
    return f"{type(error).__name__}: {message}{_raised_in(error)} (set {SHOW_TRACEBACK}=1 to see more)"


def _raised_in(error: Exception) -> str:
    """The place where an error comes from: for those of a component's own code, which know nothing of us."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    return f", in {frames[-1].filename}, line {frames[-1].lineno}" if frames else ""
