"""Names that stay inside a folder."""

from __future__ import annotations

import os
from pathlib import Path

from ferrule.errors import UnsafePathError

__all__ = ["check_links", "checked_name"]


def checked_name(name: str, what: str = "name") -> str:
    """`name` if it can be one file or folder below another; UnsafePathError otherwise.

    Refused are empty names, `.` and `..`, and names with a slash, a backslash, a colon after one letter (a
    drive), or a NUL.

    >>> checked_name("tagger")
    'tagger'
    """
    unsafe = not name or name in (".", "..") or any(c in name for c in "/\\\0") or name[1:2] == ":"
    if unsafe:
        raise UnsafePathError(
            f"{what} {name!r} cannot be the name of a folder; use letters, digits, '_' and '-', without "
            "'/' or '..'"
        )
    return name


def check_links(folder: Path) -> None:
    """UnsafePathError if a link anywhere in `folder` leads out of it."""
    root = os.path.realpath(folder)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(parent, name)
            if os.path.islink(path):
                target = os.path.realpath(path)
                if os.path.commonpath([root, target]) != root:
                    raise UnsafePathError(
                        f"{path} is a link to {target}, outside the folder being loaded; put a copy in "
                        "its place"
                    )
