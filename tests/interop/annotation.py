"""What two documents, of either library, say, in a form that can be compared."""

from __future__ import annotations

from typing import Any

SCORE_TOLERANCE = 1e-4
"""How far scores may differ: the two libraries add float32 numbers in another order."""


def tokens(doc: Any) -> list[tuple[Any, ...]]:
    """Every annotation of every token.

    Whether a document's first token starts a sentence is left out: in spaCy it says so unless its tokenizer
    found the token by a rule of its own, such as "It's".
    """
    return [
        (
            *(token.text, token.whitespace_, token.tag_, token.pos_, str(token.morph), token.lemma_),
            *(token.head.i, token.dep_, token.i and token.is_sent_start, token.norm_),
            *(token.ent_iob_, token.ent_type_, token.ent_id_),
        )
        for token in doc
    ]


def assert_same(ours: Any, theirs: Any) -> None:
    """Each document says the same in both; categories within the tolerance."""
    ours, theirs = list(ours), list(theirs)
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert one.text == other.text
        assert tokens(one) == tokens(other)
        spans = [[(ent.start, ent.end, ent.label_, ent.id_) for ent in doc.ents] for doc in (one, other)]
        assert spans[0] == spans[1]
        assert one.cats.keys() == other.cats.keys()
        for label, score in one.cats.items():
            assert abs(score - other.cats[label]) < SCORE_TOLERANCE, (one.text, label)
