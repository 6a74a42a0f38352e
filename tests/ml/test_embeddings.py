"""Byte embeddings, static vectors and feature extraction, one at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ferrule.ml import CharacterEmbed, CharEmbed, FeatureExtractor, MaxoutWindowEncoder, MultiHashEmbed
from ferrule.ml.feature_extractor import extract_rows
from ferrule.ml.static_vectors import StaticVectors

TOLERANCE = 1e-5


def test_byte_embedding_picks_a_row_for_each_byte(nlp: Any) -> None:
    model = CharEmbed(nM=2, nC=3)
    model.initialize()
    table = np.random.default_rng(0).normal(size=(3, 256, 2)).astype("float32")
    model.set_param("E", table)
    doc = nlp("xy z")
    expected = [
        np.concatenate([table[position, value] for position, value in enumerate(values)])
        for values in doc.to_utf8_array(nr_char=3)
    ]
    np.testing.assert_array_equal(model.predict([doc])[0], expected)


def test_byte_embedding_sums_the_gradients_of_shared_bytes(nlp: Any) -> None:
    model = CharEmbed(nM=2, nC=3)
    model.initialize()
    docs = [nlp("aa aa b"), nlp("aa"), nlp("")]
    rows, backprop = model.begin_update(docs)
    backprop([np.ones_like(row) for row in rows])
    gradient = model.get_grad("E")
    assert gradient[0, ord("a")].tolist() == [3.0, 3.0]
    assert gradient[1, 255].tolist() == [1.0, 1.0]  # past the end of "b"
    assert gradient.sum() == sum(row.size for row in rows)


@pytest.fixture
def vectors(nlp: Any) -> Any:
    spacy = pytest.importorskip("spacy")
    generator = np.random.default_rng(0)
    nlp.vocab.vectors = spacy.vectors.Vectors(shape=(2, 4))
    for word in ("cat", "dog"):
        nlp.vocab.set_vector(word, generator.normal(size=4).astype("float32"))
    return nlp.vocab.vectors


def _static(nlp: Any, **settings: Any) -> Any:
    model = StaticVectors(3, **settings)
    model.initialize(X=[nlp("cat")])
    return model


def test_a_word_without_a_vector_has_zeros_and_no_gradient(nlp: Any, vectors: Any) -> None:
    model = _static(nlp)
    rows, backprop = model.begin_update([nlp("cat bird"), nlp("")])
    assert rows.lengths.tolist() == [2, 0]
    np.testing.assert_allclose(rows.data[0], model.get_param("W") @ nlp.vocab["cat"].vector, atol=TOLERANCE)
    assert not rows.data[1].any()
    d_rows = np.array([[0, 0, 0], [1, 1, 1]], dtype="float32")
    rows.data = d_rows
    backprop(rows)
    assert not model.get_grad("W").any()


def test_dropout_of_vectors_drops_columns_while_training_only(nlp: Any, vectors: Any) -> None:
    model = _static(nlp, dropout=0.5)
    full = model.predict([nlp("cat dog")]).data
    seen = set()
    for seed in range(20):
        np.random.seed(seed)
        dropped = model.begin_update([nlp("cat dog")])[0].data
        kept = dropped[0] != 0
        np.testing.assert_array_equal(kept, dropped[1] != 0)
        np.testing.assert_allclose(dropped[:, kept], 2 * full[:, kept], rtol=TOLERANCE)
        seen.add(tuple(kept))
    assert len(seen) > 1


def test_missing_vectors_are_refused_with_the_remedy(nlp: Any, vectors: Any) -> None:
    spacy = pytest.importorskip("spacy")
    model = _static(nlp)
    nlp.vocab.vectors = spacy.vectors.Vectors()
    with pytest.raises(ValueError, match=r"no word vectors.*include_static_vectors"):
        model.predict([nlp("cat")])


def test_features_of_spans_are_those_of_their_tokens(nlp: Any) -> None:
    doc = nlp("one two three")
    model = FeatureExtractor(["NORM", "SHAPE"])
    whole, part = model.predict([doc])[0], model.predict([doc[1:]])[0]
    assert whole.dtype == np.uint64
    np.testing.assert_array_equal(part, whole[1:])


def test_features_come_in_c_order_however_a_document_stores_them() -> None:
    class Transposed:
        def __len__(self) -> int:
            return 3

        def to_array(self, attrs: list[int]) -> Any:
            return np.arange(6, dtype="uint64").reshape(2, 3).T

    rows, lengths = extract_rows([Transposed(), Transposed()], [1, 2])
    assert rows.flags.c_contiguous
    assert rows.tolist() == [[0, 3], [1, 4], [2, 5]] * 2
    assert lengths.tolist() == [3, 3]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: MultiHashEmbed(4, ["NORM", "SHAPE"], [5], False), r"attrs has 2.*rows has 1"),
        (lambda: MultiHashEmbed(4, [], [], False), "attrs is empty"),
        (lambda: CharacterEmbed(4, 5, 2, 2, False, feature="LOUDNESS"), "'LOUDNESS' is not a token attr"),
        (lambda: MaxoutWindowEncoder(4, 1, 2, depth=0), "depth must be 1 or more, but is 0"),
        (lambda: FeatureExtractor(["LOUDNESS"]).predict([]), "'LOUDNESS' is not a token attribute"),
    ],
)
def test_settings_that_make_no_sense_are_refused(build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
