"""The example corpus: it is what its README says, and its script makes it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "railway_desk"
CATEGORIES = {"booking", "delay", "lost_property", "refund", "praise", "menu"}
ENTITIES = {"PERSON", "PLACE", "DATE", "TIME", "MONEY"}


def blocks(split: str) -> list[list[str]]:
    text = (FOLDER / f"{split}.conllu").read_text(encoding="utf8")
    return [block.split("\n") for block in text.rstrip("\n").split("\n\n")]


def comment(block: list[str], name: str) -> str:
    (value,) = (line.split(" = ", 1)[1] for line in block if line.startswith(f"# {name} = "))
    return value


def rows(block: list[str]) -> list[list[str]]:
    return [line.split("\t") for line in block if not line.startswith("#")]


def test_the_script_writes_the_committed_files(tmp_path: Path) -> None:
    subprocess.run([sys.executable, FOLDER / "make_corpus.py", "--output", tmp_path], check=True)
    for split in ("train", "dev"):
        assert (tmp_path / f"{split}.conllu").read_bytes() == (FOLDER / f"{split}.conllu").read_bytes()


@pytest.mark.parametrize("split", ["train", "dev"])
def test_forms_and_spacing_give_the_text(split: str) -> None:
    for block in blocks(split):
        words = [form + ("" if "SpaceAfter=No" in misc else " ") for _, form, *_, misc in rows(block)]
        assert "".join(words).rstrip() == comment(block, "text")


@pytest.mark.parametrize("split", ["train", "dev"])
def test_every_token_has_a_tag_and_a_well_formed_entity_mark(split: str) -> None:
    for block in blocks(split):
        previous = "O"
        for row in rows(block):
            assert len(row) == 10
            assert row[4] != "_"
            (mark,) = (part.removeprefix("NE=") for part in row[9].split("|") if part.startswith("NE="))
            iob, _, label = mark.partition("-")
            assert mark == "O" or label in ENTITIES
            assert iob != "I" or previous[2:] == label
            previous = mark


def test_the_splits_cover_all_labels_and_share_no_text() -> None:
    texts = {split: {comment(block, "text") for block in blocks(split)} for split in ("train", "dev")}
    assert not texts["train"] & texts["dev"]
    for split in ("train", "dev"):
        assert {comment(block, "category") for block in blocks(split)} == CATEGORIES
        labels = Counter(
            row[9].split("|")[0][5:] for block in blocks(split) for row in rows(block) if "NE=B-" in row[9]
        )
        assert set(labels) == ENTITIES


def test_the_readme_states_the_sizes() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf8")
    for split in ("train", "dev"):
        found = blocks(split)
        assert str(len(found)) in readme
        assert f"{sum(len(rows(block)) for block in found):,}" in readme
