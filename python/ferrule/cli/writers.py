"""Annotated documents as JSON lines, CoNLL-U, DocBin or Parquet files, written as they come."""

from __future__ import annotations

import gzip
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from ferrule.cli.entity_scores import entity_scores
from ferrule.cli.wording import counted

if TYPE_CHECKING:
    from ferrule.cli.parquet import ParquetWriter
    from ferrule.language import Language
    from ferrule.tokens import Doc, DocBinWriter

__all__ = ["DocWriter", "doc_to_conllu", "doc_to_record", "open_writer"]

TOKENS_IN_A_FILE = 250_000
"""Tokens in one DocBin file; more go to further files, so that memory stays flat."""

# What tokens have in a record, and the annotation that must be there.
_OF_TOKENS = {"tag": "TAG", "pos": "POS", "morph": "MORPH", "lemma": "LEMMA", "dep": "DEP", "head": "DEP"}


class DocWriter(Protocol):
    """Takes documents one by one."""

    def write(self, doc: Doc, rest: dict[str, Any]) -> None:
        """Write one document; `rest` is what stood beside its text in the input."""
        ...

    def end_group(self) -> None:
        """What was written so far must not be needed any more: the documents' memory is about to go."""
        ...

    def summary(self) -> list[str]:
        """What was written and where, after the last document."""
        ...


@contextmanager
def open_writer(kind: str, path: Path, nlp: Language, columns: Any = None) -> Iterator[DocWriter]:
    """A writer of `kind` ("jsonl", "conllu", "spacy" or "parquet") to `path`; `-` is standard output, for
    text formats only. columns: what Parquet input has beside its texts, an Arrow schema.

    A file appears under its name when it is whole. After an error the old file is as it was, and the
    documents that were done are in a file whose name ends in `.partial`; a line on stderr says so.
    """
    to_stdout = str(path) == "-"
    if kind in ("spacy", "parquet"):
        if to_stdout:
            raise ValueError(f"{kind} files are binary: name one with --output FILE.{kind}")
        if kind == "parquet":
            from ferrule.cli.parquet import ParquetWriter

            path.parent.mkdir(parents=True, exist_ok=True)
            table = ParquetWriter(path, _partial(path.resolve()), nlp, columns)
            with _kept_if_it_fails(table):
                yield table
                table.close()
            return
        from ferrule.tokens import DocBinWriter

        with DocBinWriter(path.resolve(), tokens_per_file=TOKENS_IN_A_FILE, store_user_data=True) as files:
            binary = _BinaryWriter(files)
            with _kept_if_it_fails(binary):
                yield binary
        return
    as_text = doc_to_conllu if kind == "conllu" else doc_to_line
    if to_stdout:
        yield _TextWriter(sys.stdout, as_text, None)
        sys.stdout.flush()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    target = path.resolve()
    partial = _partial(target)
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(partial, "wt", encoding="utf8", newline="\n") as file:
        writer = _TextWriter(file, as_text, path)
        with _kept_if_it_fails(writer):
            yield writer
    os.replace(partial, target)


def _partial(path: Path) -> Path:
    """Where a file is written until it is whole; a device or a pipe is written as it is."""
    if path.exists() and not path.is_file():
        return path
    return path.with_name(path.name + ".partial")


@contextmanager
def _kept_if_it_fails(writer: _TextWriter | _BinaryWriter | ParquetWriter) -> Iterator[None]:
    try:
        yield
    except BaseException:
        for line in writer.rescue():
            print(line, file=sys.stderr)
        raise


def doc_to_line(doc: Doc, rest: dict[str, Any]) -> str:
    """`doc_to_record` as a line of JSON, followed by a newline."""
    # Columns of Parquet input may hold what JSON has no form for, such as dates.
    return json.dumps(doc_to_record(doc, rest), ensure_ascii=False, default=str) + "\n"


