"""Documents between the two libraries: everything that is annotated goes over, nothing is run again."""

from __future__ import annotations

from typing import Any

import spacy.tokens
import spacy.vocab

from ferrule.interop.spacy.extensions import share_extensions
from ferrule.tokens import Doc
from ferrule.tokens.doc_bytes import doc_from_dict, doc_to_dict
from ferrule.vocab import Vocab

__all__ = ["copy_annotations", "from_spacy", "to_spacy"]

# User data goes over as it is, not through bytes: it may hold any object. The last one has no place there.
_NOT_IN_MESSAGE = ("user_data", "user_hooks", "activations")


def to_spacy(doc: Doc, vocab: spacy.vocab.Vocab | None = None) -> spacy.tokens.Doc:
    """A spaCy document with the same text, tokens and annotations as `doc`, which stays as it is.

    vocab: the vocabulary it is to belong to, such as ``nlp.vocab`` of the pipeline that goes on with it; by
    default a new one. Tags, lemmas, heads, entities, span groups, categories, ``tensor``, ``user_data`` and
    the values of extension attributes go over; an extension that spaCy does not know yet is registered there.
    Activations stay behind, since spaCy 3.8 has no place for them; so do hooks.

    >>> import ferrule
    >>> theirs = to_spacy(ferrule.blank("en")("Two small words."))
    >>> type(theirs).__module__, [token.text for token in theirs]
    ('spacy.tokens.doc', ['Two', 'small', 'words', '.'])

    Raises TypeError for anything but a Ferrule document.
    """
    if not isinstance(doc, Doc):
        raise TypeError(f"to_spacy: expected a ferrule.tokens.Doc, found {_kind(doc)}; see from_spacy")
    if vocab is None:
        vocab = spacy.vocab.Vocab()
    message = _own(doc_to_dict(doc, exclude=_NOT_IN_MESSAGE))
    theirs = spacy.tokens.Doc(vocab).from_dict(message)
    user_data = getattr(doc, "_user_data", None)
    if user_data:
        theirs.user_data.update(user_data)
        share_extensions(user_data, to_spacy=True)
    return theirs


def from_spacy(doc: spacy.tokens.Doc, vocab: Vocab | None = None) -> Doc:
    """A Ferrule document with the same text, tokens and annotations as spaCy's `doc`, which stays as it is.

    vocab: the vocabulary it is to belong to, such as ``nlp.vocab`` of the pipeline that goes on with it; by
    default a new one. What goes over is what `to_spacy` takes, the other way round.

    >>> import spacy
    >>> ours = from_spacy(spacy.blank("en")("Two small words."))
    >>> type(ours).__module__, [token.text for token in ours]
    ('ferrule.tokens.doc', ['Two', 'small', 'words', '.'])

    Raises TypeError for anything but a spaCy document.
    """
    if not isinstance(doc, spacy.tokens.Doc):
        raise TypeError(f"from_spacy: expected a spacy.tokens.Doc, found {_kind(doc)}; see to_spacy")
    message = _own(doc.to_dict(exclude=_NOT_IN_MESSAGE))
    ours = doc_from_dict(Doc(Vocab() if vocab is None else vocab), message)
    if doc.user_data:
        ours.user_data = dict(doc.user_data)
        share_extensions(doc.user_data, to_spacy=False)
    return ours


def copy_annotations(theirs: spacy.tokens.Doc, doc: Doc) -> None:
    """Make `doc` what `theirs` is: tokens, annotations, and what hangs on the document.

    Activations and hooks of `doc` stay. Where tokens were merged or split, `doc` has the new ones.
    """
    ours = from_spacy(theirs, doc.vocab)
    doc._copy_columns(ours)
    doc.cats = ours.cats
    doc.tensor = ours.tensor
    doc.user_data = ours.user_data
    doc.sentiment = ours.sentiment
    doc.spans.data = dict(ours.spans.copy(doc=doc))


def _own(message: dict[str, Any]) -> dict[str, Any]:
    """The message with copies of what both documents would share otherwise."""
    return {
        **message,
        "array_head": list(message["array_head"]),
        "cats": dict(message["cats"]),
        "tensor": message["tensor"].copy(),
    }


def _kind(item: Any) -> str:
    return f"{type(item).__module__}.{type(item).__qualname__}"
