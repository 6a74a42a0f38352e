"""thinc's optimizers with each step in one Rust call: the same numbers, attributes and saved state.

>>> from ferrule.registry import registry
>>> registry.resolve({"optimizer": {"@optimizers": "Adam.v1", "learn_rate": 0.01}})["optimizer"]
<ferrule.optimizer.Optimizer object at ...>
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np
import thinc.optimizers as thinc_optimizers
from thinc.api import Model
from thinc.optimizers import FloatOrSeq

from ferrule import _core
from ferrule.kept_weights import KeptWeights
from ferrule.rectified_step import rectified_step
from ferrule.registry import registry
from ferrule.sparse_gradient import SparseGradient

__all__ = ["SGD", "Adam", "Optimizer", "RAdam"]

_FLOAT32 = np.dtype(np.float32)
# Averages follow the weights ever more slowly, down to this.
_MOST_DECAY = 0.9999


class Optimizer(thinc_optimizers.Optimizer):
    """A thinc `Optimizer` whose steps run in Rust, in several threads for large parameters.

    Same arguments, attributes, schedules and numbers (up to float32 rounding). Parameters that are not plain
    float32 NumPy arrays take thinc's own path.

    >>> import numpy as np
    >>> optimizer = Optimizer(0.5, beta1=0.0, beta2=0.0, grad_clip=0.0, use_averages=False)
    >>> optimizer((0, "W"), np.ones(2, dtype="f"), np.ones(2, dtype="f"))[0].tolist()
    [0.5, 0.5]
    """

    # `columns`: of parameters with sparse gradients, whose moments have a row for each column touched so far,
    # int64 (2, n_rows): the column (-1 for a row not used yet) and the step that touched it last.
    # `_row_of`: that array, and the row of each column (-1 for none), made from it when it is another one.
    __slots__ = ("_row_of", "columns")

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.columns: dict[tuple[int, str], Any] = {}
        self._row_of: dict[tuple[int, str], tuple[Any, Any]] = {}

    @property
    def takes_sparse_gradients(self) -> bool:
        """Whether a `SparseGradient` can be stepped as it is: Adam or SGD, without averages.

        Averages and L2 that is no weight decay reach weights that have no gradient; RAdam has another form.
        """
        return (
            self.averages is None
            and not self.use_radam
            and (self.b1 > 0.0) == (self.b2 > 0.0)
            and (self.L2 == 0.0 or self.L2_is_weight_decay)
        )

    def __call__(
        self, key: tuple[int, str], weights: Any, gradient: Any, *, lr_scale: float = 1.0
    ) -> tuple[Any, Any]:
        """Step `weights` along `gradient` in place, set `gradient` to zero, and return both.

        key: the node's id and the parameter's name; lr_scale: multiplies the learning rate, this once.
        Raises ValueError if the shapes differ; nothing is changed then.

        Of weights with a `SparseGradient` only the touched columns are stepped, in a lazy form of Adam: their
        moments fade, and they decay, by all the steps since they were last touched, while weights without
        gradient do not drift along their old momentum. The same numbers as the dense step where each step
        touches all columns, and for SGD without L2.

        Weights of another size than before, as those of new labels, begin anew: without moments and averages.
        """
        if isinstance(gradient, SparseGradient):
            if not self.takes_sparse_gradients:
                stepped = self(key, weights, gradient.dense(), lr_scale=lr_scale)
                gradient.clear()
                return stepped[0], gradient
            self._step_columns(key, weights, gradient, lr_scale)
            return weights, gradient
        if not (_is_plain(weights) and _is_plain(gradient)) or (self.b1 <= 0.0 and self.b2 > 0.0):
            return super().__call__(key, weights, gradient, lr_scale=lr_scale)
        if len(gradient) < 1:
            return weights, gradient
        if weights.shape != gradient.shape:
            raise ValueError(
                f"Optimizer: the gradient of {key} has shape {gradient.shape}; expected that of the weights, "
                f"{weights.shape}."
            )
        if any(array.size != weights.size for array in self._kept(key)):
            self._forget(key)
        n_updates = self.nr_update[key] + 1
        numbers = self._numbers(n_updates, lr_scale)
        _core.optimizer_steps([self._step(key, weights, gradient, n_updates, numbers)])
        self.nr_update[key] = n_updates
        return weights, gradient

    def step_together(self, models: Iterable[Model[Any, Any]]) -> bool:
        """Step all parameters of `models` that have gradients, or none; returns whether they were stepped.

        None are, and False is returned, where a step might fail after another was taken: for parameters that
        are not plain float32 NumPy arrays, occur twice, or do not fit their gradient or their moments, and
        for layers of other frameworks. Ctrl-C cannot come between two steps.
        """
        found: dict[tuple[int, str], tuple[Any, Any]] = {}
        arrays: set[int] = set()
        for model in models:
            for node in model.walk():
                params = node._params
                if node.shims or params.proxy is not None:
                    return False
                # The two tables themselves: to ask the node takes twice as long, in each step.
                for key, gradient in params._grads.items():
                    weights: Any = params._params.get(key)
                    if isinstance(gradient, SparseGradient):
                        weights, fits = params, self._fits_columns(key, params, gradient)
                    else:
                        fits = self._cannot_fail(key, weights, gradient) and id(weights) not in arrays
                        arrays.add(id(weights))
                    if key in found or not fits or id(gradient) in arrays:
                        return False
                    found[key] = weights, gradient
                    arrays.add(id(gradient))
        counts = {key: self.nr_update[key] + 1 for key in found}
        with ExitStack() as held:
            steps, plain = [], []
            # The same for all parameters that were stepped as often.
            numbers = {n_updates: self._numbers(n_updates, 1.0) for n_updates in set(counts.values())}
            for key, (weights, gradient) in found.items():
                if isinstance(gradient, SparseGradient):
                    rows, table = held.enter_context(weights.held())
                    steps.append(self._step_of_columns(key, rows, table, gradient, counts[key], 1.0))
                else:
                    plain.append(self._step(key, weights, gradient, counts[key], numbers[counts[key]]))
            steps.append(partial(_core.optimizer_steps, plain))
            # One call without a line of Python between the steps, where a signal would be noticed.
            list(map(partial.__call__, steps))
        self.nr_update.update(counts)
        for _, gradient in found.values():
            if isinstance(gradient, SparseGradient):
                gradient.clear()
        return True

    def _fits_columns(self, key: tuple[int, str], served: Any, gradient: SparseGradient) -> bool:
        return (
            self.takes_sparse_gradients
            and isinstance(served, KeptWeights)
            and served.fits(gradient.length, gradient.n_outputs)
            and (
                key not in self.columns
                or self.mom1[key].shape
                == self.mom2[key].shape
                == (self.columns[key].shape[1], gradient.n_outputs)
            )
        )

    def _cannot_fail(self, key: tuple[int, str], weights: Any, gradient: Any) -> bool:
        return (
            _is_plain(weights)
            and _is_plain(gradient)
            and weights.size > 0
            and weights.shape == gradient.shape
            and not (self.b1 <= 0.0 and self.b2 > 0.0)
            and all(_is_plain(array) and array.size == weights.size for array in self._kept(key))
        )

    def _kept(self, key: tuple[int, str]) -> list[Any]:
        """The moments and averages there are."""
        return [store[key] for store in (self.mom1, self.mom2, self.averages) if store and key in store]

    def _forget(self, key: tuple[int, str]) -> None:
        """Let the weights begin anew."""
        for store in (self.mom1, self.mom2, self.averages, self.nr_update, self.columns, self._row_of):
            if store:
                store.pop(key, None)

    def _step(
        self, key: tuple[int, str], weights: Any, gradient: Any, n_updates: int, numbers: tuple[Any, ...]
    ) -> tuple[Any, ...]:
        """A step as `_core.optimizer_steps` takes it."""
        moments = None if numbers[0] == "gradient" else self._moments(key, weights)
        return weights, gradient, moments, self._averages(key, weights, n_updates), numbers

    def _numbers(self, n_updates: int, lr_scale: float) -> tuple[Any, ...]:
        """The numbers of a step as `_core.optimizer_steps` takes them."""
        direction, rate = self._direction(n_updates, lr_scale)
        return (
            direction,
            rate,
            (self.b1, 1.0 - self.b1),
            (self.b2, 1.0 - self.b2),
            self.eps,
            self.grad_clip or 0.0,
            0.0 if self.L2_is_weight_decay else self.L2,
            lr_scale * self.learn_rate * (self.L2 if self.L2_is_weight_decay else 0.0),
        )

    def _step_columns(
        self, key: tuple[int, str], weights: Any, gradient: SparseGradient, lr_scale: float
    ) -> None:
        if key in self.columns and self.mom1[key].shape[1] != gradient.n_outputs:
            self._forget(key)
        n_updates = self.nr_update[key] + 1
        self._step_of_columns(key, None, weights, gradient, n_updates, lr_scale)()
        self.nr_update[key] = n_updates
        gradient.clear()

    def _step_of_columns(
        self,
        key: tuple[int, str],
        rows: Any,
        table: Any,
        gradient: SparseGradient,
        n_updates: int,
        lr_scale: float,
    ) -> partial[None]:
        """The call that makes a step of touched columns: of `rows` (`_core.KeptRows`), or None for the
        table."""
        columns, d_rows = gradient.summed()
        direction, rate = self._direction(n_updates, lr_scale)
        slots = self._rows_of(key, columns, gradient)
        numbers = {
            "step": n_updates,
            "rate": rate,
            "keep": (self.b1, self.b2) if direction == "adam" else (0.0, 0.0),
            "eps": self.eps,
            "clip": self.grad_clip or 0.0,
            "decay": lr_scale * self.learn_rate * self.L2,
        }
        moments = slots, self.mom1[key], self.mom2[key], self.columns[key][1]
        return partial(
            _core.sparse_step if rows is None else rows.step, table, columns, d_rows, moments, numbers
        )

    def _rows_of(self, key: tuple[int, str], columns: Any, gradient: SparseGradient) -> Any:
        """Return the rows of the moments of `columns`, uint32; those not seen before get one."""
        state = self.columns.get(key)
        if state is None:
            state = self.columns[key] = np.zeros((2, 0), dtype=np.int64)
            for moments in (self.mom1, self.mom2):
                moments[key] = np.zeros((0, gradient.n_outputs), dtype=np.float32)
        made_from, row_of = self._row_of.get(key, (None, None))
        if made_from is not state:
            row_of = np.full(gradient.length, -1, dtype=np.int32)
            used = np.flatnonzero(state[0] >= 0)
            row_of[state[0, used]] = used
        rows = row_of[columns]
        new = np.flatnonzero(rows < 0)
        if len(new):
            n_used = int(np.count_nonzero(state[0] >= 0))
            if n_used + len(new) > state.shape[1]:
                state = self._with_more_rows(key, 2 * (n_used + len(new)))
            rows[new] = np.arange(n_used, n_used + len(new))
            state[0, rows[new]] = columns[new]
            row_of[columns[new]] = rows[new]
        self._row_of[key] = (state, row_of)
        return rows.astype(np.uint32)

    def _with_more_rows(self, key: tuple[int, str], n_rows: int) -> Any:
        state = np.zeros((2, n_rows), dtype=np.int64)
        state[0] = -1
        old = self.columns[key]
        state[:, : old.shape[1]] = old
        self.columns[key] = state
        for moments in (self.mom1, self.mom2):
            grown = np.zeros((n_rows, moments[key].shape[1]), dtype=np.float32)
            grown[: len(moments[key])] = moments[key]
            moments[key] = grown
        return state

    def _direction(self, n_updates: int, lr_scale: float) -> tuple[str, float]:
        """Where the step goes, and how far."""
        if self.use_radam:
            # thinc counts RAdam's steps from two.
            rectified, size = rectified_step(n_updates + 1, self.b1, self.b2)
            return ("adam" if rectified else "momentum"), size * self.learn_rate
        if self.b1 > 0.0 and self.b2 > 0.0:
            first, second = 1.0 - self.b1**n_updates, 1.0 - self.b2**n_updates
            return "adam", self.learn_rate * second**0.5 / first * lr_scale
        return "gradient", lr_scale * self.learn_rate

    def _moments(self, key: tuple[int, str], weights: Any) -> tuple[Any, Any]:
        for moments in (self.mom1, self.mom2):
            if key not in moments:
                moments[key] = np.zeros(weights.size, dtype=np.float32)
        return self.mom1[key], self.mom2[key]

    def _averages(self, key: tuple[int, str], weights: Any, n_updates: int) -> tuple[Any, float] | None:
        if self.averages is None:
            return None
        if key not in self.averages:
            self.averages[key] = np.zeros(weights.shape, dtype=np.float32)
        return self.averages[key], 1.0 - min(_MOST_DECAY, (1.0 + n_updates) / (10.0 + n_updates))


def _is_plain(array: Any) -> bool:
    # `carray`: C-contiguous, aligned and writeable.
    return (
        type(array) is np.ndarray and array.dtype == _FLOAT32 and array.ndim > 0 and bool(array.flags.carray)
    )


_ADAM = thinc_optimizers.ADAM_DEFAULTS
_SGD = thinc_optimizers.SGD_DEFAULTS


@registry.optimizers("Adam.v1")
def Adam(
    learn_rate: FloatOrSeq = _ADAM["learn_rate"],
    *,
    L2: FloatOrSeq = _ADAM["L2"],
    beta1: FloatOrSeq = _ADAM["beta1"],
    beta2: FloatOrSeq = _ADAM["beta2"],
    eps: FloatOrSeq = _ADAM["eps"],
    grad_clip: FloatOrSeq = _ADAM["grad_clip"],
    L2_is_weight_decay: bool = True,
    use_averages: bool = True,
) -> Optimizer:
    """Return an Adam optimizer with thinc's arguments and defaults; each number may be a schedule."""
    return Optimizer(
        learn_rate,
        L2=L2,
        beta1=beta1,
        beta2=beta2,
        eps=eps,
        grad_clip=grad_clip,
        L2_is_weight_decay=L2_is_weight_decay,
        use_averages=use_averages,
    )


