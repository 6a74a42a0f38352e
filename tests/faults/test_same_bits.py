"""Guarantee 12: the same bits for any number of threads and any batch size, predicting and learning."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from fault_parts import ENTITY_MODEL, MODEL, state
from thinc.api import Adam, fix_random_seed

import ferrule
from ferrule.language import Language
from ferrule.testing import default_examples
from networks import bag_of_words, ensemble

N_THREADS = (1, 2, 3)
BATCH_SIZES = (1, 7, 128)
SENTENCE = "Anna sees the small boat on a lake near Paris , and rows , never fast , to the other side . "
# From no words to some hundreds, so that batches of any size are of unlike lengths.
TEXTS = [(SENTENCE * 20)[number : number + number * number % 1331] for number in range(40)]

LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 8, "upstream": "*"}
BOW = bag_of_words(1024, exclusive=False, ngram_size=2)
ENSEMBLE = ensemble(MODEL["tok2vec"], bag_of_words(1024, exclusive=True, ngram_size=2))


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    before = ferrule.get_num_threads()
    yield
    ferrule.set_num_threads(before)


def learned(n_threads: int) -> Language:
    """A pipeline with each kind of component, after a few steps taken with so many threads."""
    ferrule.set_num_threads(n_threads)
    fix_random_seed(0)
    nlp = ferrule.blank("en")
    nlp.add_pipe("tok2vec", config={"model": MODEL["tok2vec"]})
    nlp.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": LISTENER}})
    nlp.add_pipe("textcat", config={"model": ENSEMBLE})
    nlp.add_pipe("textcat_multilabel", config={"model": BOW})
    nlp.add_pipe("ner", config={"model": ENTITY_MODEL})
    examples = default_examples(nlp)
    optimizer = Adam(0.01)
    nlp.initialize(lambda: examples)
    for _ in range(3):
        nlp.update(examples * 5, sgd=optimizer, drop=0.2)
    return nlp


def said(nlp: Language, **settings: Any) -> list[Any]:
    """Everything the pipeline says about the texts, numbers to the last bit."""
    for _, pipe in nlp.pipeline:
        if hasattr(pipe, "save_activations"):
            pipe.save_activations = True
    return [
        (
            [token.tag_ for token in doc],
            [(entity.start, entity.end, entity.label_) for entity in doc.ents],
            {name: value.hex() for name, value in doc.cats.items()},
            doc.tensor.tobytes(),
            {
                (name, key): getattr(array, "tobytes", lambda: None)()
                for name, kept in doc.activations.items()
                for key, array in kept.items()
            },
        )
        for doc in nlp.pipe(TEXTS, **settings)
    ]


def test_predictions_are_the_same_bits_for_every_batch_size_and_number_of_threads() -> None:
    nlp = learned(1)
    expected = said(nlp, batch_size=len(TEXTS))
    assert len({tuple(tags) for tags, *_ in expected}) > 5
    for n_threads, batch_size in product(N_THREADS, BATCH_SIZES):
        ferrule.set_num_threads(n_threads)
        assert said(nlp, batch_size=batch_size) == expected, (n_threads, batch_size)
    assert said(nlp, batch_size=7, n_threads=3) == expected
    assert [doc.cats for doc in map(nlp, TEXTS)] == [doc.cats for doc in nlp.pipe(TEXTS)]


def test_learning_comes_to_the_same_bits_for_every_number_of_threads() -> None:
    expected = state(learned(1))
    assert [state(learned(n_threads)) for n_threads in N_THREADS[1:]] == [expected] * (len(N_THREADS) - 1)
