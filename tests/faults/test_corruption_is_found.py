"""Guarantee 3: corruption is found: a changed, cut or missing file is refused by its name."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy
import pytest
from fault_parts import files_of, state, trained

import ferrule
from ferrule.errors import CorruptedFileError
from ferrule.language import Language
from ferrule.storage.manifest import MANIFEST

FLIPS_A_FILE = 6


@pytest.fixture
def nlp() -> Language:
    return trained()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    trained(n_steps=3).to_disk(tmp_path / "model")
    return tmp_path / "model"


def test_every_file_has_a_hash_that_sha256sum_understands(folder: Path) -> None:
    lines = (folder / MANIFEST).read_text("utf8").splitlines()
    listed = dict(reversed(line.split("  ", 1)) for line in lines)  # type: ignore[arg-type]
    found = {path.relative_to(folder).as_posix(): path for path in files_of(folder) if path.name != MANIFEST}
    assert listed.keys() == found.keys()
    for name, path in found.items():
        assert listed[name] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_flipped_bit_is_found_and_the_file_is_named(nlp: Language, folder: Path) -> None:
    random = numpy.random.default_rng(0)
    before = state(nlp)
    for path in files_of(folder):
        data = path.read_bytes()
        if not data:
            continue
        for _ in range(FLIPS_A_FILE):
            position = int(random.integers(len(data)))
            flipped = bytearray(data)
            flipped[position] ^= 1 << int(random.integers(8))
            path.write_bytes(flipped)
            with pytest.raises(CorruptedFileError) as caught:
                ferrule.load(folder)
            if path.name != MANIFEST:
                assert path.name in str(caught.value)
            with pytest.raises(CorruptedFileError):
                nlp.from_disk(folder)
        path.write_bytes(data)
    assert state(nlp) == before
    ferrule.load(folder)


@pytest.mark.parametrize("damage", ["missing", "cut", "empty"])
def test_missing_and_cut_files_are_refused(nlp: Language, folder: Path, damage: str) -> None:
    before = state(nlp)
    for path in files_of(folder):
        if path.name == MANIFEST:
            continue
        data = path.read_bytes()
        if damage == "missing":
            path.unlink()
        else:
            path.write_bytes(data[: len(data) // 2] if damage == "cut" else b"")
        if data:
            with pytest.raises(CorruptedFileError, match=path.name):
                nlp.from_disk(folder)
        path.write_bytes(data)
    assert state(nlp) == before
