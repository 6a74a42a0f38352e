"""`accelerate` on an entity recognizer: spaCy's own entities, whatever becomes of it meanwhile."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import spacy
from annotation import assert_same
from real_text import ENCODER
from spacy.training import Example
from thinc.api import fix_random_seed

from ferrule.interop.spacy import accelerate
from ferrule.interop.spacy.recognizer import FastRecognizer


@pytest.fixture
def pair(spacy_nlp: Any) -> tuple[Any, Any]:
    """The same pipeline twice, the first one accelerated."""
    kept = spacy_nlp.to_bytes()
    both = [spacy.util.load_model_from_config(spacy_nlp.config, auto_fill=False) for _ in range(2)]
    for nlp in both:
        nlp.from_bytes(kept)
        nlp.select_pipes(enable=["ner"])
    accelerate(both[0])
    assert type(both[0].get_pipe("ner")) is FastRecognizer
    return both[0], both[1]


def swapped(nlp: Any) -> dict[str, str]:
    return {swap.component: swap.why for swap in accelerate(nlp).report if swap.part == "transitions"}


def test_entities_that_are_there_are_kept_and_fitted_around(pair: tuple[Any, Any], texts: list[str]) -> None:
    done = []
    for nlp in pair:
        docs = [nlp.make_doc(text) for text in texts]
        for number, doc in enumerate(docs):
            first = number % max(1, len(doc) - 2)
            doc.set_ents([spacy.tokens.Span(doc, first, first + 1, "KEPT" if number % 2 else "person")])
            if number % 3:
                doc.set_ents([], missing=[doc[0 : first + 1]], blocked=[doc[first + 1 : first + 2]])
        done.append(list(nlp.pipe(docs)))
    assert_same(*done)
    assert any(ent.label_ == "KEPT" for doc in done[0] for ent in doc.ents)


def examples_of(nlp: Any, label: str) -> list[Any]:
    """All kinds of actions of a label, for those that were never seen stay forbidden."""
    one = [f"U-{label}", "O", "O", "O", "O", "O"]
    three = [f"B-{label}", f"I-{label}", f"L-{label}", "O", "O", "O"]
    text = "Anna went to Paris with Bob"
    return [Example.from_dict(nlp.make_doc(text), {"entities": tags}) for tags in (one, three)]


def test_what_it_learns_and_the_labels_it_gets_are_noticed(texts: list[str]) -> None:
    both = []
    for fast in (True, False):
        fix_random_seed(0)
        nlp = spacy.blank("en")
        nlp.add_pipe("ner", config={"model": {"tok2vec": ENCODER}})
        optimizer = nlp.initialize(lambda nlp=nlp: examples_of(nlp, "FIRST"))
        if fast:
            accelerate(nlp)
        for label in ("FIRST", "SECOND"):
            nlp.get_pipe("ner").add_label(label)
            for _ in range(8):
                nlp.update(examples_of(nlp, label), sgd=optimizer)
        both.append(nlp)
    assert both[0].get_pipe("ner")._can_follow()
    assert "B-SECOND" in both[0].get_pipe("ner").move_names
    assert_same(both[0].pipe(texts), both[1].pipe(texts))
    assert any(ent.label_ == "SECOND" for doc in both[0].pipe(texts) for ent in doc.ents)


def test_a_label_that_was_never_learnt_leaves_it_to_spacy(pair: tuple[Any, Any], texts: list[str]) -> None:
    for nlp in pair:
        nlp.get_pipe("ner").add_label("NEVER")
    assert not pair[0].get_pipe("ner")._can_follow()
    assert_same(pair[0].pipe(texts), pair[1].pipe(texts))


def test_one_bad_document_costs_one_document(pair: tuple[Any, Any], texts: list[str]) -> None:
    nlp, plain = pair
    failed: list[tuple[str, list[str]]] = []
    nlp.set_error_handler(lambda name, pipe, docs, error: failed.append((name, [doc.text for doc in docs])))
    fast = nlp.get_pipe("ner")
    annotate = fast._annotate

    def breaks(docs: list[Any]) -> list[Any]:
        if any("bad" in doc.text for doc in docs):
            raise ValueError("a bad document")
        return list(annotate(docs))

    fast._annotate = breaks
    assert_same(nlp.pipe([*texts[:5], "a bad one", *texts[5:9]]), plain.pipe(texts[:9]))
    assert failed == [("ner", ["a bad one"])]
    assert nlp("a bad one").text == "a bad one"
    assert len(failed) == 2


def test_it_is_the_recognizer_in_all_else(pair: tuple[Any, Any], texts: list[str]) -> None:
    nlp, plain = pair
    fast, theirs = nlp.get_pipe("ner"), plain.get_pipe("ner")
    assert (fast.labels, fast.cfg, fast.name) == (theirs.labels, theirs.cfg, theirs.name)
    assert fast.to_bytes() == theirs.to_bytes()
    assert isinstance(fast, spacy.ty.TrainableComponent) and isinstance(fast, spacy.ty.InitializableComponent)
    assert nlp.pipe_labels == plain.pipe_labels and nlp.pipe_factories == plain.pipe_factories
    docs = [nlp.make_doc(text) for text in texts[:20]]
    fast.set_annotations(docs, fast.predict(docs))
    assert_same(docs, plain.pipe(texts[:20]))
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in plain.pipe(texts[:20])]
    assert nlp.evaluate(examples)["ents_f"] == 1.0
    copied = pickle.loads(pickle.dumps(fast))
    assert type(copied) is FastRecognizer and copied.to_bytes() == theirs.to_bytes()
    assert_same(nlp.pipe(texts[:20], n_process=2), plain.pipe(texts[:20]))


def test_undo_puts_the_same_recognizer_back() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("ner", config={"model": {"tok2vec": ENCODER}})
    theirs = nlp.get_pipe("ner")
    with accelerate(nlp):
        assert type(nlp.get_pipe("ner")) is FastRecognizer
        nlp.rename_pipe("ner", "names")
    assert nlp.get_pipe("names") is theirs


def test_what_is_another_search_is_left_alone_and_said() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("beam_ner", name="beam", config={"model": {"tok2vec": ENCODER}})
    nlp.add_pipe("parser", config={"model": {"tok2vec": ENCODER}})
    assert swapped(nlp) == {"beam": "it searches with a beam, or learns more than entities"}
    nlp = spacy.blank("en")
    nlp.add_pipe("ner", config={"model": {"tok2vec": ENCODER}})
    assert swapped(nlp) == {"ner": ""}
    assert swapped(nlp) == {"ner": "was swapped before"}
