"""Writing one file so that it is there whole, or as it was before."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from ferrule._typing import PathOrStr

__all__ = ["write_whole"]


def write_whole(path: PathOrStr, text: str) -> None:
    """Write `text` as UTF-8 to the file `path`; missing folders are made.

    The text goes to a file beside it, which takes its name when it is whole. What is no ordinary file, such
    as a pipe, is written as it is. Raises OSError, with `path`, where it cannot be written.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        target.write_text(text, encoding="utf8")
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = target.with_name(f".{target.name}.ferrule-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        with staged.open("w", encoding="utf8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(staged, target)
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise
    finally:
        with contextlib.suppress(OSError):
            staged.unlink(missing_ok=True)
