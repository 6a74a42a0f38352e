"""Examples on random pairs of tokenizations; spaCy's Example is the oracle."""

from __future__ import annotations

import pickle
import random
from typing import Any, NamedTuple

import pytest
from spacy.tokens import Doc as SpacyDoc
from spacy.tokens import Span as SpacySpan
from spacy.training import Example as SpacyExample
from spacy.vocab import Vocab as SpacyVocab

from ferrule.errors import AlignmentError, AnnotationError
from ferrule.tokens import Doc, Span
from ferrule.training.example import Example, validate_examples, validate_get_examples
from ferrule.vocab import Vocab

VOCAB = SpacyVocab()
TAGS = ["NN", "VB", ""]


class Library(NamedTuple):
    doc: Any
    span: Any
    vocab: Any


SPACY = Library(SpacyDoc, SpacySpan, VOCAB)
FERRULE = Library(Doc, Span, Vocab())
both_libraries = pytest.mark.parametrize("library", [FERRULE, SPACY], ids=["ferrule docs", "spacy docs"])


def random_words(rng: random.Random, text: str) -> tuple[list[str], list[bool]]:
    """A tokenization of `text`, which has single spaces only."""
    words, spaces = [], []
    for chunk in text.split(" "):
        cuts = sorted(rng.sample(range(1, len(chunk)), k=rng.randint(0, min(2, len(chunk) - 1))))
        for start, end in zip([0, *cuts], [*cuts, len(chunk)], strict=True):
            words.append(chunk[start:end])
            spaces.append(False)
        spaces[-1] = True
    spaces[-1] = False
    return words, spaces


def random_ents(rng: random.Random, n_words: int) -> list[str]:
    tags: list[str] = []
    while len(tags) < n_words:
        kind = rng.choice(["O", "O", "", "X", "Y"])
        if kind in ("O", ""):
            tags.append(kind)
        else:
            tags += [f"B-{kind}", *[f"I-{kind}"] * rng.randint(0, 3)]
    return tags[:n_words]


def random_tree(rng: random.Random, n_words: int) -> list[int]:
    order = rng.sample(range(n_words), n_words)
    return [
        word if order[0] == word or rng.random() < 0.1 else order[rng.randrange(order.index(word))]
        for word in range(n_words)
    ]


def random_doc(rng: random.Random, text: str, *, parsed: bool, library: Library) -> Any:
    words, spaces = random_words(rng, text)
    annotations = {
        "tags": [rng.choice(TAGS) for _ in words],
        "pos": [rng.choice(["NOUN", ""]) for _ in words],
        "ents": random_ents(rng, len(words)),
    }
    if parsed:
        annotations["heads"] = random_tree(rng, len(words))
        annotations["deps"] = [rng.choice(["nsubj", "obj"]) for _ in words]
    elif rng.random() < 0.7:
        annotations["sent_starts"] = [True, *[rng.random() < 0.3 for _ in words[1:]]]
    doc = library.doc(library.vocab, words=words, spaces=spaces, **annotations)
    spans = []
    for _ in range(3):
        start = rng.randrange(len(words))
        spans.append(library.span(doc, start, rng.randint(start + 1, len(words)), label=rng.choice("AB")))
    doc.spans["sc"] = spans
    return doc


def random_pairs(n_pairs: int, *, parsed: bool = False, library: Library = SPACY):
    """Pairs of a Ferrule example, on documents of `library`, and a spaCy example on equal documents."""
    rng = random.Random(n_pairs)
    for _ in range(n_pairs):
        chunks = [
            "".join(rng.choice("abcé") for _ in range(rng.randint(1, 5))) for _ in range(rng.randint(1, 7))
        ]
        text = " ".join(chunks)
        seed = rng.random()
        ours, theirs = (
            [random_doc(seeded, text, parsed=parsed, library=one) for _ in range(2)]
            for one, seeded in ((library, random.Random(seed)), (SPACY, random.Random(seed)))
        )
        yield Example(*ours), SpacyExample(*theirs)


def keys(spans) -> list[tuple]:
    return [(span.doc is not None, span.start, span.end, span.label_) for span in spans]


@both_libraries
def test_alignment_and_token_attributes_equal_spacys(library):
    for ours, theirs in random_pairs(150, library=library):
        assert ours.alignment.x2y.data.tolist() == theirs.alignment.x2y.data.tolist()
        assert ours.alignment.y2x.lengths.tolist() == theirs.alignment.y2x.lengths.tolist()
        for field in ("TAG", "POS", "ENT_IOB", "SENT_START"):
            assert ours.get_aligned(field) == theirs.get_aligned(field)
            assert ours.get_aligned(field, as_string=True) == theirs.get_aligned(field, as_string=True)


