"""Corpora on disk as streams of examples: DocBin files, JSONL, plain text.

A reader is called with a pipeline each time the examples are wanted (once an epoch) and reads the files anew,
one at a time. `path` may be a file, a folder (searched for files of the kind) or a list of both; `.gz` is
unzipped on the way.
"""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import srsly

from ferrule._core import DocCore
from ferrule._typing import PathOrStr
from ferrule.errors import CorpusError
from ferrule.registry import registry
from ferrule.training.augment import dont_augment
from ferrule.training.converters.source import malformed, numbered_lines
from ferrule.training.example import Example

__all__ = ["FILE_TYPE", "Corpus", "JsonlCorpus", "PlainTextCorpus", "read_labels", "walk_corpus"]

FILE_TYPE = ".spacy"
_TOKENIZED_AT_ONCE = 64
CorpusPath: TypeAlias = "PathOrStr | Sequence[PathOrStr]"
_CONVERT = "Make one with: ferrule convert <file> <folder>."


class Corpus:
    """Examples from `.spacy` files (DocBin); the prediction side is the text, tokenized anew.

    `limit`: read at most so many documents (0: all). `gold_preproc`: one example a sentence, with the gold
    tokens. `max_length`: split longer documents into sentences, and leave out sentences that are still longer
    (0: no limit). `augmenter`: see :mod:`ferrule.training.augment`. `shuffle`: in random order, by Python's
    `random`; with `shuffle_window` documents drawn from at a time (0: all of them, which holds the corpus in
    memory). `max_expansion`: a file may decompress to so many times its size, see `DocBin.from_bytes` (None:
    the usual bound). Raises CorpusError for a path without documents.
    """

    def __init__(
        self,
        path: CorpusPath,
        *,
        limit: int = 0,
        gold_preproc: bool = False,
        max_length: int = 0,
        augmenter: Callable[[Any, Example], Iterable[Example]] | None = None,
        shuffle: bool = False,
        shuffle_window: int = 0,
        max_expansion: int | None = None,
    ) -> None:
        self.path = path
        self.limit = limit
        self.gold_preproc = gold_preproc
        self.max_length = max_length
        self.augmenter = augmenter or dont_augment
        self.shuffle = shuffle
        self.shuffle_window = shuffle_window
        self.max_expansion = max_expansion

    def __call__(self, nlp: Any) -> Iterator[Example]:
        """The examples, read from the files while they are asked for."""
        docs = self.read_docbin(nlp.vocab, walk_corpus(self.path, FILE_TYPE))
        if self.shuffle:
            docs = _shuffled(docs, self.shuffle_window)
        for example in _examples(nlp, self._references(docs), gold_tokens=self.gold_preproc):
            yield from self.augmenter(nlp, example)

    def read_docbin(self, vocab: Any, locs: Iterable[PathOrStr]) -> Iterator[Any]:
        """The documents of some DocBin files, at most `limit`."""
        n_docs = 0
        for loc in locs:
            for doc in _docbin(Path(loc), self.max_expansion).get_docs(vocab):
                if self.limit and n_docs >= self.limit:
                    return
                n_docs += 1
                yield doc
        if not n_docs:
            raise CorpusError(f"{self.path}: the corpus has no documents. {_CONVERT}")

    def _references(self, docs: Iterable[Any]) -> Iterator[Any]:
        """The documents, or their sentences where those are wanted."""
        for doc in docs:
            if self.gold_preproc:
                for sent in doc.sents if doc.has_annotation("SENT_START") else [doc[:]]:
                    yield sent.as_doc()
            elif not self.max_length or len(doc) < self.max_length:
                if len(doc):
                    yield doc
            elif doc.has_annotation("SENT_START"):
                for sent in doc.sents:
                    if len(sent) < self.max_length:
                        yield sent.as_doc()


