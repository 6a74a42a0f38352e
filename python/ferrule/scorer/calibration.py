"""Whether probabilities mean what they say: calibration error, temperature, thresholds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ferrule.golden_section import lowest

__all__ = [
    "CalibrationReport",
    "best_offsets",
    "best_temperature",
    "best_threshold",
    "calibration_error_by_chance",
    "calibration_error_interval",
    "debiased_calibration_error",
    "expected_calibration_error",
    "log_loss",
    "shifted",
]

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

N_BINS = 10
# No prediction may cost more than this many nats, or a single mistake would decide the temperature.
_HIGHEST_COST = 12.0
_COLDEST, _HOTTEST = 0.1, 10.0
_N_GRID, _N_SECTIONS = 24, 12
# Samples that tell how much chance does.
_N_DRAWS = 1000
# One over the variance of offsets before anything is known of them: of that of all, and of each beside it.
_RIDGE_OF_ALL, _RIDGE = 0.1, 2.0
_MOST_STEPS, _NEAR_0 = 100, 1e-6


class CalibrationReport(NamedTuple):
    """What `calibrate` found: the temperature, and the expected calibration error before and after it.

    n_predictions: how many predictions were looked at. ece_by_chance: the error to expect of probabilities
    like those after it if each were just right (`calibration_error_by_chance`).
    """

    temperature: float
    ece_before: float
    ece_after: float
    n_predictions: int
    ece_by_chance: float = 0.0


def expected_calibration_error(
    probabilities: npt.ArrayLike, correct: npt.ArrayLike, *, n_bins: int = N_BINS, equal_mass: bool = False
) -> float:
    """Return by how much probabilities and the share of right predictions differ, on average; 0 for none.

    probabilities: (n,), each of a prediction. correct: bool (n,), whether it was right. The predictions are
    put into `n_bins` bins of equal width, or, with `equal_mass`, of equally many predictions; the result is
    the mean of the bins' differences, weighted by how many predictions each has (Naeini et al. 2015).

    Raises ValueError for different lengths, or numbers outside of 0 to 1.

    >>> round(expected_calibration_error([0.9, 0.9, 0.3], [True, False, False]), 3)
    0.367
    """
    probs, right = _checked(probabilities, correct)
    if not len(probs):
        return 0.0
    bins = _bins(probs, n_bins)
    if equal_mass:
        bins[np.argsort(probs, kind="stable")] = np.arange(len(probs)) * n_bins // len(probs)
    differences = np.bincount(bins, weights=probs - right, minlength=n_bins)
    return float(np.abs(differences).sum() / len(probs))


def debiased_calibration_error(
    probabilities: npt.ArrayLike, correct: npt.ArrayLike, *, n_bins: int = N_BINS
) -> float:
    """Return the root mean square difference, less what chance adds to it; 0 where chance explains all.

    Of a bin with n predictions of mean probability p and a share y of right ones, ``(p - y)² - y (1 - y) /
    (n - 1)``, weighted by n (Kumar et al. 2019, "Verified Uncertainty Calibration"); bins of equal width,
    those with one prediction left out. A mean square is never below the plain error's mean, so the two are
    not to be compared. Arguments and errors are those of `expected_calibration_error`.

    >>> debiased_calibration_error([0.5] * 4, [True, False, False, True])
    0.0
    """
    probs, right = _checked(probabilities, correct)
    bins = _bins(probs, n_bins)
    sizes = np.bincount(bins, minlength=n_bins)
    known = sizes > 1
    sizes, differences, n_right = (
        sizes[known],
        np.bincount(bins, weights=probs - right, minlength=n_bins)[known],
        np.bincount(bins, weights=right, minlength=n_bins)[known],
    )
    share = n_right / sizes
    squares = (differences / sizes) ** 2 - share * (1.0 - share) / (sizes - 1)
    return float(np.sqrt(max(0.0, (squares * sizes).sum() / max(sizes.sum(), 1))))


def calibration_error_interval(
    probabilities: npt.ArrayLike, correct: npt.ArrayLike, *, share: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Return between what the `expected_calibration_error` lies in `share` of 1,000 bootstrapped samples.

    A sample repeats some predictions, so its bins differ more than those of all predictions: the interval
    tells how uncertain the figure is, and leans to the high side. Errors as there.
    """
    probs, right = _checked(probabilities, correct)
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(0, max(len(probs), 1), len(probs)) for _ in range(_N_DRAWS))
    errors = [expected_calibration_error(probs[rows], right[rows]) for rows in drawn]
    low, high = np.quantile(errors, [(1.0 - share) / 2.0, (1.0 + share) / 2.0])
    return float(low), float(high)


def calibration_error_by_chance(probabilities: npt.ArrayLike, *, seed: int = 0) -> float:
    """Return the `expected_calibration_error` to expect where every probability is just right.

    It is not 0: of few predictions in a bin chance makes more or fewer right than expected. The mean over
    1,000 draws of what is right.
    """
    probs, _ = _checked(probabilities, np.zeros(np.shape(probabilities), dtype=np.bool_))
    rng = np.random.default_rng(seed)
    draws = (rng.random(len(probs)) < probs for _ in range(_N_DRAWS))
    return float(np.mean([expected_calibration_error(probs, right) for right in draws]))


def log_loss(probabilities: npt.ArrayLike, correct: npt.ArrayLike) -> float:
    """Return the mean of ``-ln`` of the probability of what was the case, in nats; 0 for no predictions.

    Arguments and errors are those of `expected_calibration_error`.
    """
    probs, right = _checked(probabilities, correct)
    if not len(probs):
        return 0.0
    of_truth = np.where(right, probs, 1.0 - probs)
    return float(np.minimum(-np.log(np.maximum(of_truth, math.exp(-_HIGHEST_COST))), _HIGHEST_COST).mean())


