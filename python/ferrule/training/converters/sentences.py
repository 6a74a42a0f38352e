"""Annotated sentences on their way from a corpus file to documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ferrule.training.iob_utils import biluo_tags_to_spans, iob_to_biluo

__all__ = ["Sentence", "documents", "make_doc"]


@dataclass
class Sentence:
    """One sentence, a list for each annotation; None where the file has no such column.

    `heads` are positions in this sentence. `starts_document`: whether the file says a document begins here.
    """

    words: list[str]
    spaces: list[bool] | None = None
    tags: list[str] | None = None
    pos: list[str] | None = None
    morphs: list[str] | None = None
    lemmas: list[str] | None = None
    heads: list[int] | None = None
    deps: list[str] | None = None
    ents: list[str | None] | None = None
    cats: dict[str, float] | None = None
    starts_document: bool = False
    user_data: dict[str, Any] = field(default_factory=dict)


_COLUMNS = ("spaces", "tags", "pos", "morphs", "lemmas", "deps")


def documents(
    sentences: Iterable[Sentence], vocab: Any, *, n_sents: int = 1, doc_class: Any = None
) -> Iterator[Any]:
    """Documents of `n_sents` sentences each (0: as many as the file's own documents have), streaming.

    A document never runs over the start of another one in the file. Raises ValueError for a negative number.
    """
    if n_sents < 0:
        raise ValueError(f"n_sents must be 0 (whole documents) or more, found {n_sents}")
    group: list[Sentence] = []
    for sentence in sentences:
        if group and (sentence.starts_document or len(group) == n_sents):
            yield make_doc(group, vocab, doc_class)
            group = []
        if sentence.words:
            group.append(sentence)
    if group:
        yield make_doc(group, vocab, doc_class)


def make_doc(sentences: list[Sentence], vocab: Any, doc_class: Any = None) -> Any:
    """One document of some sentences; an annotation that any of them lacks is left out."""
    if doc_class is None:
        from ferrule.tokens import Doc as doc_class  # the corpus readers need no documents to parse
    arguments: dict[str, Any] = {}
    for name in _COLUMNS:
        columns = [getattr(sentence, name) for sentence in sentences]
        if all(column is not None for column in columns):
            arguments[name] = [value for column in columns for value in column]
    if "spaces" in arguments:
        arguments["spaces"][-1] = False
    if all(sentence.heads is not None for sentence in sentences):
        arguments["heads"] = _shifted_heads(sentences)
    else:
        arguments.pop("deps", None)
        arguments["sent_starts"] = [i == 0 for sentence in sentences for i in range(len(sentence.words))]
    doc = doc_class(vocab, words=[word for sentence in sentences for word in sentence.words], **arguments)
    for sentence in sentences:
        for label, value in (sentence.cats or {}).items():
            doc.cats[label] = max(value, doc.cats.get(label, 0.0))
    ents = [sentence.ents for sentence in sentences]
    if any(tags is not None for tags in ents):
        _set_ents(doc, [tag for s in sentences for tag in s.ents or [None] * len(s.words)])
    return doc


def _shifted_heads(sentences: list[Sentence]) -> list[int]:
    heads: list[int] = []
    for sentence in sentences:
        start = len(heads)
        heads += [start + head for head in sentence.heads or ()]
    return heads


def _set_ents(doc: Any, tags: list[str | None]) -> None:
    spans = biluo_tags_to_spans(doc, iob_to_biluo(tags))
    doc.set_ents([span for span in spans if span.label], missing=[span for span in spans if not span.label])
