"""The `[distillation]` section of a config."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ferrule.errors import ConfigError, nearest_names
from ferrule.registry import registry
from ferrule.training.settings import TrainingSettings

if TYPE_CHECKING:
    from thinc.config import Config

__all__ = ["DistillationSettings", "distillation_section"]


@dataclass(kw_only=True)
class DistillationSettings:
    """The `[distillation]` section; what it leaves out is as `[training]` says.

    corpus: the section of the texts to learn from, plain or annotated, or a list of them. student_to_teacher:
    names of the student's components to those of the teacher, where they differ. temperature: flattens both
    distributions, in components that know of it (`tagger`, `ner`). gold_share: how much of the loss comes
    from gold annotation, 0 to 1. scores: a folder to keep the teacher's scores in, or None. The others are
    those of `[training]`.
    """

    corpus: str | list[str] = "corpora.train"
    student_to_teacher: dict[str, str] = field(default_factory=dict)
    temperature: float = 1.0
    gold_share: float = 0.0
    scores: str | None = None
    optimizer: Any = None
    batcher: Any = None
    dropout: Any = None
    max_epochs: int | None = None
    max_steps: int | None = None
    patience: int | None = None
    eval_frequency: int | None = None
    accumulate_gradient: int | None = None

    @classmethod
    def from_config(cls, config: Config) -> DistillationSettings:
        """The settings of ``config["distillation"]``, an interpolated config; the defaults where it has none.

        Raises ConfigError for an unknown setting, with the nearest known one, and a value out of range.
        """
        section = config.get("distillation") or {}
        known = [each.name for each in dataclasses.fields(cls)]
        for key in section:
            if key not in known:
                near = nearest_names(key, known)
                hint = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(known)}"
                raise ConfigError(f"[distillation] has an unknown setting {key!r}; {hint}")
        settings = cls(**registry.resolve({"distillation": section})["distillation"])
        if not settings.temperature > 0:
            raise ConfigError(f"[distillation] temperature must be above 0, found {settings.temperature!r}")
        if not 0 <= settings.gold_share <= 1:
            raise ConfigError(
                f"[distillation] gold_share must be between 0 and 1, found {settings.gold_share!r}"
            )
        return settings

    @property
    def corpora(self) -> list[str]:
        """The names of the sections to read."""
        return [self.corpus] if isinstance(self.corpus, str) else list(self.corpus)

    def training(self, config: Config) -> TrainingSettings:
        """`[training]` of the interpolated `config` with what these settings replace."""
        base = TrainingSettings.from_config(config)
        given = {each.name for each in dataclasses.fields(TrainingSettings)}
        own = {name: value for name, value in vars(self).items() if name in given and value is not None}
        replaced = dataclasses.replace(base, train_corpus=self.corpora[0], **own)
        replaced._check()
        return replaced


def distillation_section() -> dict[str, Any]:
    """A `[distillation]` section to start from."""
    return {
        "corpus": "corpora.train",
        "student_to_teacher": {},
        "temperature": 1.0,
        "gold_share": 0.0,
        "scores": None,
    }