@both_libraries
def test_entities_spans_and_sentences_equal_spacys(library):
    for ours, theirs in random_pairs(200, library=library):
        assert ours.get_aligned_ner() == theirs.get_aligned_ner()
        assert keys(ours.get_aligned_ents_and_ner()[0]) == keys(theirs.get_aligned_ents_and_ner()[0])
        assert ours.get_aligned_sent_starts() == theirs.get_aligned_sent_starts()
        assert keys(ours.get_matching_ents()) == keys(theirs.get_matching_ents())
        assert keys(ours.get_matching_ents(False)) == keys(theirs.get_matching_ents(False))
        for overlap in (False, True):
            expected = theirs.get_aligned_spans_x2y(theirs.x.spans["sc"], overlap)
            assert keys(ours.get_aligned_spans_x2y(ours.x.spans["sc"], overlap)) == keys(expected)
            expected = theirs.get_aligned_spans_y2x(theirs.y.spans["sc"], overlap)
            assert keys(ours.get_aligned_spans_y2x(ours.y.spans["sc"], overlap)) == keys(expected)
        split, expected = ours.split_sents(), theirs.split_sents()
        assert [(eg.x.text, eg.y.text) for eg in split] == [(eg.x.text, eg.y.text) for eg in expected]


@both_libraries
def test_parses_equal_spacys(library):
    for ours, theirs in random_pairs(150, parsed=True, library=library):
        assert ours.get_aligned_parse() == theirs.get_aligned_parse()
        assert ours.get_aligned_parse(projectivize=False) == theirs.get_aligned_parse(projectivize=False)


@pytest.mark.parametrize(
    "annotations",
    [
        {"tags": ["A", "", "C"], "pos": ["NOUN", "", "X"], "lemmas": ["x", "y", ""]},
        {"words": ["a", "b", "c"], "morphs": ["Case=Nom", "", "A=B|C=D"]},
        {"heads": [1, 1, None], "deps": ["x", None, "y"]},
        {"heads": [1, 1, 1], "deps": ["x", "ROOT", "y"], "sent_starts": [1, 1, 1]},
        {"sent_starts": [True, False, None]},
        {"sent_starts": [1, -1, 0]},
        {"entities": [(0, 1, "X"), (2, 5, "Y")], "links": {(0, 1): {"Q1": 1.0, "Q2": 0.0}}},
        {"entities": ["O", "U-X", None]},
        {"entities": ["O", "-", "U-X"]},
        {"entities": []},
        {"entities": None},
        {"spans": {"sc": [(0, 3, "X"), (2, 3, "Y", "Q1")], "none": []}},
        {"cats": {"a": 1.0, "b": 0.0}},
        {"text": "a bc", "words": ["a", "b", "c"]},
        {"doc_annotation": {"cats": {"a": 0.5}}, "token_annotation": {"TAG": ["A", "B", "C"]}},
        {"words": ["a b", "c"], "tags": ["A", "B"]},
    ],
)
@both_libraries
def test_from_dict_gives_the_document_spacys_gives(library, annotations):
    ours = Example.from_dict(library.doc(library.vocab, words=["a", "b", "c"]), annotations)
    theirs = SpacyExample.from_dict(SpacyDoc(VOCAB, words=["a", "b", "c"]), annotations)
    assert ours.to_dict() == theirs.to_dict()
    attrs = ["TAG", "POS", "MORPH", "LEMMA", "HEAD", "DEP", "SENT_START", "ENT_IOB", "ENT_TYPE", "ENT_KB_ID"]
    assert ours.y.to_array(attrs).tolist() == theirs.y.to_array(attrs).tolist()


@both_libraries
def test_from_dict_takes_what_to_dict_gives(library):
    for ours, _ in random_pairs(40, parsed=True, library=library):
        again = Example.from_dict(ours.x, ours.to_dict())
        assert again.to_dict() == ours.to_dict()


def test_iob_entities_are_taken_instead_of_lost():
    example = Example.from_dict(SpacyDoc(VOCAB, words=["a", "b", "c"]), {"entities": ["B-X", "I-X", "O"]})
    assert [(ent.start, ent.end) for ent in example.y.ents] == [(0, 2)]


