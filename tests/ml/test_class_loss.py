"""The losses of class probabilities: values, gradients, and what thinc's gradient is."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from thinc.api import SequenceCategoricalCrossentropy

from ferrule.ml.class_loss import MISSING, gold_class_loss, teacher_loss

# float32 sums of three or four numbers.
TOLERANCE = 1e-6
# Central differences in float64 of functions whose logarithms are float32-safe.
DIFFERENCE = 1e-3
GRADIENT_TOLERANCE = 2e-3

Array = npt.NDArray[Any]


def _softmax(scores: Array) -> Array:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.fixture
def scores() -> Array:
    return np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


CLASSES = np.array([0, 3, MISSING, 1, 2, 2], dtype="int32")


def _numeric_gradient(loss: Any, scores: Array) -> Array:
    gradient = np.zeros(scores.shape)
    for index in np.ndindex(*scores.shape):
        sides = []
        for sign in (1, -1):
            moved = scores.astype("float64")
            moved[index] += sign * DIFFERENCE
            sides.append(loss(moved))
        gradient[index] = (sides[0] - sides[1]) / (2 * DIFFERENCE)
    return gradient


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_gold_gradient_is_the_slope_of_the_loss(scores: Array, label_smoothing: float) -> None:
    def loss(moved: Array) -> float:
        return gold_class_loss(_softmax(moved), CLASSES, label_smoothing=label_smoothing)[0]

    _, d_scores = gold_class_loss(_softmax(scores), CLASSES, label_smoothing=label_smoothing)
    np.testing.assert_allclose(d_scores, _numeric_gradient(loss, scores), atol=GRADIENT_TOLERANCE)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_teacher_gradient_is_the_slope_of_the_loss(scores: Array, temperature: float) -> None:
    teacher = _softmax(scores[::-1])

    def loss(moved: Array) -> float:
        return teacher_loss(teacher, _softmax(moved), temperature=temperature)[0]

    _, d_scores = teacher_loss(teacher, _softmax(scores), temperature=temperature)
    np.testing.assert_allclose(d_scores, _numeric_gradient(loss, scores), atol=GRADIENT_TOLERANCE)


@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
def test_gold_gradient_is_thincs(scores: Array, label_smoothing: float) -> None:
    probs = _softmax(scores)
    names = ["A", "B", "C", "D"]
    truths = ["" if index == MISSING else names[index] for index in CLASSES]
    thincs = SequenceCategoricalCrossentropy(
        names=names, normalize=False, missing_value="", label_smoothing=label_smoothing
    )
    known = CLASSES != MISSING  # thinc cannot smooth rows without a label
    expected, _ = thincs([probs[known]], [[truth for truth in truths if truth]])
    _, d_scores = gold_class_loss(probs, CLASSES, label_smoothing=label_smoothing)
    np.testing.assert_allclose(d_scores[known], expected[0], atol=TOLERANCE)


def test_a_negative_example_has_thincs_gradient(scores: Array) -> None:
    probs = _softmax(scores[:2])
    thincs = SequenceCategoricalCrossentropy(names=["A", "B", "C", "D"], normalize=False, neg_prefix="!")
    expected, _ = thincs([probs], [["!A", "D"]])
    loss, d_scores = gold_class_loss(probs, CLASSES[:2], negative=np.array([True, False]))
    np.testing.assert_allclose(d_scores, expected[0], atol=TOLERANCE)
    assert loss == pytest.approx(-np.log(1 - probs[0, 0]) - np.log(probs[1, 3]), abs=TOLERANCE)


def test_rows_without_a_label_have_no_loss_and_no_gradient(scores: Array) -> None:
    nothing = np.full(6, MISSING, dtype="int32")
    loss, d_scores = gold_class_loss(_softmax(scores), nothing, label_smoothing=0.1)
    assert loss == 0.0
    assert not d_scores.any()


def test_no_rows_give_no_loss() -> None:
    empty = np.zeros((0, 3), dtype="float32")
    assert gold_class_loss(empty, np.zeros(0, dtype="int32"))[0] == 0.0
    assert teacher_loss(empty, empty, temperature=2.0)[0] == 0.0


def test_certain_and_wrong_stays_finite() -> None:
    probs = np.array([[1.0, 0.0]], dtype="float32")
    loss, d_scores = gold_class_loss(probs, np.array([1], dtype="int32"))
    assert np.isfinite(loss)
    assert d_scores.tolist() == [[1.0, -1.0]]
    assert np.isfinite(teacher_loss(probs[:, ::-1].copy(), probs, temperature=3.0)[0])


def test_arguments_stay_as_they_are(scores: Array) -> None:
    probs, teacher = _softmax(scores), _softmax(scores[::-1])
    before = probs.copy(), teacher.copy()
    gold_class_loss(probs, CLASSES, negative=CLASSES == 3, label_smoothing=0.1)
    teacher_loss(teacher, probs, temperature=2.0)
    np.testing.assert_array_equal(probs, before[0])
    np.testing.assert_array_equal(teacher, before[1])


def test_teacher_and_student_of_different_shapes_are_refused(scores: Array) -> None:
    probs = _softmax(scores)
    with pytest.raises(ValueError, match=r"\(6, 3\).*\(6, 4\)"):
        teacher_loss(probs[:, :3], probs)
    with pytest.raises(ValueError, match="temperature"):
        teacher_loss(probs, probs, temperature=0.0)