def best_temperature(loss: Callable[[float], float]) -> float:
    """Return the temperature from 0.1 to 10 with the lowest `loss`, to about a thousandth of it.

    loss: a function of the temperature, such as the `log_loss` of probabilities so flattened. Tried on a grid
    first, since it may be flat far from its valley, then by golden section.
    """
    grid = np.linspace(math.log(_COLDEST), math.log(_HOTTEST), _N_GRID).tolist()
    best = int(np.argmin([loss(math.exp(log)) for log in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, _N_GRID - 1)]
    return math.exp(lowest(lambda log: loss(math.exp(log)), low, high, _N_SECTIONS))


def shifted(probabilities: npt.ArrayLike, offsets: npt.ArrayLike) -> Floats:
    """Return the probabilities whose log odds are larger by `offsets`; 0 and 1 stay what they are.

    >>> shifted([0.5, 1.0], [math.log(3.0), -1.0]).round(6).tolist()
    [0.75, 1.0]
    """
    probs = np.asarray(probabilities, dtype=np.float64)
    factors = np.exp(np.asarray(offsets, dtype=np.float64))
    return np.asarray(probs * factors / (probs * factors + np.maximum(1.0 - probs, 0.0)))


def best_offsets(
    probabilities: npt.ArrayLike, correct: npt.ArrayLike, groups: npt.ArrayLike, n_groups: int
) -> Floats:
    """Return what added to the log odds of each group's predictions makes the probabilities come true.

    groups: int (n,), of each prediction, below `n_groups`. What is found is most probable where the groups
    scatter by about 0.7 around an offset of all, which a group without predictions has: so few predictions
    decide nothing (a logistic regression with a ridge, by Newton's method). Float64 (n_groups,). Errors as
    for `expected_calibration_error`.
    """
    probs, right = _checked(probabilities, correct)
    probs = np.clip(probs, _NEAR_0, 1.0 - _NEAR_0)
    group = np.asarray(groups, dtype=np.int64)
    ridge = np.append(_RIDGE_OF_ALL, np.full(n_groups, _RIDGE))
    # First the offset of all, then what each group has beside it.
    found = np.zeros(1 + n_groups)
    for _ in range(_MOST_STEPS):
        now = shifted(probs, found[0] + found[1 + group])
        slope = np.bincount(group, weights=now - right, minlength=n_groups)
        weight = np.bincount(group, weights=now * (1.0 - now), minlength=n_groups)
        curve = np.diag(np.append(weight.sum(), weight) + ridge)
        curve[0, 1:] = curve[1:, 0] = weight
        step = np.linalg.solve(curve, np.append(slope.sum(), slope) + ridge * found)
        found -= step * min(1.0, 2.0 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < _NEAR_0:
            break
    return np.asarray(found[0] + found[1:])


def best_threshold(
    probabilities: npt.ArrayLike,
    correct: npt.ArrayLike,
    n_gold: int,
    *,
    beta: float = 1.0,
    min_precision: float | None = None,
) -> float:
    """Return the probability below which predictions are better dropped; 0 where all are better kept.

    n_gold: how many right predictions there could be. The threshold has the highest F score, recall
    counting `beta` times as much as precision; with `min_precision`, it is the lowest one that reaches that
    precision, or, where none does, the one with the highest precision. Of equals the lowest.

    Raises ValueError as `expected_calibration_error` does.
    """
    probs, right = _checked(probabilities, correct)
    if not len(probs):
        return 0.0
    order = np.argsort(-probs, kind="stable")
    probs, n_right = probs[order], np.cumsum(right[order])
    n_kept = np.arange(1, len(probs) + 1)
    precision = n_right / n_kept
    f_score = (1.0 + beta**2) * n_right / np.maximum(beta**2 * n_gold + n_kept, 1e-12)
    # Equals cannot be told apart: a cut comes behind the last of them.
    is_cut = np.append(probs[:-1] != probs[1:], True)
    quality = precision if min_precision is not None else f_score
    cuts = np.flatnonzero(is_cut)
    reaching = cuts[precision[cuts] >= (min_precision or 0.0)] if min_precision is not None else cuts[:0]
    best = int(reaching[-1]) if len(reaching) else int(cuts[::-1][np.argmax(quality[cuts][::-1])])
    if best == len(probs) - 1:
        return 0.0
    return float((probs[best] + probs[best + 1]) / 2.0)


def _bins(probs: Floats, n_bins: int) -> npt.NDArray[np.int64]:
    """The bin of equal width that each is in."""
    return np.minimum((probs * n_bins).astype(np.int64), n_bins - 1)


def _checked(probabilities: npt.ArrayLike, correct: npt.ArrayLike) -> tuple[Floats, Booleans]:
    probs, right = np.asarray(probabilities, dtype=np.float64), np.asarray(correct, dtype=np.bool_)
    if probs.shape != right.shape or probs.ndim != 1:
        raise ValueError(
            f"calibration: {probs.shape} probabilities for {right.shape} predictions; expected one for each"
        )
    # Sums of many products may pass 1 by rounding.
    if len(probs) and not (probs.min() >= 0.0 and probs.max() <= 1.0 + 1e-6):
        raise ValueError(f"calibration: probabilities from {probs.min()} to {probs.max()}; expected 0 to 1")
    return np.minimum(probs, 1.0), right
