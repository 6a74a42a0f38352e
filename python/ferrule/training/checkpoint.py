"""Saving a training run so that it goes on as if it had never stopped, to the same bits.

A checkpoint is a folder: `pipeline/` with the weights as they are (not averaged), `optimizer.msgpack` and
`run.json`. The order of the data is not saved: it follows from the seed, so the batches already used are
drawn again and passed over.
"""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
import srsly

from ferrule.errors import SerializationError
from ferrule.storage import reading, saving
from ferrule.training.ranking import rank

if TYPE_CHECKING:
    from thinc.optimizers import Optimizer

    from ferrule._typing import PathOrStr
    from ferrule.language import Language

__all__ = ["TrainingState", "load_run", "restore_random", "save_run", "set_seed"]

PER_PARAMETER = ("mom1", "mom2", "averages", "nr_update", "last_seen", "columns")
"""What thinc's Optimizer keeps for each parameter, and what ours does for sparse gradients."""


@dataclass
class TrainingState:
    """Where a run stands, apart from weights and optimizer.

    `step` counts finished updates; `losses` sums since the last evaluation; `history` has one entry an
    evaluation (step, epoch, seconds, words, score, losses, scores); `best_scores`, `best_confusion` and
    `best_labels` are those of the best one; `finished` says that nothing is left to do.
    """

    step: int = 0
    epoch: int = 0
    words: int = 0
    seconds: float = 0.0
    losses: dict[str, float] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    best_scores: dict[str, Any] = field(default_factory=dict)
    best_confusion: dict[str, Any] = field(default_factory=dict)
    best_labels: dict[str, Any] = field(default_factory=dict)
    finished: bool = False

    def record(self, info: dict[str, Any], is_best: bool) -> None:
        """Take over the figures of an evaluation, as loggers are given them."""
        scores = {
            name: value for name, value in info["other_scores"].items() if isinstance(value, (int, float))
        }
        kept = {key: info[key] for key in ("step", "epoch", "seconds", "words", "score", "losses")}
        self.history.append({**kept, "scores": scores})
        if is_best:
            self.best_scores = info["other_scores"]

    @property
    def results(self) -> list[tuple[float, int]]:
        """(score, step) of each evaluation, the step as the logger shows it: 0 for the first update."""
        return [(entry["score"], entry["step"]) for entry in self.history]

    @property
    def best(self) -> tuple[float, int]:
        """The best (score, step) so far, see `rank`; (-inf, 0) before the first evaluation."""
        return max(self.results, key=lambda result: rank(*result), default=(float("-inf"), 0))


def set_seed(seed: int | None) -> None:
    """Seed the generators that initial weights, dropout and augmentation draw from; nothing for None."""
    if seed is not None:
        random.seed(seed)
        numpy.random.seed(abs(seed) % 2**32)


def save_run(path: PathOrStr, nlp: Language, optimizer: Optimizer, state: TrainingState) -> None:
    """Write the checkpoint folder `path`, whole or not at all."""
    with saving(path) as folder:
        nlp.to_disk(folder / "pipeline")
        srsly.write_msgpack(folder / "optimizer.msgpack", _optimizer_state(nlp, optimizer))
        run = {"state": dataclasses.asdict(state), "random": _random_state()}
        # json keeps every digit; srsly's rounds to ten
        (folder / "run.json").write_text(json.dumps(run, default=float), encoding="utf8")


def load_run(path: PathOrStr, nlp: Language, optimizer: Optimizer) -> tuple[TrainingState, Any]:
    """Put the weights and the optimizer's state of the checkpoint `path` into `nlp` and `optimizer`.

    Returns the state of the run, and that of the random generators for `restore_random`. `nlp` must have
    the same components as the one saved. Raises FileNotFoundError if there is no checkpoint,
    SerializationError if it is damaged or belongs to another pipeline.
    """

    def read(folder: Path) -> tuple[TrainingState, Any]:
        run = json.loads((folder / "run.json").read_text(encoding="utf8"))
        moments = srsly.read_msgpack(folder / "optimizer.msgpack")
        nlp.from_disk(folder / "pipeline")
        _restore_optimizer(nlp, optimizer, moments)
        return TrainingState(**run["state"]), run["random"]

    return reading(path, read)


def restore_random(state: Any) -> None:
    """Put the generators into the `state` that `load_run` returned."""
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    name, keys, *rest = state["numpy"]
    numpy.random.set_state((name, numpy.asarray(keys, dtype="uint32"), *rest))


def _random_state() -> dict[str, Any]:
    name, keys, *rest = numpy.random.get_state(legacy=True)
    return {"python": random.getstate(), "numpy": [name, [int(key) for key in keys], *rest]}


def _parameters(nlp: Language) -> Iterator[tuple[str, tuple[int, str]]]:
    """A name that means the same in every process, and thinc's key, for each parameter of the pipeline."""
    for component_name, component in nlp.components:
        model: Any = getattr(component, "model", None)
        if hasattr(model, "walk"):
            for number, node in enumerate(model.walk()):
                for parameter in node.param_names:
                    yield f"{component_name}/{number}/{parameter}", (node.id, parameter)


def _optimizer_state(nlp: Language, optimizer: Optimizer) -> dict[str, dict[str, Any]]:
    names = {key: name for name, key in _parameters(nlp)}
    return {
        kind: {
            names[key]: value for key, value in (getattr(optimizer, kind, None) or {}).items() if key in names
        }
        for kind in PER_PARAMETER
    }


def _restore_optimizer(nlp: Language, optimizer: Optimizer, saved: dict[str, dict[str, Any]]) -> None:
    keys = dict(_parameters(nlp))
    unknown = sorted({name for values in saved.values() for name in values} - set(keys))
    if unknown:
        raise SerializationError(
            f"the checkpoint has optimizer state for {unknown[0]!r}, and the pipeline has no such parameter; "
            "resume with the config the run was started with"
        )
    for kind in PER_PARAMETER:
        values = getattr(optimizer, kind, None)
        if values is None:
            continue
        values.clear()
        for name, value in saved.get(kind, {}).items():
            values[keys[name]] = value.copy() if isinstance(value, numpy.ndarray) else value
