"""Which components of a run are frozen and which annotate: whether what the config says of them can be."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator

from thinc.api import Model

from ferrule.errors import ConfigError, nearest_names
from ferrule.language import Language
from ferrule.ml.listener import Tok2VecListener
from ferrule.training.settings import TrainingSettings

__all__ = ["check_frozen", "check_names", "unknown_components"]


def unknown_components(named: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    """A message for each of the `named` components that is none of the `known` ones.

    >>> list(unknown_components(["ner", "taggr"], ["tagger", "ner"]))
    ["no component is called 'taggr'; did you mean 'tagger'?"]
    """
    known = list(known)
    for name in named:
        if name not in known:
            near = nearest_names(name, known)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known) or 'none'}"
            yield f"no component is called {name!r}; {hint}"


def check_names(nlp: Language, settings: TrainingSettings) -> None:
    """Raise ConfigError where `[training]` freezes a component, or lets one annotate, that is not there."""
    for setting in ("frozen_components", "annotating_components"):
        for problem in unknown_components(getattr(settings, setting), nlp.component_names):
            raise ConfigError(f"[training] {setting}: {problem}")


def check_frozen(nlp: Language, settings: TrainingSettings) -> None:
    """Look at the frozen components of `nlp`, which is initialized.

    Raises ConfigError for one without weights. Warns of one that listens to an encoder that goes on learning:
    what it predicts changes although its own weights stay.
    """
    learning = [
        name
        for name, pipe in nlp.pipeline
        if hasattr(pipe, "listening_components") and name not in settings.frozen_components
    ]
    for name, pipe in nlp.pipeline:
        model = getattr(pipe, "model", None)
        if name not in settings.frozen_components or not isinstance(model, Model):
            continue
        if not _has_weights(model):
            raise ConfigError(
                f"[training] frozen_components has {name!r}, which has no weights yet. Take it from a "
                f'trained pipeline, [components.{name}] source = "FOLDER", or let it learn.'
            )
        for encoder in learning:
            if _listens_to(model, encoder):
                warnings.warn(
                    f"{name!r} is frozen, but the encoder it listens to, {encoder!r}, learns: its "
                    f"predictions will get worse. Freeze {encoder!r} too; or give {name!r} its own copy: "
                    f'[components.{name}] source = "FOLDER" and replace_listeners = ["model.tok2vec"].',
                    stacklevel=3,
                )


def _listens_to(model: Model, encoder: str) -> bool:
    return any(
        isinstance(node, Tok2VecListener) and node.upstream_name in (encoder, "*") for node in model.walk()
    )


def _has_weights(model: Model) -> bool:
    return all(node.has_param(name) is not None for node in model.walk() for name in node.param_names)
