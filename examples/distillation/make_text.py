"""Writes plain text to distil on, one text a line: WNUT 2017 (all splits), and Banking77 (training texts).

Usage: make_text.py DATA OUTPUT    (DATA: the folder with wnut17/ and banking77/, see CONTRIBUTING.md)
"""

from __future__ import annotations

import csv
import gzip
import sys
from collections.abc import Iterator
from pathlib import Path


def tweets(path: Path) -> Iterator[str]:
    """The sentences of a CoNLL file, their tokens joined by spaces."""
    words: list[str] = []
    with gzip.open(path, "rt", encoding="utf8") as lines:
        for line in lines:
            if line.strip():
                words.append(line.split("\t")[0].strip())
            elif words:
                yield " ".join(words)
                words = []
    if words:
        yield " ".join(words)


def queries(path: Path) -> Iterator[str]:
    """The texts of a CSV file with the columns text and label."""
    with gzip.open(path, "rt", encoding="utf8", newline="") as file:
        for row in csv.DictReader(file):
            yield " ".join(row["text"].split())


def main(data: Path, output: Path) -> None:
    """Write all texts."""
    with output.open("w", encoding="utf8") as file:
        for split in ("train", "dev", "test"):
            file.writelines(f"{text}\n" for text in tweets(data / "wnut17" / f"wnut17-{split}.conll.gz"))
        file.writelines(f"{text}\n" for text in queries(data / "banking77" / "banking77-train.csv.gz"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
