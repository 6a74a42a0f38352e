"""Changing the labels of a trained output layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from thinc.api import Model, Softmax_v2, chain, with_array

from ferrule.ml.resize import resize_output, select_outputs
from ferrule.ml.tagger import Tagger

# One float32 rounding for each of the four products of a score.
TOLERANCE = 1e-5


def _model(n_labels: int = 3) -> Model[Any, Any]:
    model = Softmax_v2(n_labels, 4, normalize_outputs=False)
    model.initialize()
    generator = np.random.default_rng(0)
    model.set_param("W", generator.normal(size=(n_labels, 4)).astype("float32"))
    model.set_param("b", generator.normal(size=n_labels).astype("float32"))
    model.set_ref("output_layer", model)
    return model


def _rows() -> Any:
    return np.random.default_rng(1).normal(size=(50, 4)).astype("float32")


@pytest.mark.parametrize("n_labels", [4, 9, 40])
def test_weights_of_old_labels_stay_to_the_last_bit(n_labels: int) -> None:
    model = _model()
    weights, bias = model.get_param("W").copy(), model.get_param("b").copy()
    resize_output(model, n_labels)
    np.testing.assert_array_equal(model.get_param("W")[:3], weights)
    np.testing.assert_array_equal(model.get_param("b")[:3], bias)
    assert model.get_dim("nO") == n_labels


def test_a_new_label_is_not_predicted_before_it_is_learnt() -> None:
    model = _model()
    before = model.predict(_rows()).argmax(axis=1)
    resize_output(model, 5)
    np.testing.assert_array_equal(model.predict(_rows()).argmax(axis=1), before)


def test_labels_can_be_reordered_and_removed() -> None:
    model = _model()
    before = model.predict(_rows())
    select_outputs(model, [(2,), (0,)])
    np.testing.assert_allclose(model.predict(_rows()), before[:, [2, 0]], atol=TOLERANCE)


def test_merged_labels_take_the_place_of_both() -> None:
    model = _model()
    model.get_param("W")[1] = model.get_param("W")[0]
    before = model.predict(_rows())
    select_outputs(model, [(0, 1), (2,)])
    after = model.predict(_rows())
    # Equal weights make the stand-in exact up to the biases: exp(a) + exp(b) against 2 exp((a + b) / 2).
    difference = np.logaddexp(before[:, 0], before[:, 1]) - after[:, 0]
    np.testing.assert_allclose(difference, difference[0], atol=TOLERANCE)
    np.testing.assert_array_equal(after[:, 1] > after[:, 0], before[:, 2] > after[:, 0])


def test_gradients_of_the_old_shape_are_dropped() -> None:
    model = _model()
    _, backprop = model.begin_update(_rows())
    backprop(np.ones((50, 3), dtype="float32"))
    resize_output(model, 4)
    assert not model.has_grad("W")
    _, backprop = model.begin_update(_rows())
    backprop(np.ones((50, 4), dtype="float32"))
    assert model.get_grad("W").shape == (4, 4)


def test_a_layer_without_weights_only_gets_its_dimension() -> None:
    model = Softmax_v2(None, 4)
    model.set_ref("output_layer", model)
    resize_output(model, 7)
    assert model.get_dim("nO") == 7
    assert not model.has_param("W")


def test_no_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="one output or more"):
        resize_output(_model(), 0)


def test_resizing_a_tagger_reaches_every_node_above_the_output_layer() -> None:
    tok2vec = with_array(chain(_model(4), _model(4)))
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
