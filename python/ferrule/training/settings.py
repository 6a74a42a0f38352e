"""The `[training]` section of a config, resolved and checked."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ferrule.errors import ConfigError, nearest_names
from ferrule.registry import registry

if TYPE_CHECKING:
    from thinc.config import Config
    from thinc.optimizers import Optimizer

__all__ = ["TrainingSettings", "resolve_corpora"]


@dataclass(kw_only=True)
class TrainingSettings:
    """What one training run needs to know; the names are those of the config.

    `dropout` is a rate or an iterator of one rate a step. `max_epochs` 0 means no limit; -1 streams the
    training corpus, unshuffled, instead of holding it in memory. `max_steps` and `patience` 0 mean no
    limit. `gpu_allocator` is read and ignored: Ferrule runs on CPUs.
    """

    optimizer: Optimizer
    batcher: Callable[[Iterable[Any]], Iterable[Any]]
    logger: Callable[..., Any]
    train_corpus: str = "corpora.train"
    dev_corpus: str = "corpora.dev"
    seed: int | None = 0
    gpu_allocator: str | None = None
    dropout: float | Iterator[float] = 0.1
    accumulate_gradient: int = 1
    patience: int = 1600
    max_epochs: int = 0
    max_steps: int = 20000
    eval_frequency: int = 200
    score_weights: dict[str, float | None] = dataclasses.field(default_factory=dict)
    frozen_components: list[str] = dataclasses.field(default_factory=list)
    annotating_components: list[str] = dataclasses.field(default_factory=list)
    before_to_disk: Callable[[Any], Any] | None = None
    before_update: Callable[[Any, dict[str, Any]], None] | None = None

    @classmethod
    def from_config(cls, config: Config) -> TrainingSettings:
        """The settings of `config["training"]`, with functions and schedules made.

        `config` must be interpolated. Raises ConfigError for a missing section, an unknown or missing key
        (with the nearest known one) and a value out of range.
        """
        section = config.get("training")
        if not section:
            raise ConfigError(
                "the config has no [training] section; `ferrule init config` writes a complete one"
            )
        fields = {field.name: field for field in dataclasses.fields(cls)}
        for key in section:
            if key not in fields:
                near = nearest_names(key, fields)
                hint = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(fields)}"
                raise ConfigError(f"[training] has an unknown setting {key!r}; {hint}")
        for name in ("optimizer", "batcher", "logger"):
            if not section.get(name):
                raise ConfigError(
                    f"[training.{name}] is missing; `ferrule init config` writes a complete config"
                )
        settings = cls(**registry.resolve({"training": section})["training"])
        settings._check()
        return settings

    def dropouts(self, *, skip: int = 0) -> Iterator[float]:
        """The dropout rate of each step, after passing over `skip` of them."""
        rates = self.dropout
        if isinstance(rates, (int, float)):
            return itertools.repeat(float(rates))
        return itertools.islice(rates, skip, None)

    def _check(self) -> None:
        lowest = {
            "accumulate_gradient": 1,
            "patience": 0,
            "max_epochs": -1,
            "max_steps": 0,
            "eval_frequency": 1,
        }
        for name, least in lowest.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ConfigError(
                    f"[training] {name} must be a whole number of at least {least}, found {value!r}"
                )
        if isinstance(self.dropout, (int, float)) and not 0 <= self.dropout < 1:
            raise ConfigError(f"[training] dropout must be at least 0 and below 1, found {self.dropout!r}")
        for name in ("train_corpus", "dev_corpus"):
            if not isinstance(getattr(self, name), str):
                raise ConfigError(
                    f"[training] {name} must name a section of the config, such as 'corpora.train', "
                    f"found {getattr(self, name)!r}"
                )


def resolve_corpora(config: Config, dot_names: Iterable[str]) -> list[Callable[[Any], Iterable[Any]]]:
    """The readers that `dot_names` such as `corpora.train` point to in the interpolated `config`, in that
    order.

    Raises ConfigError if a section is not there.
    """
    readers = []
    for dot_name in dot_names:
        section: Any = config
        for part in dot_name.split("."):
            if not isinstance(section, dict) or part not in section:
                raise ConfigError(
                    f"[training] names the corpus {dot_name!r}, and the config has no [{dot_name}] section"
                )
            section = section[part]
        if isinstance(section, dict) and section.get("path", "") is None:
            raise ConfigError(
                f"[{dot_name}] has no path; set it in the config or on the command line: --paths.{part} FILE"
            )
        readers.append(registry.resolve({"corpus": section})["corpus"])
    return readers
