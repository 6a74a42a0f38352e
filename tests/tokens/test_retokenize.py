"""Merging and splitting tokens."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc as SpacyDoc

from ferrule.tokens import Doc, Token
from ferrule.vocab import Vocab


def arguments() -> dict[str, Any]:
    return {
        "words": ["I", "like", "New", "York", "city", "!"],
        "spaces": [True, True, True, True, False, False],
        "tags": list("abcdef"),
        "lemmas": list("ilnyc!"),
        "heads": [1, 1, 3, 4, 1, 1],
        "deps": list("xyzwvu"),
        "ents": ["O", "O", "B-GPE", "I-GPE", "I-GPE", "O"],
    }


@pytest.fixture
def doc() -> Doc:
    doc = Doc(Vocab(), **arguments())
    doc.tensor = np.arange(12, dtype="float32").reshape(6, 2)
    doc.spans["s"] = [doc[2:5], doc[0:1], doc[3:4]]
    return doc


def test_a_merged_token_takes_its_roots_attributes(doc: Doc) -> None:
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[2:5], attrs={"LEMMA": "NYC"})
    assert [token.text for token in doc] == ["I", "like", "New York city", "!"]
    assert [token.tag_ for token in doc] == ["a", "b", "e", "f"]
    assert [token.lemma_ for token in doc] == ["i", "l", "NYC", "!"]
    assert [token.head.i for token in doc] == [1, 1, 1, 1]
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("New York city", "GPE")]
    assert doc.tensor[2].tolist() == [8.0, 9.0]
    assert [span.text for span in doc.spans["s"]] == ["New York city", "I", "New York city"]


def test_split_tokens_spell_the_old_one_and_get_the_heads_asked_for(doc: Doc) -> None:
    with doc.retokenize() as retokenizer:
        retokenizer.split(doc[3], ["Yo", "rk"], heads=[(doc[3], 1), doc[4]], attrs={"TAG": ["p", "q"]})
    assert doc.text == "I like New York city!"
    assert [token.text for token in doc] == ["I", "like", "New", "Yo", "rk", "city", "!"]
    assert [token.head.i for token in doc] == [1, 1, 3, 4, 5, 1, 1]
    assert [token.tag_ for token in doc][3:5] == ["p", "q"]
    assert [token.ent_iob_ for token in doc] == ["O", "O", "B", "I", "I", "I", "O"]
    assert doc.tensor[3:5].tolist() == [[0, 0], [0, 0]] and doc.tensor[5].tolist() == [8, 9]
    assert [span.text for span in doc.spans["s"]] == ["New York city", "I", "York"]


def test_merges_and_splits_happen_together(doc: Doc) -> None:
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
        retokenizer.split(doc[3], ["Yo", "rk"], heads=[(doc[3], 1), doc[4]])
    assert [token.text for token in doc] == ["I like", "New", "Yo", "rk", "city", "!"]
    assert [token.head.i for token in doc] == [0, 2, 3, 4, 0, 0]


def test_extension_attributes_of_merged_tokens_are_set(doc: Doc) -> None:
    Token.set_extension("size", default=0, force=True)
    try:
        with doc.retokenize() as retokenizer:
            retokenizer.merge(doc[2:5], attrs={"_": {"size": 3}})
        assert [token._.size for token in doc] == [0, 0, 3, 0]
    finally:
        Token.remove_extension("size")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda r, d: (r.merge(d[0:3]), r.merge(d[2:5])), ValueError),
        (lambda r, d: r.merge(d[2:2]), ValueError),
        (lambda r, d: r.merge("x"), TypeError),
        (lambda r, d: r.merge(d[0:2], attrs={"FOO": 1}), ValueError),
        (lambda r, d: r.merge(d[0:2], attrs={"POS": "nope"}), ValueError),
        (lambda r, d: r.merge(d[0:2], attrs={"_": {"nope": 1}}), ValueError),
        (lambda r, d: r.split(d[3], ["Yo", "rkx"], heads=[d[2], d[2]]), ValueError),
        (lambda r, d: r.split(d[3], ["Yo", "rk"], heads=[d[2]]), ValueError),
        (lambda r, d: r.split(d[3], ["York", ""], heads=[d[2], d[2]]), ValueError),
        (lambda r, d: r.split(d[3], ["Yo", "rk"], heads=[(d[3], 5), d[2]]), IndexError),
        (lambda r, d: r.split(d[3], ["Yo", "rk"], heads=[(d[3], 1), (d[3], 0)]), ValueError),
        (lambda r, d: (r.merge(d[2:5]), r.split(d[3], ["Yo", "rk"], heads=[d[2], d[2]])), IndexError),
        (lambda r, d: r.merge(d.copy()[0:2]), ValueError),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(doc: Doc, change: Any, error: type) -> None:
    before = doc.to_bytes()
    with pytest.raises(error), doc.retokenize() as retokenizer:
        change(retokenizer, doc)
    assert doc.to_bytes() == before


def test_random_merges_are_spacys() -> None:
    rng = random.Random(0)
    ours_vocab, theirs_vocab = Vocab(), spacy.blank("xx").vocab
    for _ in range(150):
        one = random_arguments(rng)
        ours, theirs = Doc(ours_vocab, **one), SpacyDoc(theirs_vocab, **one)
        n_tokens = len(ours)
        cuts = sorted(rng.sample(range(n_tokens + 1), min(n_tokens + 1, 2 * rng.randint(1, 2))))
        for doc in (ours, theirs):
            with doc.retokenize() as retokenizer:
                for start, end in zip(cuts[::2], cuts[1::2], strict=False):
                    retokenizer.merge(doc[start:end], attrs={"TAG": "Z"})
        for name in ("ORTH", "SPACY", "HEAD", "SENT_START", "ENT_TYPE", "TAG", "LEMMA", "DEP", "MORPH"):
            assert ours.to_array(name).tolist() == theirs.to_array(name).tolist(), (name, one, cuts)


def random_arguments(rng: random.Random) -> dict[str, Any]:
    n_tokens = rng.randint(1, 9)
    order, heads = rng.sample(range(n_tokens), n_tokens), [0] * n_tokens
    for rank, i in enumerate(order):
        heads[i] = i if rank == 0 or rng.random() < 0.1 else order[rng.randrange(rank)]
    return {
        "words": [chr(97 + i) * rng.randint(1, 3) for i in range(n_tokens)],
        "spaces": [rng.random() < 0.6 for _ in range(n_tokens)],
        "heads": heads,
        "deps": [f"d{i}" for i in range(n_tokens)],
        "tags": [f"t{i}" for i in range(n_tokens)],
        "lemmas": [f"l{i}" for i in range(n_tokens)],
        "morphs": [f"A=m{i}" for i in range(n_tokens)],
        "ents": [rng.choice(["O", "B-X", "I-X", "B-Y", ""]) for _ in range(n_tokens)],
    }
