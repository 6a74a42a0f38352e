"""Writing a folder so that it is there whole, or not at all.

Everything is written into a new folder beside the target, synced, and put in the target's place by one
rename.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import glob
import os
import secrets
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ferrule._typing import PathOrStr
from ferrule.storage.held_folder import HeldFolder
from ferrule.storage.manifest import MANIFEST, listed_files, seal, sync_folder

__all__ = ["previous_folder", "saving"]

_staging = threading.local()  # .folders: the folders this thread is writing at the moment


@contextmanager
def saving(path: PathOrStr) -> Iterator[Path]:
    """A new folder to write into, which takes the place of `path` when the block ends without an error.

    A block inside another one's folder writes straight into it. Files in `path` that no save put there are
    carried over. After an error, a crash or a kill at any point `path` is what it was, or new as a whole.
    """
    target = Path(os.path.realpath(path))
    active: list[Path] = _staging.__dict__.setdefault("folders", [])
    if any(folder == target or folder in target.parents for folder in active):
        target.mkdir(parents=True, exist_ok=True)
        yield target
        return
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "cannot save a folder where there is a file", str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    _clear_leftovers(target)
    held = _new_folder_beside(target)
    staged = held.path
    active.append(staged)
    try:
        yield staged
        seal(staged, kept=_carry_over(target, staged))
        _put_in_place(staged, target)
    except OSError as error:
        if error.filename is None or Path(os.fsdecode(error.filename)).is_relative_to(staged):
            error.filename = str(target)  # a full disk names no file
        raise
    finally:
        active.remove(staged)
        held.close()
        # What is left under this name is the old content, or what could not be finished.
        shutil.rmtree(staged, ignore_errors=True)


def previous_folder(target: Path) -> Path:
    """Where the old content waits between the two renames of systems that cannot exchange folders in one."""
    return target.parent / f".{target.name}.ferrule-previous"


def _new_folder_beside(target: Path) -> HeldFolder:
    """A new folder, locked: one that nobody has locked is a leftover, and other savers take it away."""
    held = None
    while held is None:
        path = target.parent / f".{target.name}.ferrule-{os.getpid()}-{secrets.token_hex(4)}"
        try:
            path.mkdir()
            held = _lock_before_others(path)
        except OSError as error:
            shutil.rmtree(path, ignore_errors=True)
            error.filename = str(target)
            raise
    return held


def _lock_before_others(path: Path) -> HeldFolder | None:
    """The folder at `path`, locked; None where another saver was sooner and takes it away."""
    try:
        held = HeldFolder(path)
    except FileNotFoundError:
        return None
    try:
        held.lock()
    except BlockingIOError:
        pass
    except OSError:
        return held  # without locks nobody takes anything away
    else:
        if held.is_still_there():
            return held
    held.close()
    return None


def _carry_over(target: Path, staged: Path) -> frozenset[str]:
    """Link the top-level entries of `target` that are not part of a pipeline into `staged`; their names."""
    if not target.is_dir():
        return frozenset()
    with contextlib.suppress(OSError):
        shutil.copymode(target, staged)
    kept = _entries_of_others(target) - set(os.listdir(staged))
    for name in kept:
        source = target / name
        if source.is_dir() and not source.is_symlink():
            shutil.copytree(source, staged / name, symlinks=True, copy_function=_link_or_copy)
        else:
            _link_or_copy(str(source), str(staged / name))
    return kept


def _entries_of_others(target: Path) -> frozenset[str]:
    """The top-level entries of `target` that no save put there, from one state of it."""
    while True:
        with HeldFolder(target) as held:
            ours = {name.split("/")[0] for name in listed_files(target)} | {MANIFEST}
            entries = os.listdir(target)
            if held.is_still_there():
                return frozenset(entries) - ours


def _link_or_copy(source: str, target: str, *, follow_symlinks: bool = False) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _put_in_place(staged: Path, target: Path) -> None:
    while True:
        try:
            os.rename(staged, target)  # works where there is nothing, or an empty folder
            break
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.EACCES, errno.EPERM):
                raise
        if _exchange(staged, target):
            break
        if _swap_in_two_steps(staged, target):
            break
    sync_folder(target.parent)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two folders in one step; False where the system or the file system cannot, or one is gone."""
    if os.name != "posix":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    one, other = os.fsencode(first), os.fsencode(second)
    if sys.platform.startswith("linux") and hasattr(libc, "renameat2"):
        at_working_folder, exchange = -100, 2
        failed = libc.renameat2(at_working_folder, one, at_working_folder, other, exchange)
    elif sys.platform == "darwin" and hasattr(libc, "renamex_np"):
        failed = libc.renamex_np(one, other, 2)
    else:
        return False
    if not failed:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.ENOENT):
        return False
    raise OSError(code, os.strerror(code), str(second))


def _swap_in_two_steps(staged: Path, target: Path) -> bool:
    """Move the old folder aside, then the new one in; readers look for the old one if they find neither."""
    previous = previous_folder(target)
    shutil.rmtree(previous, ignore_errors=True)
    try:
        os.rename(target, previous)
    except FileNotFoundError:
        return False
    try:
        os.rename(staged, target)
    except OSError:
        os.rename(previous, target)
        raise
    shutil.rmtree(previous, ignore_errors=True)
    return True


def _clear_leftovers(target: Path) -> None:
    """Remove what savers of `target` left behind that were killed: folders nobody holds a lock on."""
    previous = previous_folder(target)
    if previous.is_dir() and not target.exists():
        with contextlib.suppress(OSError):
            os.rename(previous, target)
    for leftover in target.parent.glob(f".{glob.escape(target.name)}.ferrule-*-*"):
        with contextlib.suppress(OSError), HeldFolder(leftover) as held:
            held.lock()
            shutil.rmtree(leftover, ignore_errors=True)
