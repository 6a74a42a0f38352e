"""What a pipeline says about itself: its config, its meta data, and what its components read and write."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from thinc.config import Config

from ferrule import _core
from ferrule.errors import ConfigError
from ferrule.language.analysis import Analysis, analyze, table
from ferrule.language.config import combined_score_weights
from ferrule.language.state import PipelineState

__all__ = ["Description"]

# Which spaCy reads the folders we write.
_SPACY_VERSION = ">=3.8.0,<3.9.0"


class Description(PipelineState):
    """The part of `Language` that describes."""

    @property
    def quantized_components(self) -> list[str]:
        """The names of the components that predict in bytes."""
        return [name for name, pipe in self.components if getattr(pipe, "is_quantized", False)]

    @property
    def config(self) -> Config:
        """The whole config: what the pipeline was made with, and its components as they are now.

        It is the pipeline's own; changes to [training] and [initialize] count from then on.
        """
        self._config.setdefault("nlp", {})
        self._config.setdefault("training", {})
        self._config["nlp"].update(lang=self.lang, pipeline=self.component_names, disabled=self.disabled)
        self._config["nlp"].setdefault("batch_size", self.batch_size)
        self._config["components"] = {
            name: {"factory": self._pipe_meta[name].factory, **deepcopy(dict(self._pipe_configs[name]))}
            for name in self.component_names
        }
        weights = [self._pipe_meta[name].default_score_weights for name in self.component_names]
        given = self._config["training"].get("score_weights") or {}
        self._config["training"]["score_weights"] = combined_score_weights(weights, given)
        return self._config

    @config.setter
    def config(self, value: Config) -> None:
        if not isinstance(value, dict):
            raise TypeError(f"nlp.config: expected a Config or dict, found {type(value).__name__}")
        self._config = value if isinstance(value, Config) else Config(value)
        for section in ("nlp", "training", "initialize"):
            if not isinstance(self._config.setdefault(section, {}), dict):
                raise ConfigError(f"config: [{section}] must be a section, found {self._config[section]!r}")
        self._config["initialize"].setdefault("components", {})

    @property
    def meta(self) -> dict[str, Any]:
        """Name, version, licence and so on; language, vectors, labels and components as they are now."""
        defaults = {
            "lang": self.lang,
            "name": "pipeline",
            "version": "0.0.0",
            "spacy_version": _SPACY_VERSION,
            "ferrule_version": _core.__version__,
            "description": "",
            "author": "",
            "email": "",
            "url": "",
            "license": "",
        }
        for name, value in defaults.items():
            self._meta.setdefault(name, value)
        self._meta["lang"] = self.lang or self._meta["lang"]
        self._meta["vectors"] = _described_vectors(getattr(self.vocab, "vectors", None))
        self._meta["labels"] = self.pipe_labels
        self._meta["pipeline"] = self.pipe_names
        self._meta["components"] = self.component_names
        self._meta["disabled"] = self.disabled
        if quantized := self.quantized_components:
            self._meta["quantized"] = quantized
        else:
            self._meta.pop("quantized", None)
        return self._meta

    @meta.setter
    def meta(self, value: dict[str, Any]) -> None:
        if not isinstance(value, dict):
            raise TypeError(f"nlp.meta: expected a dict, found {type(value).__name__}")
        self._meta = value

    def analyze_pipes(
        self,
        *,
        keys: tuple[str, ...] | list[str] = ("assigns", "requires", "scores", "retokenizes"),
        pretty: bool = False,
    ) -> Analysis:
        """What each enabled component writes, needs and scores, and which needs no earlier component meets.

        Returns a dict with `summary` and `problems` by component and `attrs` by attribute; with `pretty` a
        table is printed too.
        """
        analysis = analyze([(name, self._pipe_meta[name]) for name in self.pipe_names], keys)
        if pretty:
            print(table(analysis, list(keys)))
        return analysis


def _described_vectors(vectors: Any) -> dict[str, Any]:
    shape = getattr(vectors, "shape", (0, 0)) or (0, 0)
    return {
        "width": int(shape[1]) if len(shape) > 1 else 0,
        "vectors": int(shape[0]),
        "keys": int(getattr(vectors, "n_keys", 0) or 0),
        "name": getattr(vectors, "name", None),
        "mode": str(getattr(vectors, "mode", None) or "default"),
    }
