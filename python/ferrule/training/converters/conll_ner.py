"""Entities a word a line with the tag last (CoNLL 2003, WNUT), or a sentence a line as `word|tag`."""

from __future__ import annotations

from collections.abc import Iterator

from ferrule._typing import PathOrStr
from ferrule.training.converters.sentences import Sentence
from ferrule.training.converters.source import malformed, numbered_lines
from ferrule.training.iob_utils import iob_to_biluo

__all__ = ["conll_sentences", "iob_line_sentences", "looks_like_iob_lines"]

_DOCUMENT_START = "-DOCSTART-"


def conll_sentences(path: PathOrStr) -> Iterator[Sentence]:
    """The sentences of a file with a word a line, the entity tag in the last column, streaming.

    Columns are separated by tabs, or by whitespace where the line has no tab. With three or more columns the
    second is the part-of-speech tag. Tags are IOB1, IOB2, BILUO or IOBES; `-` means not annotated. An empty
    line ends a sentence, a `-DOCSTART-` line begins a document.

    Raises CorpusError with file and line for a line without tag or with a tag that is none.
    """
    sentence = _Columns()
    for number, line in numbered_lines(path):
        if not line.strip():
            if sentence.words:
                yield sentence.finished()
                sentence = _Columns()
        elif line.startswith(_DOCUMENT_START):
            if sentence.words:
                yield sentence.finished()
            sentence = _Columns(starts_document=True)
        else:
            columns = line.split("\t") if "\t" in line.strip() else line.split()
            if len(columns) < 2:
                raise malformed(path, number, f"expected a word and its tag in columns, found {line[:60]!r}")
            if not columns[0]:
                raise malformed(path, number, f"the first column, the word, is empty: {line[:60]!r}")
            sentence.words.append(columns[0])
            sentence.ents.append(_checked_tag(path, number, columns[-1].strip()))
            sentence.tags.append(columns[1] if len(columns) > 2 else "")
    if sentence.words:
        yield sentence.finished()


def iob_line_sentences(path: PathOrStr) -> Iterator[Sentence]:
    """The sentences of a file with a sentence a line, as `word|tag` or `word|part of speech|tag`, streaming.

    Raises CorpusError with file and line for a word without tag.
    """
    for number, line in numbered_lines(path):
        sentence = _Columns()
        for item in line.split():
            parts = item.rsplit("|", 2)
            if len(parts) < 2 or not parts[0]:
                raise malformed(
                    path, number, f"expected word|tag or word|part of speech|tag, found {item[:60]!r}"
                )
            sentence.words.append(parts[0])
            sentence.ents.append(_checked_tag(path, number, parts[-1]))
            sentence.tags.append(parts[1] if len(parts) == 3 else "")
        if sentence.words:
            yield sentence.finished()


def looks_like_iob_lines(path: PathOrStr) -> bool:
    """Whether the first line with text is a sentence of `word|tag` items."""
    for _, line in numbered_lines(path):
        items = line.split()
        if items and not line.startswith(_DOCUMENT_START):
            return all("|" in item.strip("|") for item in items)
    return False


class _Columns:
    def __init__(self, *, starts_document: bool = False) -> None:
        self.words: list[str] = []
        self.ents: list[str | None] = []
        self.tags: list[str] = []
        self.starts_document = starts_document

    def finished(self) -> Sentence:
        return Sentence(
            words=self.words,
            ents=self.ents,
            tags=self.tags if any(self.tags) else None,
            starts_document=self.starts_document,
        )


def _checked_tag(path: PathOrStr, number: int, tag: str) -> str:
    try:
        iob_to_biluo([tag])
    except ValueError:
        raise malformed(
            path, number, f"expected O, - or a tag such as B-PERSON in the last column, found {tag!r}"
        ) from None
    return tag
