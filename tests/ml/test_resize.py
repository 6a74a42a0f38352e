"""Changing the labels of a trained output layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from thinc.api import Model, Softmax_v2, chain, with_array

from ferrule.ml.resize import resize_rows, select_labels
from ferrule.ml.tagger import Tagger


def _layer(n_labels: int = 3) -> Model[Any, Any]:
    layer = Softmax_v2(n_labels, 4, normalize_outputs=False)
    layer.initialize()
    generator = np.random.default_rng(0)
    layer.set_param("W", generator.normal(size=(n_labels, 4)).astype("float32"))
    layer.set_param("b", generator.normal(size=n_labels).astype("float32"))
    return layer


def _rows() -> Any:
    return np.random.default_rng(1).normal(size=(50, 4)).astype("float32")


@pytest.mark.parametrize("n_labels", [4, 9, 40])
def test_weights_of_old_labels_stay_to_the_last_bit(n_labels: int) -> None:
    layer = _layer()
    weights, bias = layer.get_param("W").copy(), layer.get_param("b").copy()
    resize_rows(layer, n_labels)
    np.testing.assert_array_equal(layer.get_param("W")[:3], weights)
    np.testing.assert_array_equal(layer.get_param("b")[:3], bias)
    assert layer.get_dim("nO") == n_labels


def test_a_new_label_is_not_predicted_before_it_is_learnt() -> None:
    layer = _layer()
    before = layer.predict(_rows()).argmax(axis=1)
    resize_rows(layer, 5)
    np.testing.assert_array_equal(layer.predict(_rows()).argmax(axis=1), before)


def test_labels_can_be_reordered_and_removed() -> None:
    layer = _layer()
    before = layer.predict(_rows())
    select_labels(layer, [2, 0])
    np.testing.assert_allclose(layer.predict(_rows()), before[:, [2, 0]], rtol=1e-6)


def test_gradients_of_the_old_shape_are_dropped() -> None:
    layer = _layer()
    _, backprop = layer.begin_update(_rows())
    backprop(np.ones((50, 3), dtype="float32"))
    resize_rows(layer, 4)
    assert not layer.has_grad("W")
    _, backprop = layer.begin_update(_rows())
    backprop(np.ones((50, 4), dtype="float32"))
    assert layer.get_grad("W").shape == (4, 4)


def test_a_layer_without_weights_only_gets_its_dimension() -> None:
    layer = Softmax_v2(None, 4)
    resize_rows(layer, 7)
    assert layer.get_dim("nO") == 7
    assert not layer.has_param("W")


def test_no_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="one label or more"):
        resize_rows(_layer(), 0)


def test_resizing_a_tagger_reaches_every_node_above_the_output_layer() -> None:
    tok2vec = with_array(chain(_layer(4), _layer(4)))
    model = Tagger(tok2vec, nO=3)
    model.initialize(X=[_rows()])
    rows = [_rows()]
    before = model.predict(rows)[0]
    model.attrs["resize_output"](model, 5)
    assert model.get_dim("nO") == 5
    assert tok2vec.get_dim("nO") == 4
    assert model.predict(rows)[0].shape == (50, 5)
    np.testing.assert_array_equal(model.predict(rows)[0][:, :3], before)
    smaller = model.attrs["resize_output"](model, 2)
    assert smaller.predict(rows)[0].shape == (50, 2)