class JsonlCorpus:
    """Examples without annotation from JSONL files, one `{"text": …}` (or `{"tokens": […]}`) a line.

    `limit`: at most so many examples. `min_length`, `max_length`: leave out documents with fewer or more
    tokens (0: no limit). Raises CorpusError with file and line for a malformed line.
    """

    file_type = "jsonl"

    def __init__(
        self, path: CorpusPath | None, *, limit: int = 0, min_length: int = 0, max_length: int = 0
    ) -> None:
        self.path = path
        self.limit = limit
        self.min_length = min_length
        self.max_length = max_length

    def __call__(self, nlp: Any) -> Iterator[Example]:
        """The examples, read while they are asked for."""
        n_examples = 0
        for path in walk_corpus(self.path, ".jsonl"):
            for number, line in numbered_lines(path):
                if line.strip() and (doc := _fitting(self, self._doc(nlp, path, number, line))):
                    if self.limit and n_examples >= self.limit:
                        return
                    n_examples += 1
                    yield _unannotated(nlp, doc)

    def _doc(self, nlp: Any, path: Path, number: int, line: str) -> Any:
        try:
            record = srsly.json_loads(line)
        except ValueError as error:
            raise malformed(path, number, f"expected a JSON object, {error}: {line[:60]!r}") from error
        text = record.get("text") if isinstance(record, dict) else None
        tokens = record.get("tokens") if isinstance(record, dict) else None
        if isinstance(text, str):
            return nlp.make_doc(text)
        if isinstance(tokens, list) and all(isinstance(token, str) for token in tokens):
            return type(nlp.make_doc(""))(nlp.vocab, words=tokens)
        raise malformed(path, number, f"expected an object with 'text' or 'tokens', found {line[:60]!r}")


class PlainTextCorpus:
    """Examples without annotation from text files, one document a line; empty lines are left out.

    `min_length`, `max_length`: leave out documents with fewer or more tokens (0: no limit).
    """

    file_type = "txt"

    def __init__(self, path: CorpusPath | None, *, min_length: int = 0, max_length: int = 0) -> None:
        self.path = path
        self.min_length = min_length
        self.max_length = max_length

    def __call__(self, nlp: Any) -> Iterator[Example]:
        """The examples, read while they are asked for."""
        for path in walk_corpus(self.path, ".txt"):
            for _, line in numbered_lines(path):
                if line.strip() and (doc := _fitting(self, nlp.make_doc(line))):
                    yield _unannotated(nlp, doc)


@registry.readers("spacy.Corpus.v1")
def create_docbin_reader(
    path: Any,
    gold_preproc: bool,
    max_length: int = 0,
    limit: int = 0,
    augmenter: Any = None,
) -> Corpus:
    """A :class:`Corpus`. Raises CorpusError if the path is missing from the config."""
    return Corpus(
        _given("spacy.Corpus.v1", path),
        gold_preproc=gold_preproc,
        max_length=max_length,
        limit=limit,
        augmenter=augmenter,
    )


@registry.readers("ferrule.Corpus.v1")
def create_shuffled_docbin_reader(
    path: Any,
    gold_preproc: bool = False,
    max_length: int = 0,
    limit: int = 0,
    augmenter: Any = None,
    shuffle: bool = False,
    shuffle_window: int = 0,
) -> Corpus:
    """As `spacy.Corpus.v1`, and the documents in random order if `shuffle`.

    For ``training.max_epochs = -1``, where each pass reads, and augments, the corpus anew, and nothing else
    shuffles it. Raises CorpusError if the path is missing from the config.
    """
    return Corpus(
        _given("ferrule.Corpus.v1", path),
        gold_preproc=gold_preproc,
        max_length=max_length,
        limit=limit,
        augmenter=augmenter,
        shuffle=shuffle,
        shuffle_window=shuffle_window,
    )


@registry.readers("spacy.JsonlCorpus.v1")
def create_jsonl_reader(path: Any, min_length: int = 0, max_length: int = 0, limit: int = 0) -> JsonlCorpus:
    """A :class:`JsonlCorpus`."""
    return JsonlCorpus(path, min_length=min_length, max_length=max_length, limit=limit)


@registry.readers("spacy.PlainTextCorpus.v1")
def create_plain_text_reader(path: Any, min_length: int = 0, max_length: int = 0) -> PlainTextCorpus:
    """A :class:`PlainTextCorpus`."""
    return PlainTextCorpus(path, min_length=min_length, max_length=max_length)


@registry.readers("spacy.read_labels.v1")
def read_labels(path: PathOrStr | None, *, require: bool = False) -> Any:
    """The labels of a JSON file, for `initialize`; None if there is no file, unless `require`."""
    if path is None or not Path(path).exists():
        if require:
            raise CorpusError(f"{path}: no such file of labels. Make it with: ferrule init labels.")
        return None
    return srsly.read_json(path)


