"""The best label of each token, without the rows, is that of the rows."""

from __future__ import annotations

import numpy as np
import pytest
from thinc.api import Model

import ferrule
from ferrule.ml import HashEmbedCNN
from ferrule.ml import Tagger as TaggerModel
from ferrule.ml.best_labels import best_labels
from ferrule.ml.fused import unfuse
from ferrule.ml.quantization import quantize_tree

LENGTHS = [3, 0, 1, 60, 2, 17, 0, 200, 5]


@pytest.fixture(scope="module")
def docs() -> list[ferrule.Doc]:
    vocab = ferrule.blank("en").vocab
    words = np.random.default_rng(0).zipf(1.3, size=(len(LENGTHS), max(LENGTHS))) % 300
    return [
        ferrule.Doc(vocab, words=[f"word{number}" for number in row[:length]])
        for row, length in zip(words, LENGTHS, strict=True)
    ]


def tagger(docs, *, width: int = 96, n_labels: int = 50, normalize: bool = False) -> Model:
    encoder = HashEmbedCNN(
        width=width,
        depth=2,
        embed_size=200,
        window_size=1,
        maxout_pieces=3,
        subword_features=True,
        pretrained_vectors=None,
    )
    model = TaggerModel(encoder, n_labels, normalize=normalize)
    model.initialize(X=docs[:1])
    layer = model.get_ref("output_layer")
    rng = np.random.default_rng(1)
    layer.set_param("W", rng.normal(size=(n_labels, width)).astype("float32"))
    layer.set_param("b", rng.normal(size=n_labels).astype("float32"))
    return model


@pytest.mark.parametrize("width, n_labels", [(96, 50), (96, 1), (40, 97), (520, 5)])
@pytest.mark.parametrize("n_threads", [1, 3])
def test_is_that_of_the_rows(docs, width: int, n_labels: int, n_threads: int) -> None:
    model = tagger(docs, width=width, n_labels=n_labels)
    expected = np.concatenate(model.predict(docs)).argmax(axis=1)
    before = ferrule.get_num_threads()
    ferrule.set_num_threads(n_threads)
    try:
        found = best_labels(model, docs)
    finally:
        ferrule.set_num_threads(before)
    assert found is not None
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, expected)


def test_in_bytes_too_and_of_labels_alike_the_first(docs) -> None:
    model = tagger(docs)
    quantize_tree(model, docs)
    np.testing.assert_array_equal(
        best_labels(model, docs), np.concatenate(model.predict(docs)).argmax(axis=1)
    )
    layer = model.get_ref("output_layer")
    layer.set_param("W", np.zeros((50, 96), dtype="float32"))
    layer.set_param("b", np.repeat(np.float32([1, 2]), [7, 43]))
    assert set(best_labels(model, docs)) == {7}


def test_follows_weights_that_change(docs) -> None:
    model = tagger(docs)
    assert len(set(best_labels(model, docs))) > 1
    model.get_ref("output_layer").get_param("b")[3] = 1e6
    assert set(best_labels(model, docs)) == {3}


def test_of_no_tokens_there_are_none(docs) -> None:
    model = tagger(docs)
    for some in ([], [docs[1]], [docs[1], docs[1]]):
        assert len(best_labels(model, some)) == 0


def test_other_models_have_no_shorter_way(docs) -> None:
    plain = tagger(docs)
    unfuse(plain)
    assert best_labels(plain, docs) is None
    assert best_labels(tagger(docs, normalize=True), docs) is None
    assert best_labels(tagger(docs).layers[0], docs) is None
    assert best_labels(TaggerModel(tagger(docs).layers[0]), docs) is None


def test_rust_refuses_layers_that_do_not_fit(docs) -> None:
    model = tagger(docs)
    model.get_ref("output_layer").set_param("W", np.zeros((50, 95), dtype="float32"))
    with pytest.raises(ValueError, match=r"the weights of the labels.*4800.*4750"):
        best_labels(model, docs)
