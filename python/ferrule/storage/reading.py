"""Reading a folder that another process may be replacing at the same moment."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ferrule._typing import PathOrStr
from ferrule.errors import SerializationError
from ferrule.storage.folders import previous_folder
from ferrule.storage.held_folder import HeldFolder
from ferrule.storage.manifest import check_folder
from ferrule.storage.paths import check_links

__all__ = ["reading"]

T = TypeVar("T")

_ATTEMPTS = 8
_open_roots = threading.local()  # .folders: the folders this thread is reading at the moment


def reading(path: PathOrStr, read: Callable[[Path], T]) -> T:
    """What `read(folder)` returns for the folder at `path`, read from one state of it.

    Before `read` is called, links out of the folder are refused and every file is compared with the hash
    saved with it. If the folder was replaced meanwhile, whatever came of `read`, a result or an error, is
    dropped and it is called again for the new one. Inside another call's folder `read` is simply called.

    Raises FileNotFoundError if there is no folder, CorruptedFileError, UnsafePathError, and whatever `read`
    does.
    """
    target = Path(os.path.abspath(path))
    active: list[Path] = _open_roots.__dict__.setdefault("folders", [])
    if any(folder == target or folder in target.parents for folder in active):
        return read(target)
    active.append(target)
    try:
        for _ in range(_ATTEMPTS):
            with HeldFolder(_folder_to_read(target)) as held:
                try:
                    check_links(held.path)
                    check_folder(held.path)
                    result = read(held.path)
                except Exception:
                    if held.is_still_there():
                        raise
                    continue
                if held.is_still_there():
                    return result
    finally:
        active.remove(target)
    raise SerializationError(
        f"{target} was replaced {_ATTEMPTS} times while it was being read; load it when nobody is saving "
        "to it"
    )


def _folder_to_read(target: Path) -> Path:
    previous = previous_folder(target)
    folder = previous if not target.exists() and previous.is_dir() else target
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing"
        raise FileNotFoundError(
            f"{target}: expected the folder of a saved pipeline or component, found {found}"
        )
    return folder