def walk_corpus(path: CorpusPath | None, file_type: str) -> list[Path]:
    """The corpus files under a path or several: sorted, hidden ones and other endings left out.

    A path that is a file counts whatever its name. Raises CorpusError where there is nothing.
    """
    paths = [path] if path is None or isinstance(path, str | Path) or hasattr(path, "__fspath__") else path
    found: list[Path] = []
    for one in map(Path, (_given("corpus", one) for one in paths)):
        if one.is_dir():
            below = sorted(one.rglob("*"))
            files = [
                file for file in below if _is_corpus_file(file.relative_to(one), file_type) and file.is_file()
            ]
            if not files:
                raise CorpusError(f"{one}: no {file_type} file in this folder or below. {_CONVERT}")
            found += files
        elif one.is_file():
            found.append(one)
        else:
            raise CorpusError(f"{one}: no such file or folder of {file_type} files. {_CONVERT}")
    return found


def _is_corpus_file(path: Path, file_type: str) -> bool:
    if any(part.startswith(".") for part in path.parts):
        return False
    return path.name.endswith((file_type, f"{file_type}.gz"))


def _given(name: str, path: Any) -> Any:
    if path is None:
        raise CorpusError(
            f"{name}: no path to a corpus is set. Set it in the config, or on the command line with "
            f"--paths.train and --paths.dev."
        )
    return path


def _docbin(path: Path, max_expansion: int | None) -> Any:
    from ferrule.tokens import DocBin  # so that reading text needs no documents module

    bound = {} if max_expansion is None else {"max_expansion": max_expansion}
    try:
        data = path.read_bytes()
        return DocBin().from_bytes(data if path.suffix != ".gz" else gzip.decompress(data), **bound)
    except (ValueError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        reason = str(error).removeprefix("DocBin.from_bytes: ")
        raise CorpusError(
            f"{path} cannot be read as a .spacy file: {reason}. Make it again, for example with "
            "ferrule convert"
        ) from error


def _shuffled(docs: Iterator[Any], window: int) -> Iterator[Any]:
    """In random order, with at most `window` documents in memory (0: all)."""
    held: list[Any] = []
    for doc in docs:
        held.append(doc)
        if window and len(held) > window:
            place = random.randrange(len(held))
            held[place], held[-1] = held[-1], held[place]
            yield held.pop()
    random.shuffle(held)
    yield from held


def _examples(nlp: Any, references: Iterable[Any], *, gold_tokens: bool) -> Iterator[Example]:
    """Each reference with its prediction side: the text tokenized anew, or its tokens without annotation."""
    for batch in _batches(references, 1 if gold_tokens else _TOKENIZED_AT_ONCE):
        own_tokens = [gold_tokens or reference.has_unknown_spaces for reference in batch]
        texts = [reference.text for reference, own in zip(batch, own_tokens, strict=True) if not own]
        made = iter(_tokenized(nlp, texts))
        for reference, own in zip(batch, own_tokens, strict=True):
            if own:
                predicted = _same_words(nlp, reference)
                predicted.has_unknown_spaces = reference.has_unknown_spaces
            else:
                predicted = next(made)
            yield Example(predicted, reference)


def _tokenized(nlp: Any, texts: list[str]) -> Iterable[Any]:
    """What `nlp.make_doc` makes of the texts; in one call where the pipeline is Ferrule's and has its own."""
    together = getattr(nlp, "_tokenized_together", None)
    docs = together(texts) if together is not None else None
    return map(nlp.make_doc, texts) if docs is None else docs


def _batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Lists of `size` items; where the source fails, what was read before it comes first."""
    batch: list[Any] = []
    try:
        for item in items:
            batch.append(item)
            if len(batch) == size:
                yield batch
                batch = []
    except Exception:
        yield batch
        raise
    yield batch


def _unannotated(nlp: Any, doc: Any) -> Example:
    """An example whose reference says nothing."""
    reference = _same_words(nlp, doc)
    reference.has_unknown_spaces = False
    return Example(doc, reference)


def _same_words(nlp: Any, doc: Any) -> Any:
    """A document with the words and spaces of another and no annotation."""
    if isinstance(doc, DocCore) and doc.vocab is nlp.vocab:
        same = type(doc).__new__(type(doc), nlp.vocab)
        same._copy_words(doc)
        return same
    words = [token.text for token in doc]
    return type(doc)(nlp.vocab, words=words, spaces=[bool(token.whitespace_) for token in doc])


def _fitting(corpus: JsonlCorpus | PlainTextCorpus, doc: Any) -> Any:
    """The document, or None if its length is not wanted or it is empty."""
    too_long = corpus.max_length and len(doc) > corpus.max_length
    return None if too_long or len(doc) < max(1, corpus.min_length) else doc
