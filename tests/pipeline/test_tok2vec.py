"""The shared encoder: who listens, what they are given, and what comes back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from thinc.api import Adam, fix_random_seed

import ferrule
from ferrule.errors import NotInitializedError
from ferrule.pipeline.tagger import Tagger
from ferrule.pipeline.tok2vec import Tok2Vec
from ferrule.tokens import Doc
from ferrule.vocab import Vocab

from .conftest import LISTENER, SENTENCES, SMALL_ENCODER, WIDTH, Library, build

# Two orders of adding the same float32 gradients.
TOLERANCE = 1e-5
# The gradient of a sum against the sum of gradients: float32, through layer norms of nearly constant rows,
# which divide by little.
SUM_TOLERANCE = 5e-5


@pytest.fixture
def tok2vec(library: Library, examples: list[Any]) -> Tok2Vec:
    fix_random_seed(0)
    tok2vec = Tok2Vec(library.vocab, build(SMALL_ENCODER), "encoder")
    tok2vec.initialize(lambda: examples)
    return tok2vec


def _listening(tok2vec: Tok2Vec, library: Library, examples: list[Any], name: str, **listener: Any) -> Tagger:
    model = build({"@architectures": "spacy.Tagger.v2", "tok2vec": {**LISTENER, **listener}})
    tagger = Tagger(library.vocab, model, name)
    tagger.initialize(lambda: examples)
    # Weights of zero would send no gradient back.
    output_layer = tagger.model.get_ref("output_layer")
    generator = np.random.default_rng(len(name))
    shape = output_layer.get_param("W").shape
    output_layer.set_param("W", generator.normal(size=shape).astype("float32"))
    tok2vec.find_listeners(tagger)
    return tagger


@pytest.fixture
def first(tok2vec: Tok2Vec, library: Library, examples: list[Any]) -> Tagger:
    return _listening(tok2vec, library, examples, "first")


@pytest.fixture
def second(tok2vec: Tok2Vec, first: Tagger, library: Library, examples: list[Any]) -> Tagger:
    return _listening(tok2vec, library, examples, "second tagger")


def _gradients(model: Any) -> dict[tuple[int, str], Any]:
    nodes = list(model.walk())
    return {
        (index, name): node.get_grad(name).copy()
        for index, node in enumerate(nodes)
        for name in node.grad_names
    }


def _clear_gradients(model: Any) -> None:
    for node in model.walk():
        for name in node.grad_names:
            node.get_grad(name)[...] = 0


def test_listeners_are_found_by_name(tok2vec: Tok2Vec, library: Library, examples: list[Any]) -> None:
    named = _listening(tok2vec, library, examples, "named", upstream="encoder")
    other = _listening(tok2vec, library, examples, "other", upstream="another encoder")
    assert tok2vec.listening_components == ["named"]
    assert tok2vec.listeners == [named.model.get_ref("tok2vec")]
    assert tok2vec.listener_map == {"named": tok2vec.listeners}
    tok2vec.find_listeners(named)
    assert len(tok2vec.listeners) == 1
    assert not tok2vec.remove_listener(other.model.get_ref("tok2vec"), "other")
    assert tok2vec.remove_listener(named.model.get_ref("tok2vec"), "named")
    assert tok2vec.listener_map == {}


def test_components_without_a_model_do_not_listen(tok2vec: Tok2Vec) -> None:
    tok2vec.find_listeners(object())
    assert tok2vec.listeners == []


def test_annotating_stores_the_rows(tok2vec: Tok2Vec, library: Library) -> None:
    doc = tok2vec(library.doc(library.vocab, words=["Dogs", "bark"]))
    assert doc.tensor.shape == (2, WIDTH)
    assert_allclose(doc.tensor, tok2vec.model.predict([doc])[0], atol=TOLERANCE)
    assert tok2vec(library.doc(library.vocab, words=[])).tensor.shape == (0, WIDTH)


def test_documents_of_another_vocabulary_get_the_same_rows_and_mixed_ones_are_refused() -> None:
    """Ids are made of the words alone; but one batch asks one vocabulary."""
    nlp = ferrule.blank("en")
    pipe = nlp.add_pipe("tok2vec", config={"model": SMALL_ENCODER})
    nlp.initialize()
    words = ["Anna", "never-seen-here", "boats"]
    own, foreign = Doc(nlp.vocab, words=words), Doc(Vocab(), words=words)
    assert_allclose(pipe.predict([foreign])[0], pipe.predict([own])[0], rtol=0, atol=0)
    with pytest.raises(ValueError, match="document 1 of the batch has another vocabulary than the first"):
        pipe.predict([own, foreign])


def test_rows_of_another_length_are_refused(tok2vec: Tok2Vec, library: Library) -> None:
    doc = library.doc(library.vocab, words=["Dogs", "bark"])
    with pytest.raises(ValueError, match="3 rows for a document of 2 tokens"):
        tok2vec.set_annotations([doc], [np.zeros((3, WIDTH), dtype="float32")])


def test_listeners_send_the_gradient_an_own_encoder_would_get(
    tok2vec: Tok2Vec, first: Tagger, library: Library, examples: list[Any]
) -> None:
    own = Tagger(library.vocab, build({"@architectures": "spacy.Tagger.v2", "tok2vec": SMALL_ENCODER}))
    own.initialize(lambda: examples)
    own.model.get_ref("tok2vec").from_bytes(tok2vec.model.to_bytes())
    own.model.get_ref("output_layer").from_bytes(first.model.get_ref("output_layer").to_bytes())
    own_losses = own.update(examples, sgd=None)
    losses = first.update(examples, sgd=None, losses=tok2vec.update(examples, sgd=None))
    assert losses["first"] == pytest.approx(own_losses["tagger"], rel=TOLERANCE)
    assert losses["encoder"] > 0
    expected = _gradients(own.model.get_ref("tok2vec"))
    assert expected
    for key, gradient in _gradients(tok2vec.model).items():
        assert_allclose(gradient, expected[key], rtol=TOLERANCE, atol=TOLERANCE)


def test_gradients_of_two_listeners_add_up(
    tok2vec: Tok2Vec, first: Tagger, second: Tagger, examples: list[Any]
) -> None:
    alone = []
    for tagger, other in ((first, second), (second, first)):
        listener = other.model.get_ref("tok2vec")
        tok2vec.remove_listener(listener, other.name)
        tok2vec.update(examples, sgd=None)
        tagger.update(examples, sgd=None)
        alone.append(_gradients(tok2vec.model))
        _clear_gradients(tok2vec.model)
        tok2vec.add_listener(listener, other.name)
    tok2vec.update(examples, sgd=None)
    assert not any(gradient.any() for gradient in _gradients(tok2vec.model).values())
    first.update(examples, sgd=None)
    second.update(examples, sgd=None)
    for key, gradient in _gradients(tok2vec.model).items():
        assert_allclose(gradient, alone[0][key] + alone[1][key], rtol=SUM_TOLERANCE, atol=SUM_TOLERANCE)


def test_a_listener_that_is_not_trained_holds_nothing_up(
    tok2vec: Tok2Vec, first: Tagger, second: Tagger, examples: list[Any]
) -> None:
    before = tok2vec.model.to_bytes()
    tok2vec.update(examples, sgd=None)
    first.update(examples, sgd=None)
    assert tok2vec.model.to_bytes() == before
    tok2vec.finish_update(Adam(0.01))
    assert tok2vec.model.to_bytes() != before


def test_a_gradient_that_came_in_before_a_failure_can_be_forgotten(
    tok2vec: Tok2Vec, first: Tagger, second: Tagger, examples: list[Any]
) -> None:
    tok2vec.update(examples, sgd=None)
    first.update(examples, sgd=None)
    tok2vec.abandon_update()
    before = tok2vec.model.to_bytes()
    tok2vec.finish_update(Adam(0.01))
    assert tok2vec.model.to_bytes() == before


def test_training_through_a_listener_learns_the_examples(
    tok2vec: Tok2Vec, first: Tagger, examples: list[Any], library: Library
) -> None:
    optimizer = Adam(0.01)
    for _ in range(60):
        tok2vec.update(examples, sgd=optimizer)
        first.update(examples, sgd=optimizer)
    for words, tags in SENTENCES:
        doc = first(tok2vec(library.doc(library.vocab, words=words)))
        assert [token.tag_ for token in doc] == tags


def test_rehearsing_holds_on_to_the_encoder_of_then(
    tok2vec: Tok2Vec, first: Tagger, examples: list[Any]
) -> None:
    tok2vec._start_rehearsing()
    first._start_rehearsing()
    for pipe in (tok2vec, first):
        losses = pipe.rehearse(examples, sgd=None)
    assert losses["first"] == pytest.approx(0.0, abs=TOLERANCE)  # nothing has changed yet
    optimizer = Adam(0.01)
    for _ in range(5):
        tok2vec.update(examples, sgd=optimizer)
        first.update(examples, sgd=optimizer)
    drifted = first.rehearse(examples, sgd=None, losses=tok2vec.rehearse(examples, sgd=None))["first"]
    assert drifted > 0.1
    for _ in range(20):
        tok2vec.rehearse(examples, sgd=optimizer)
        first.rehearse(examples, sgd=optimizer)
    back = first.rehearse(examples, sgd=None, losses=tok2vec.rehearse(examples, sgd=None))["first"]
    assert back < drifted / 2


def test_a_listener_without_an_update_of_its_encoder_names_the_remedy(
    tok2vec: Tok2Vec, first: Tagger, examples: list[Any]
) -> None:
    with pytest.raises(ValueError, match="annotating_components"):
        first.update(examples)


def test_a_frozen_encoder_that_annotates_is_listened_to(
    tok2vec: Tok2Vec, first: Tagger, examples: list[Any]
) -> None:
    before = tok2vec.model.to_bytes()
    tok2vec.update(examples[:1], sgd=None)  # from before it was frozen
    for example in examples:
        tok2vec(example.predicted)
    losses = [first.update(examples, sgd=Adam(0.01))["first"] for _ in range(5)]
    assert losses[-1] < losses[0]
    assert tok2vec.model.to_bytes() == before


def test_empty_documents_take_part(tok2vec: Tok2Vec, first: Tagger, library: Library) -> None:
    empty = [library.make([], tags=[])]
    losses = first.update(empty, sgd=None, losses=tok2vec.update(empty, sgd=None))
    assert losses == {"encoder": 0.0, "first": 0.0}


def test_an_update_without_weights_names_the_remedy(library: Library, examples: list[Any]) -> None:
    with pytest.raises(NotInitializedError, match="initialize"):
        Tok2Vec(library.vocab, build(SMALL_ENCODER)).update(examples)


def test_bytes_bring_the_rows_back(tok2vec: Tok2Vec, library: Library, examples: list[Any]) -> None:
    again = Tok2Vec(library.vocab, build(SMALL_ENCODER))
    again.from_bytes(tok2vec.to_bytes(exclude=["vocab"]), exclude=["vocab"])
    docs = [example.x for example in examples]
    for rows, expected in zip(again.predict(docs), tok2vec.predict(docs), strict=True):
        np.testing.assert_array_equal(rows, expected)
