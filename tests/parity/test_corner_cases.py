"""Corner cases from programs written for spaCy: the same in both libraries, or a clear error here."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from parity.everyday import apples, library, outcome

Case = Callable[[Any], Any]

STARTS: list[list[Any]] = [
    [None, None, None],
    [True, None, None],
    [None, None, True],
    [False, None, True],
    [None, False, False],
]
FEATURES: list[Any] = [
    "Case=",
    "Case=|A=b",
    "Case=Nom,",
    "Case=Nom,,Acc",
    "A=_",
    " A=b",
    "",
]
FEATURES += [
    {"A": ""},
    {"A": "", "B": "c"},
    {"A": "b,"},
    "|",
    "Case",
    "A=b|",
    "A=b=c",
    {"A": "b=c"},
    {"A": None},
]


def starts(doc: Any) -> Any:
    known = [doc.has_annotation("SENT_START", require_complete=complete) for complete in (False, True)]
    sents = [sent.text for sent in doc.sents] if known[0] else None
    return [token.is_sent_start for token in doc], known, sents


def one_token(lib: Any, start: Any) -> Any:
    doc = lib.Doc(lib.Vocab(), words=["a"], sent_starts=[start])
    again = lib.Doc(lib.Vocab()).from_bytes(doc.to_bytes())
    example = lib.Example.from_dict(lib.Doc(doc.vocab, words=["a"]), {"sent_starts": [start]})
    return starts(doc), starts(again), doc.to_json(), example.get_aligned_sent_starts()


def slices(lib: Any, values: list[Any]) -> Any:
    doc = lib.Doc(lib.Vocab(), words=["a", "b", "c"], sent_starts=values)
    return [starts(doc[i:j].as_doc()) for i in range(3) for j in range(i + 1, 4)]


def morph(lib: Any, features: Any) -> Any:
    found = lib.MorphAnalysis(lib.Vocab(), features)
    return str(found), found.to_dict(), sorted(found), len(found), found.get("Case"), "A=b" in found


def from_dict(lib: Any, annotations: Any) -> Any:
    doc = lib.nlp("Apple's deal")
    example = lib.Example.from_dict(doc, annotations)
    return example.to_dict(), example.get_aligned_ner(), example.get_aligned_sent_starts()


def merged_twice(lib: Any, *attrs: Any) -> Any:
    doc = lib.nlp("New York is big")
    with doc.retokenize() as retokenizer:
        for each in attrs:
            retokenizer.merge(doc[0:2], attrs=each)
    return [(token.text, token.lemma_) for token in doc]


def json_with(lib: Any, **fields: Any) -> Any:
    data = {
        "text": "a b",
        "tokens": [{"id": 0, "start": 0, "end": 1}, {"id": 1, "start": 2, "end": 3}],
        **fields,
    }
    doc = lib.Doc(lib.Vocab()).from_json(data, validate=True)
    return doc.text, [(ent.text, ent.label_) for ent in doc.ents]


def extension_to_json(lib: Any, value: Any) -> Any:
    lib.Span.set_extension("kept", default=None, force=True)
    doc = lib.nlp("a b")
    doc[0:1]._.kept = value
    return json.dumps(doc.to_json(underscore=["kept"]))


def without_user_data(lib: Any) -> Any:
    doc = lib.nlp("a")
    doc.user_data["k"] = 1
    return lib.Doc(lib.Vocab()).from_bytes(doc.to_bytes(), exclude=["user_data"]).user_data


def names_of_extensions(lib: Any) -> Any:
    lib.Doc.set_extension("here", default=1, force=True)
    return [name for name in dir(lib.nlp("a")._) if name in ("here", "get", "has", "set", "_obj")]


def stop_words(lib: Any) -> Any:
    nlp = lib.blank("en")
    words = nlp.Defaults.stop_words
    words.add("grault")
    words |= {"garply"}
    found = [token.is_stop for token in nlp("grault garply Garply")]
    words -= {"grault", "garply"}
    return found, [token.is_stop for token in nlp("grault GARPLY waldo")], "grault" in words


def affixes(lib: Any) -> Any:
    nlp = lib.blank("en")
    prefixes = [*nlp.Defaults.prefixes, "x"]
    nlp.tokenizer.prefix_search = lib.util.compile_prefix_regex(nlp.Defaults.prefixes + ["x"]).search  # noqa: RUF005
    return [token.text for token in nlp("xyz (a)")], len(prefixes) == len(nlp.Defaults.prefixes) + 1


def disabled(lib: Any) -> Any:
    nlp = lib.blank("en")
    with nlp.disable_pipes():
        return nlp.pipe_names


SAME: dict[str, Case] = {
    **{
        f"one token, {start}": lambda lib, start=start: one_token(lib, start) for start in (None, True, False)
    },
    **{f"slices of {values}": lambda lib, values=values: slices(lib, values) for values in STARTS},
    **{f"features {each!r}": lambda lib, each=each: morph(lib, each) for each in FEATURES},
    "labels without heads": lambda lib: from_dict(lib, {"deps": ["a", "b", "c"]}),
    "an entity of two entries": lambda lib: from_dict(lib, {"entities": [(0, 5)]}),
    "an entity that is a dict": lambda lib: from_dict(
        lib, {"entities": [{"start": 0, "end": 5, "label": "X"}]}
    ),
    "the same merge": lambda lib: merged_twice(lib, {}, {}),
    "the first of two merges": lambda lib: merged_twice(lib, {"LEMMA": "x"}, {"LEMMA": "y"}),
    "JSON with a field of one's own": lambda lib: json_with(lib, meta={"id": 3}),
    "entities of JSON with another field": lambda lib: json_with(
        lib, ents=[{"start": 0, "end": 3, "label": "X", "score": 1}]
    ),
    "JSON that is a list": lambda lib: lib.Doc(lib.Vocab()).from_json([1]),
    "an extension that JSON holds": lambda lib: extension_to_json(lib, {"a": [1, None]}),
    "an extension that JSON cannot hold": lambda lib: extension_to_json(lib, {1, 2}),
    "bytes without user data": without_user_data,
    "names of extensions": names_of_extensions,
    "an array of attribute ids": lambda lib: (
        apples(lib).to_array(np.array([lib.attrs.POS, lib.attrs.TAG])).shape
    ),
    "stop words": stop_words,
    "affixes": affixes,
    "disabled pipes": disabled,
    "batches that grow": lambda lib: [
        len(b) for b in lib.util.minibatch(range(9), lib.util.compounding(1, 4, 2))
    ],
}


@pytest.mark.parametrize("case", SAME.values(), ids=SAME)
def test_the_same_in_both(case: Case) -> None:
    (expected, their_error), (found, our_error) = outcome(case, "spacy"), outcome(case, "ferrule")
    assert isinstance(our_error, type(their_error)), (our_error, their_error)
    assert found == expected


# What spaCy takes without a word, and loses.
REFUSED: dict[str, tuple[Case, str]] = {
    "an entity without its end": (
        lambda lib: from_dict(lib, {"entities": ["B-X", "O", "U-X"]}),
        "not closed",
    ),
    "two labels in one entity": (lambda lib: from_dict(lib, {"entities": ["B-X", "L-Y", "O"]}), "one label"),
    "an entity without a label": (
        lambda lib: json_with(lib, ents=[{"start": 0, "end": 1}]),
        "no field 'label'",
    ),
}


@pytest.mark.parametrize(("case", "message"), REFUSED.values(), ids=REFUSED)
def test_refused_with_a_reason(case: Case, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        case(library("ferrule"))


def test_computed_extensions_cannot_be_set() -> None:
    lib = library("ferrule")
    doc = lib.nlp("a")
    for kind in ("getter", "method"):
        lib.Doc.set_extension("computed", **{kind: lambda doc: 1}, force=True)
        with pytest.raises(AttributeError, match=f"computed .*{kind}"):
            doc._.computed = 2
    lib.Doc.remove_extension("computed")


def test_iob_tags_are_read_where_biluo_is_expected() -> None:
    lib = library("ferrule")
    entities = from_dict(lib, {"entities": ["B-X", "I-X", "O"]})[1]
    assert entities == ["B-X", "L-X", "O"]