@pytest.mark.parametrize(
    ("annotations", "error", "message"),
    [
        ({"tgas": ["A"]}, KeyError, "unknown field 'tgas'. Did you mean 'tags'"),
        ({"token_annotation": {"foo": []}}, KeyError, "unknown field 'foo'"),
        ({"tags": ["A"]}, ValueError, "'tags' has 1 values, but there are 3 words"),
        (
            {"words": ["a", "bc"], "spaces": [True]},
            ValueError,
            "'spaces' has 1 values, but there are 2 words",
        ),
        ({"tags": ["A", 3, "B"]}, TypeError, "'tags' must hold strings .* found int at token 1"),
        ({"heads": [0, 1, 7], "deps": ["a"] * 3}, ValueError, "head of token 2 is 7"),
        ({"heads": [1, 1, 1]}, ValueError, "'heads' without 'deps'"),
        ({"entities": "O O O"}, ValueError, "'entities' must be a list"),
        ({"entities": [(0, 1)]}, ValueError, r"entities\[0\] is \(0, 1\); expected \(start_char"),
        ({"entities": [{"start": 0, "end": 1, "label": "X"}]}, ValueError, r"entities\[0\] is {'start'"),
        ({"entities": ["B-X", "O", "L-X"]}, ValueError, "not closed before token 1"),
        ({"entities": ["O", "L-X", "O"]}, ValueError, "no B- tag begins"),
        ({"entities": ["B-X", "I-X", "L-Y"]}, ValueError, "one label"),
        ({"entities": [(0, 3, "X"), (2, 3, "Y")]}, ValueError, "overlap"),
        ({"spans": [(0, 1, "X")]}, ValueError, "'spans' must be a dict"),
        ({"spans": {"sc": [(0, 2, "X")]}}, ValueError, "not token boundaries"),
        ({"spans": {"sc": [3]}}, ValueError, "group 'sc' has 3"),
        ({"cats": ["a"]}, ValueError, "'cats' must be a dict"),
        ({"links": {(0, 2): {"Q": 1.0}}}, ValueError, "not token boundaries"),
        ({"links": {(0, 1): {"Q": 1.0, "P": 1.0}}}, ValueError, "2 true ids"),
        (["tags"], TypeError, "must be a dict, found list"),
        (None, ValueError, "found None"),
    ],
)
def test_from_dict_refuses_with_a_reason(annotations, error, message):
    with pytest.raises(error, match=message):
        Example.from_dict(SpacyDoc(VOCAB, words=["a", "b", "c"]), annotations)


def test_an_example_needs_two_documents():
    doc = SpacyDoc(VOCAB, words=["a"])
    for x, y in ((None, doc), (doc, None), ("a", doc)):
        with pytest.raises(TypeError, match="must be a Doc"):
            Example(x, y)


def test_different_texts_are_refused_when_they_are_aligned():
    example = Example(SpacyDoc(VOCAB, words=["a", "b"]), SpacyDoc(VOCAB, words=["a", "c"]))
    with pytest.raises(AlignmentError, match="cannot be aligned"):
        example.get_aligned("TAG")


def test_alignment_follows_a_retokenized_or_replaced_document():
    example = Example(SpacyDoc(VOCAB, words=["a", "b"]), SpacyDoc(VOCAB, words=["a", "b"], tags=["A", "A"]))
    assert example.get_aligned("TAG", as_string=True) == ["A", "A"]
    with example.x.retokenize() as retokenizer:
        retokenizer.merge(example.x[0:2])
    assert example.get_aligned("TAG", as_string=True) == ["A"]
    example.reference = SpacyDoc(VOCAB, words=["a", "b"], tags=["A", "B"])
    assert example.get_aligned("TAG", as_string=True) == [None]


def test_a_sentence_without_counterpart_starts_nowhere():
    x = SpacyDoc(VOCAB, words=["a", "b"])
    y = SpacyDoc(VOCAB, words=["a", "\n", "b"], spaces=[False] * 3, sent_starts=[True, True, False])
    assert Example(x, y).get_aligned_sent_starts() == [True, False]


def test_empty_documents_align():
    example = Example(SpacyDoc(VOCAB), SpacyDoc(VOCAB))
    assert example.get_aligned("TAG") == [] and len(example) == 0
    assert example.get_aligned_parse() == ([], [])


def test_copies_and_pickles_are_examples():
    (example, _), *_ = random_pairs(1)
    assert example.copy().to_dict() == example.to_dict()
    assert pickle.loads(pickle.dumps(example)).to_dict() == example.to_dict()


def test_validation_names_the_method_and_what_was_found():
    (example, theirs), *_ = random_pairs(1)
    validate_examples([example, theirs], "Tagger.update")
    validate_get_examples(lambda: [example], "Tagger.initialize")
    with pytest.raises(TypeError, match=r"Tagger.update: expected Example objects, found Doc"):
        validate_examples([example.x], "Tagger.update")
    with pytest.raises(TypeError, match="at least one"):
        validate_get_examples(lambda: [], "Tagger.initialize")
    with pytest.raises(TypeError, match="a function"):
        validate_get_examples([example], "Tagger.initialize")
    assert issubclass(AnnotationError, KeyError)
