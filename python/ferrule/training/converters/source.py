"""Lines of a corpus file with their numbers, plain or gzip, one at a time."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ferrule._typing import PathOrStr
from ferrule.errors import CorpusError

__all__ = ["MAX_LINE", "malformed", "numbered_lines", "open_text"]

MAX_LINE = 16 * 1024 * 1024  # characters; a longer line is refused before it fills the memory
_GZIP_MAGIC = b"\x1f\x8b"


def open_text(path: PathOrStr) -> IO[str]:
    """The file opened for reading as UTF-8 (a byte order mark is skipped), unzipped if it is gzip.

    Raises CorpusError, with the path, if there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        what = "a folder, not a file" if path.is_dir() else "no such file"
        raise CorpusError(f"{path}: {what}. Give the path of a corpus file.")
    with path.open("rb") as file:
        is_gzip = file.read(2) == _GZIP_MAGIC
    raw = gzip.open(path, "rb") if is_gzip else path.open("rb")  # noqa: SIM115 (the caller closes it)
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")


def numbered_lines(path: PathOrStr) -> Iterator[tuple[int, str]]:
    """`(line number, line)` from 1, without the line end.

    Raises CorpusError, with path and line, for bytes that are not UTF-8, a damaged gzip file, and a line of
    more than `MAX_LINE` characters.
    """
    number = 0
    with open_text(path) as file:
        try:
            while line := file.readline(MAX_LINE + 1):
                number += 1
                if len(line) > MAX_LINE:
                    raise malformed(path, number, f"the line has more than {MAX_LINE} characters")
                yield number, line.rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise malformed(
                path,
                number + 1,
                f"expected UTF-8, found the byte {error.object[error.start]:#04x} here or soon after",
            ) from error
        except (EOFError, gzip.BadGzipFile, OSError) as error:
            raise malformed(path, number + 1, f"the file cannot be read further: {error}") from error


def malformed(path: PathOrStr, line: int, problem: str) -> CorpusError:
    """The error for a line of a corpus: `path:line: problem`."""
    return CorpusError(f"{path}:{line}: {problem}")
