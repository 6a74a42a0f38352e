"""Corpus files of other formats, read as streams of documents.

>>> sorted(CONVERTERS)
['conll', 'conllu', 'csv', 'iob', 'jsonl', 'tsv']
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ferrule._typing import PathOrStr
from ferrule.errors import CorpusError, nearest_names
from ferrule.training.converters.conll_ner import (
    conll_sentences,
    iob_line_sentences,
    looks_like_iob_lines,
)
from ferrule.training.converters.conllu import conllu_sentences
from ferrule.training.converters.sentences import documents
from ferrule.training.converters.tables import table_documents
from ferrule.training.converters.text_records import jsonl_documents

__all__ = ["CONVERTERS", "convert", "detect"]

CONVERTERS: dict[str, str] = {
    "conllu": "CoNLL-U, the format of Universal Dependencies",
    "conll": "a word a line, entity tag (IOB or BILUO) in the last column",
    "iob": "a sentence a line, word|tag or word|part of speech|tag",
    "jsonl": "a JSON object a line: text with entities, cats, tags, …",
    "csv": "a text and its category a row, comma-separated, with a header",
    "tsv": "a text and its category a row, tab-separated, with a header",
}
_SUFFIXES = {
    ".conllu": "conllu",
    ".conllx": "conllu",
    ".conll": "conll",
    ".iob": "conll",
    ".iob2": "conll",
    ".bio": "conll",
    ".biluo": "conll",
    ".ner": "conll",
    ".jsonl": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
}


def convert(
    path: PathOrStr,
    *,
    vocab: Any,
    make_doc: Callable[[str], Any] | None = None,
    converter: str = "auto",
    n_sents: int = 1,
    merge_subtokens: bool = False,
    append_morphology: bool = False,
    text_column: str | None = None,
    label_column: str | None = None,
    label_separator: str | None = None,
    delimiter: str | None = None,
    doc_class: Any = None,
) -> Iterator[Any]:
    """The documents of a corpus file, one after the other; `.gz` files are unzipped on the way.

    `vocab` and, for raw texts (`jsonl`, `csv`, `tsv`), `make_doc` (such as `nlp.make_doc`) make the
    documents, of `doc_class` (Ferrule's `Doc` unless given). `converter`: one of `CONVERTERS`, or `"auto"` by
    the file's name. `n_sents`: sentences a document, 0 for the file's own documents. The rest is for one
    format each: see its function.

    Raises CorpusError, with file and line, for a missing, empty or malformed file; ValueError for an unknown
    converter.
    """
    name = detect(path) if converter == "auto" else converter
    if name not in CONVERTERS:
        near = nearest_names(name, CONVERTERS)
        raise ValueError(
            f"convert: unknown converter {name!r}; "
            + (f"did you mean {near[0]!r}? " if near else "")
            + f"There are: {', '.join(CONVERTERS)} (or auto, by the file's name)."
        )
    if name in ("jsonl", "csv", "tsv"):
        if make_doc is None:
            raise ValueError(
                f"convert: {name} holds raw texts; pass make_doc, such as ferrule.blank('en').make_doc"
            )
        if name == "jsonl":
            found = jsonl_documents(path, make_doc, vocab, doc_class)
        else:
            found = table_documents(
                path,
                make_doc,
                delimiter=delimiter or ("\t" if name == "tsv" else ","),
                text_column=text_column,
                label_column=label_column,
                label_separator=label_separator,
            )
    else:
        if name == "conllu":
            sentences = conllu_sentences(
                path, merge_subtokens=merge_subtokens, append_morphology=append_morphology
            )
        else:
            sentences = iob_line_sentences(path) if name == "iob" else conll_sentences(path)
        found = documents(sentences, vocab, n_sents=n_sents, doc_class=doc_class)
    return _not_empty(path, name, found)


def detect(path: PathOrStr) -> str:
    """The converter for a file, by its name (for `.iob` its first line too). Raises CorpusError otherwise."""
    suffixes = [suffix.lower() for suffix in Path(path).suffixes if suffix.lower() != ".gz"]
    name = _SUFFIXES.get(suffixes[-1]) if suffixes else None
    if name is None:
        raise CorpusError(
            f"{path}: cannot tell the format from the name; known endings: {', '.join(_SUFFIXES)} (and .gz). "
            f"Name the converter: {', '.join(CONVERTERS)}."
        )
    return "iob" if name == "conll" and looks_like_iob_lines(path) else name


def _not_empty(path: PathOrStr, name: str, found: Iterator[Any]) -> Iterator[Any]:
    is_empty = True
    for doc in found:
        is_empty = False
        yield doc
    if is_empty:
        raise CorpusError(f"{path}: no documents in it; expected {CONVERTERS[name]}")
