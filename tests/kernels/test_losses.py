"""`ferrule.kernels`: losses with their gradients, against NumPy in float64, thinc, and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from thinc.api import CategoricalCrossentropy, SequenceCategoricalCrossentropy

from ferrule import kernels

# float32 arithmetic over rows of some tens.
TOLERANCE = 5e-6


def random(shape: tuple[int, ...], dtype: str = "float32", seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(shape) * 3).astype(dtype)


def log_probs(x: np.ndarray) -> np.ndarray:
    x = x.astype("float64")
    return x - np.log(np.exp(x - x.max(-1, keepdims=True)).sum(-1, keepdims=True)) - x.max(-1, keepdims=True)


def slopes(loss, x: np.ndarray, step: float = 1e-5) -> np.ndarray:
    result = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += step
        down[index] -= step
        result[index] = (loss(up) - loss(down)) / (2 * step)
    return result


def test_cross_entropy_is_the_mean_of_minus_log_probabilities() -> None:
    x, labels = random((40, 17)), np.arange(40) % 17
    labels[5] = -1
    loss, d_x = kernels.cross_entropy(x, labels)
    kept = labels >= 0
    expected = -log_probs(x)[kept, labels[kept]].mean()
    assert loss == pytest.approx(expected, rel=TOLERANCE)
    target = np.eye(17)[labels] * kept[:, None]
    exact = (np.exp(log_probs(x)) * kept[:, None] - target) / kept.sum()
    np.testing.assert_allclose(d_x, exact, atol=TOLERANCE)
    assert (d_x[5] == 0).all()


def test_hard_and_soft_targets_agree() -> None:
    x, labels = random((11, 6)), np.arange(11) % 6
    class_weights = np.linspace(0.5, 2, 6)
    hard = kernels.cross_entropy(x, labels, class_weights=class_weights, reduction="sum", label_smoothing=0.1)
    soft_targets = np.where(np.eye(6)[labels] == 1, 0.9, 0.1 / 5)
    soft = kernels.cross_entropy(x, soft_targets, class_weights=class_weights, reduction="sum")
    assert hard[0] == pytest.approx(soft[0], rel=TOLERANCE)
    np.testing.assert_allclose(hard[1], soft[1], atol=TOLERANCE)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_gradients_agree_with_finite_differences(reduction) -> None:
    x, other = random((4, 5), "float64"), random((4, 5), "float64", seed=1)
    targets = kernels.softmax(other)
    labels = np.array([1, 4, -1, 0])
    settings = {
        "row_weights": [1.0, 2.0, 0.5, 3.0],
        "mask": [True, True, True, False],
        "reduction": reduction,
    }
    settings["mask"] = np.array(settings["mask"])
    classes = np.array([1.0, 0.5, 0.0, 2.0, 1.0])
    losses = [
        lambda x: kernels.cross_entropy(x, labels, class_weights=classes, label_smoothing=0.2, **settings),
        lambda x: kernels.cross_entropy(x, labels, negative=labels == 4, **settings),
        lambda x: kernels.cross_entropy(x, targets, class_weights=classes, **settings),
        lambda x: kernels.binary_cross_entropy(x, targets, class_weights=classes, **settings),
        lambda x: kernels.squared_error(x, targets, class_weights=classes, **settings),
        lambda x: kernels.kl_divergence(x, other, temperature=2.0, **settings),
        lambda x: kernels.kl_divergence(x, other, direction="reverse", **settings),
        lambda x: kernels.kl_divergence(x, other, temperature=3.0, labels=labels, gold=0.3, **settings),
    ]
    for loss in losses:
        value, d_x = loss(x)
        assert isinstance(value, float)
        np.testing.assert_allclose(d_x, slopes(lambda x, loss=loss: loss(x)[0], x), atol=1e-7)
        assert (d_x[3] == 0).all()


def test_kl_is_the_divergence_of_the_softened_distributions() -> None:
    student, teacher = random((20, 50)), random((20, 50), seed=2)
    before = teacher.copy()
    for temperature in (1.0, 4.0):
        ln_q, ln_p = log_probs(student / temperature), log_probs(teacher / temperature)
        forward = (np.exp(ln_p) * (ln_p - ln_q)).sum(-1).mean()
        reverse = (np.exp(ln_q) * (ln_q - ln_p)).sum(-1).mean()
        loss, d_student = kernels.kl_divergence(student, teacher, temperature=temperature)
        assert loss == pytest.approx(forward, rel=2e-5)
        np.testing.assert_allclose(
            d_student, (np.exp(ln_q) - np.exp(ln_p)) / temperature / 20, atol=TOLERANCE
        )
        assert kernels.kl_divergence(student, teacher, temperature=temperature, direction="reverse")[
            0
        ] == pytest.approx(reverse, rel=2e-5)
    np.testing.assert_array_equal(teacher, before)


@pytest.mark.parametrize("loss_of", [kernels.binary_cross_entropy, kernels.squared_error])
def test_unknown_numbers_take_no_part(loss_of) -> None:
    x, targets = random((4, 9)), (random((4, 9), seed=1) > 0).astype("float32")
    known = np.random.default_rng(2).random((4, 9)) < 0.7
    # A row alone, and of it the known numbers alone.
    expected = sum(loss_of(x[i][known[i]], targets[i][known[i]], reduction="sum")[0] for i in range(4))
    _, d_all = loss_of(x, targets, reduction="sum")
    spoilt = np.where(known, x, np.nan), np.where(known, targets, np.inf)
    loss, d_x = loss_of(*spoilt, known=known, reduction="sum")
    assert loss == pytest.approx(expected, rel=1e-6)
    np.testing.assert_array_equal(d_x, np.where(known, d_all, 0))
    parts = ([array[:1], array[1:]] for array in (*spoilt, known))
    scores, truths, flags = parts
    ragged, d_parts = loss_of(scores, truths, known=flags, reduction="sum")
    assert ragged == loss
    np.testing.assert_array_equal(np.concatenate(d_parts), d_x)


def test_ragged_batches_are_their_concatenation() -> None:
    lengths = [3, 0, 5]
    student = [random((n, 7), seed=n) for n in lengths]
    teacher = [random((n, 7), seed=n + 10) for n in lengths]
    masks = [np.arange(n) % 2 == 0 for n in lengths]
    loss, gradients = kernels.kl_divergence(student, teacher, mask=masks)
    whole, d_whole = kernels.kl_divergence(
        np.concatenate(student), np.concatenate(teacher), mask=np.concatenate(masks)
    )
    assert loss == whole
    assert [len(d) for d in gradients] == lengths
    np.testing.assert_array_equal(np.concatenate(gradients), d_whole)
    assert kernels.cross_entropy([], []) == (0.0, [])


@pytest.mark.parametrize("smoothing", [0.0, 0.05])
@pytest.mark.parametrize("normalize", [True, False])
def test_categorical_crossentropy_is_thincs_bit_for_bit(smoothing: float, normalize: bool) -> None:
    names = [f"L{i}" for i in range(6)]
    probs = kernels.softmax(random((12, 6)))
    # thinc itself refuses a negative label with smoothing.
    truths = [f"{'!' if i % 4 == 3 and not smoothing else ''}L{i % 6}" if i % 5 else None for i in range(12)]
    thinc_loss = CategoricalCrossentropy(
        names=names, neg_prefix="!", missing_value=None, label_smoothing=smoothing, normalize=normalize
    )
    expected_gradient, expected_loss = thinc_loss(probs, list(truths))
    labels = np.array([-1 if t is None else names.index(t.lstrip("!")) for t in truths])
    negative = np.array([t is not None and t.startswith("!") for t in truths])
    loss, d_probs = kernels.categorical_crossentropy(
        probs, labels, negative=negative, label_smoothing=smoothing, divisor=12 if normalize else 1
    )
    np.testing.assert_array_equal(d_probs, expected_gradient)
    assert loss == pytest.approx(float(expected_loss), rel=1e-6)


def test_sequence_crossentropy_is_thincs() -> None:
    guesses = [kernels.softmax(random((n, 5), seed=n)) for n in (4, 1, 7)]
    labels = [np.arange(n) % 5 for n in (4, 1, 7)]
    gradients, loss = SequenceCategoricalCrossentropy(normalize=True)(guesses, labels)
    ours, d_ours = kernels.categorical_crossentropy(guesses, labels, divisor=3)
    assert ours == pytest.approx(float(loss), rel=1e-6)
    for d_x, expected in zip(d_ours, gradients, strict=True):
        np.testing.assert_array_equal(d_x, expected)


def test_threads_do_not_change_bits() -> None:
    x, y = random((12_000, 60)), random((12_000, 60), seed=1)
    for call in (kernels.kl_divergence, kernels.squared_error):
        one, two = call(x, y, n_threads=1), call(x, y, n_threads=2)
        assert one[0] == two[0]
        np.testing.assert_array_equal(one[1], two[1])


X = np.zeros((2, 3), dtype="float32")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: kernels.cross_entropy(X, [0, 3]), IndexError, r"labels\[1\] is 3; expected 0 to 2"),
        (lambda: kernels.cross_entropy(X, [0]), ValueError, r"expected \(2,\), one a row"),
        (lambda: kernels.cross_entropy(X, [0, 1], reduction="max"), ValueError, 'expected "sum" or "mean"'),
        (lambda: kernels.cross_entropy(X, [0, 1], mask=[1, 0]), TypeError, "expected bool"),
        (lambda: kernels.cross_entropy(X, [0, 1], row_weights=[1.0, -1.0]), ValueError, "not negative"),
        (
            lambda: kernels.cross_entropy(X, [0, 1], class_weights=np.ones(2)),
            ValueError,
            "expected 3 numbers",
        ),
        (lambda: kernels.cross_entropy(X, X, label_smoothing=0.1), ValueError, "go with integer labels"),
        (lambda: kernels.cross_entropy([X], [[0]]), ValueError, r"targets\[0\] has 1 rows"),
        (lambda: kernels.cross_entropy([X], [[0, 1]], out=X), ValueError, "out goes with one array"),
        (
            lambda: kernels.kl_divergence(X, np.zeros((2, 4))),
            ValueError,
            "teacher has 4 columns, student has 3",
        ),
        (lambda: kernels.kl_divergence(X, X, direction="up"), ValueError, 'expected "forward"'),
        (lambda: kernels.kl_divergence(X, X, gold=0.5), ValueError, "there are no labels"),
        (lambda: kernels.kl_divergence(X, X, gold=1.5, labels=[0, 1]), ValueError, "from 0 to 1"),
        (lambda: kernels.categorical_crossentropy(X + 2, [0, 1]), ValueError, "expected from 0 to 1"),
        (lambda: kernels.squared_error(X, X.astype(int)), TypeError, "expected floats"),
        (lambda: kernels.squared_error(X, X, known=X), TypeError, "known has dtype float32"),
        (lambda: kernels.squared_error(X, X, known=[True, False]), ValueError, r"known has shape \(2,\)"),
    ],
)
def test_what_makes_no_sense_is_refused(call, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
