"""The hash of every file of a saved folder, kept beside the files in `ferrule.sha256`.

The format is that of the command `sha256sum`: `cd folder && sha256sum -c ferrule.sha256` checks it too.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from ferrule.errors import CorruptedFileError

__all__ = ["MANIFEST", "check_folder", "listed_files", "seal"]

MANIFEST = "ferrule.sha256"
META = "meta.json"
_LINE = re.compile(r"([0-9a-f]{64})  ([^\n]+)")
_CHUNK = 1 << 20


def seal(folder: Path, kept: frozenset[str] = frozenset()) -> None:
    """Write the hashes of all files in `folder`, and see to it that files and folders have reached the disk.

    Top-level entries named in `kept` are not ours and are left out.
    """
    lines = []
    for parent, folders, files in os.walk(folder):
        if Path(parent) == folder:
            folders[:] = [name for name in folders if name not in kept]
            files = [name for name in files if name not in kept]
        folders.sort()
        for name in sorted(files):
            path = Path(parent) / name
            lines.append(f"{_hash_and_sync(path)}  {path.relative_to(folder).as_posix()}\n")
    manifest = folder / MANIFEST
    with manifest.open("w", encoding="utf8", newline="\n") as file:
        file.write("".join(sorted(lines, key=lambda line: line[66:])))
        file.flush()
        os.fsync(file.fileno())
    for parent, _, _ in os.walk(folder):
        sync_folder(Path(parent))


def check_folder(folder: Path) -> None:
    """Compare every file with its hash; folders without hashes, such as spaCy's, pass.

    So does a `meta.json` that `spacy package` wrote anew: the package has the same file beside the folder.

    Raises CorruptedFileError, naming the file, for one that is missing, cut or changed.
    """
    for name, expected in listed_files(folder).items():
        path = folder / name
        try:
            found = _hash(path)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise CorruptedFileError(
                f"{path} is missing, but {MANIFEST} lists it; load another copy"
            ) from None
        if found != expected and not (name == META and _is_packaged(folder, found)):
            raise CorruptedFileError(
                f"{path} is damaged: its SHA-256 is {found[:12]}…, {MANIFEST} says {expected[:12]}…. Load "
                f"another copy; if the file was edited on purpose, delete its line from {folder / MANIFEST}."
            )


def _is_packaged(folder: Path, found: str) -> bool:
    """Whether a `meta.json` with the hash `found` stands in one of the two folders around `folder` too."""
    around = (folder / os.pardir / META, folder / os.pardir / os.pardir / META)
    return any(copy.is_file() and _hash(copy) == found for copy in around)


def listed_files(folder: Path) -> dict[str, str]:
    """Relative path -> hash, as the manifest of `folder` says; empty where there is none."""
    manifest = folder / MANIFEST
    try:
        text = manifest.read_bytes().decode("utf8")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        raise CorruptedFileError(f"{manifest} is damaged: it is no UTF-8 text; load another copy") from None
    hashes = {}
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        match = _LINE.fullmatch(line)
        if match is None and text:
            raise CorruptedFileError(f"{manifest} is damaged in line {number}; load another copy")
        if match is not None:
            name = match[2]
            if name.startswith("/") or ".." in name.split("/"):
                raise CorruptedFileError(f"{manifest} names a file outside its folder in line {number}")
            hashes[name] = match[1]
    return hashes


def sync_folder(folder: Path) -> None:
    """See to it that the entries of `folder` have reached the disk, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _hash_and_sync(path: Path) -> str:
    digest = _hash(path)
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return digest


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
