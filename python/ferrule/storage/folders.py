"""Writing a folder so that it is there whole, or not at all.

Everything is written into a new folder beside the target, synced, and put in the target's place by one
rename.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import secrets
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ferrule._typing import PathOrStr
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
    staged = target.parent / f".{target.name}.ferrule-{os.getpid()}-{secrets.token_hex(4)}"
    lock = None
    active.append(staged)
    try:
        staged.mkdir()
        lock = _hold(staged)
        yield staged
        seal(staged, kept=_carry_over(target, staged))
        _put_in_place(staged, target)
    except OSError as error:
        if error.filename is None or Path(os.fsdecode(error.filename)).is_relative_to(staged):
            error.filename = str(target)  # a full disk names no file
        raise
    finally:
        active.remove(staged)
        if lock is not None:
            os.close(lock)
        # What is left under this name is the old content, or what could not be finished.
        shutil.rmtree(staged, ignore_errors=True)


def previous_folder(target: Path) -> Path:
    """Where the old content waits between the two renames of systems that cannot exchange folders in one."""
    return target.parent / f".{target.name}.ferrule-previous"


def _carry_over(target: Path, staged: Path) -> frozenset[str]:
    """Link the top-level entries of `target` that are not part of a pipeline into `staged`; their names."""
    if not target.is_dir():
        return frozenset()
    with contextlib.suppress(OSError):
        shutil.copymode(target, staged)
    ours = {name.split("/")[0] for name in listed_files(target)} | {MANIFEST} | set(os.listdir(staged))
    kept = frozenset(set(os.listdir(target)) - ours)
    for name in kept:
        source = target / name
        if source.is_dir() and not source.is_symlink():
            shutil.copytree(source, staged / name, symlinks=True, copy_function=_link_or_copy)
        else:
            _link_or_copy(str(source), str(staged / name))
    return kept


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


def _hold(folder: Path) -> int | None:
    """An open lock on `folder` that ends with this process; None where the system has no such locks."""
    try:
        import fcntl
    except ImportError:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _clear_leftovers(target: Path) -> None:
    """Remove what savers of `target` left behind that were killed: folders nobody holds a lock on."""
    try:
        import fcntl
    except ImportError:
        return
    previous = previous_folder(target)
    if previous.is_dir() and not target.exists():
        with contextlib.suppress(OSError):
            os.rename(previous, target)
    for leftover in target.parent.glob(f".{_glob_escape(target.name)}.ferrule-*-*"):
        with contextlib.suppress(OSError):
            descriptor = os.open(leftover, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(leftover, ignore_errors=True)
            finally:
                os.close(descriptor)


def _glob_escape(name: str) -> str:
    import glob

    return glob.escape(name)