def doc_to_record(doc: Doc, rest: dict[str, Any]) -> dict[str, Any]:
    """Text, tokens, and what the pipeline annotated: `ents` (offsets in characters, and `score` where
    probabilities were kept), `cats`, `sents`; `rest` comes first. Tokens have what any token of the document
    has: `tag`, `pos`, `morph`, `lemma`, `dep` and `head`, the index of a token.
    """
    annotated = [key for key, name in _OF_TOKENS.items() if doc.has_annotation(name)]
    tokens: list[dict[str, Any]] = []
    for token in doc:
        entry: dict[str, Any] = {"text": token.text, "start": token.idx, "end": token.idx + len(token.text)}
        for key in annotated:
            entry[key] = token.head.i if key == "head" else str(getattr(token, f"{key}_", token.morph))
        tokens.append(entry)
    record = {**rest, "text": doc.text, "tokens": tokens}
    if doc.has_annotation("ENT_IOB"):
        scores = entity_scores(doc) if doc.spans else {}
        record["ents"] = []
        for ent in doc.ents:
            entity = {"text": ent.text, "label": ent.label_, "start": ent.start_char, "end": ent.end_char}
            score = scores.get((ent.start, ent.end, ent.label_))
            record["ents"].append(entity if score is None else {**entity, "score": round(score, 4)})
    if doc.has_annotation("SENT_START"):
        record["sents"] = [{"start": sent.start_char, "end": sent.end_char} for sent in doc.sents]
    if doc.cats:
        record["cats"] = {label: float(score) for label, score in doc.cats.items()}
    return record


def doc_to_conllu(doc: Doc, rest: dict[str, Any]) -> str:
    """The document as one CoNLL-U block, tags in XPOS, entities and spacing in MISC, categories in a comment;
    no heads, since a block is a document and not a sentence.

    White-space tokens are no words in CoNLL-U; they stand as `SpacesAfter` of the word before, or
    `SpacesBefore` of the first. An empty document gives an empty string.
    """
    words = [token for token in doc if not token.is_space]
    if not words:
        return ""
    lines = [f"# text = {' '.join(doc.text.split())}"]
    if doc.cats:
        lines.append(f"# category = {max(doc.cats, key=lambda label: doc.cats[label])}")
    has_entities = doc.has_annotation("ENT_IOB")
    text, end = doc.text, 0
    for number, token in enumerate(words, 1):
        following = words[number].idx if number < len(words) else len(text)
        misc = []
        if has_entities:
            misc.append(f"NE={token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "NE=O")
        if number == 1 and token.idx > end:
            misc.append(f"SpacesBefore={_escaped(text[: token.idx])}")
        end = token.idx + len(token.text)
        gap = text[end:following]
        if not gap and number < len(words):
            misc.append("SpaceAfter=No")
        elif gap not in ("", " "):
            misc.append(f"SpacesAfter={_escaped(gap)}")
        columns = [
            str(number),
            token.text,
            token.lemma_ or "_",
            token.pos_ or "_",
            token.tag_ or "_",
            str(token.morph) or "_",
            "_",
            "_",
            "_",
            "|".join(misc) or "_",
        ]
        lines.append("\t".join(columns))
    return "\n".join(lines) + "\n\n"


def _escaped(space: str) -> str:
    """White space in UDPipe's spelling."""
    names = {" ": "\\s", "\t": "\\t", "\n": "\\n", "\r": "\\r", "|": "\\p", "\\": "\\\\"}
    return "".join(names.get(character, character) for character in space)


class _TextWriter:
    def __init__(self, file: IO[str], as_text: Any, path: Path | None) -> None:
        self.file = file
        self.as_text = as_text
        self.path = path
        self.count = 0

    def write(self, doc: Doc, rest: dict[str, Any]) -> None:
        self.file.write(self.as_text(doc, rest))
        self.count += 1

    def end_group(self) -> None:
        pass

    def summary(self) -> list[str]:
        return [f"Saved: {self.path} ({counted(self.count, 'document')})"] if self.path else []

    def rescue(self) -> list[str]:
        partial = _partial(self.path.resolve()) if self.path else None
        if partial and not self.count:
            partial.unlink()
            return []
        return [f"Kept: {partial} ({counted(self.count, 'document')} before the error)"]


class _BinaryWriter:
    def __init__(self, files: DocBinWriter) -> None:
        self.files = files

    def write(self, doc: Doc, rest: dict[str, Any]) -> None:
        doc.user_data.update(rest)
        self.files.add(doc)

    def end_group(self) -> None:
        pass

    def summary(self) -> list[str]:
        return [f"Saved: {path} ({counted(count, 'document')})" for path, count in self.files.files]

    def rescue(self) -> list[str]:
        return [
            f"Kept: {path} ({counted(count, 'document')} before the error)"
            for path, count in self.files.keep_partial()
        ]