@registry.optimizers("RAdam.v1")
def RAdam(
    learn_rate: FloatOrSeq = _ADAM["learn_rate"],
    *,
    beta1: FloatOrSeq = _ADAM["beta1"],
    beta2: FloatOrSeq = _ADAM["beta2"],
    eps: FloatOrSeq = _ADAM["eps"],
    L2: FloatOrSeq = _ADAM["L2"],
    L2_is_weight_decay: bool = True,
    grad_clip: FloatOrSeq = _ADAM["grad_clip"],
    use_averages: bool = True,
) -> Optimizer:
    """Return a RAdam optimizer with thinc's arguments and defaults; each number may be a schedule."""
    return Optimizer(
        learn_rate,
        L2=L2,
        beta1=beta1,
        beta2=beta2,
        eps=eps,
        grad_clip=grad_clip,
        L2_is_weight_decay=L2_is_weight_decay,
        use_averages=use_averages,
        use_radam=True,
    )


@registry.optimizers("SGD.v1")
def SGD(
    learn_rate: FloatOrSeq,
    *,
    L2: FloatOrSeq = _SGD["L2"],
    grad_clip: FloatOrSeq = _SGD["grad_clip"],
    L2_is_weight_decay: bool = True,
    use_averages: bool = True,
) -> Optimizer:
    """Return plain gradient descent with thinc's arguments and defaults; each number may be a schedule."""
    return Optimizer(
        learn_rate,
        L2=L2,
        grad_clip=grad_clip,
        L2_is_weight_decay=L2_is_weight_decay,
        beta1=0.0,
        beta2=0.0,
        use_averages=use_averages,
    )
