"""What `Language.initialize` gives the vocabulary and the components."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ferrule.errors import ConfigError, nearest_names
from ferrule.registry import registry

__all__ = ["init_settings", "init_vocab"]

_PASSED = ("self", "get_examples", "nlp")


def init_settings(
    initialize: Callable[..., Any], settings: Mapping[str, Any], section: str
) -> dict[str, Any]:
    """The settings of [initialize.<section>] as arguments of `initialize`.

    Raises ConfigError for a setting that `initialize` has no argument for, or one that is required and
    missing.
    """
    parameters = inspect.signature(initialize).parameters
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())
    names = [name for name in parameters if name not in _PASSED]
    for name in settings:
        if name not in names and not takes_any:
            near = nearest_names(name, names)
            raise ConfigError(
                f"config: [initialize.{section}] has a setting {name!r} that initialize does not take. "
                + (f"Did you mean {near[0]!r}?" if near else f"It takes: {', '.join(names) or 'none'}.")
            )
    for name in names:
        parameter = parameters[name]
        required = parameter.default is parameter.empty and parameter.kind is parameter.KEYWORD_ONLY
        if required and name not in settings:
            raise ConfigError(f"config: [initialize.{section}] lacks {name!r}, which initialize requires")
    return dict(settings)


def init_vocab(nlp: Any, settings: Mapping[str, Any]) -> None:
    """Put the vocabulary data, lookup tables and vectors that [initialize] names into `nlp.vocab`."""
    lookups = settings.get("lookups")
    if lookups is not None:
        nlp.vocab.lookups = lookups
    data = settings.get("vocab_data")
    if data is not None:
        _add_lexemes(nlp.vocab, data)
    vectors = settings.get("vectors")
    if vectors is not None:
        _load_vectors(nlp, vectors)


def _add_lexemes(vocab: Any, path: str | Path) -> None:
    """Set the attributes of word types from a JSON-lines file with `orth` and attribute names as keys."""
    import srsly

    for entry in srsly.read_jsonl(path, skip=False):
        if "orth" not in entry:
            continue  # spaCy's files begin with a line of settings
        lexeme = vocab[entry["orth"]]
        for name, value in entry.items():
            if name != "orth" and hasattr(lexeme, name):
                setattr(lexeme, name, value)


def _load_vectors(nlp: Any, name: str | Path) -> None:
    """Share the word vectors, and the strings they belong to, of the pipeline at `name`."""
    load = registry.misc.get("ferrule.load.v1")
    source = load(name, vocab=type(nlp)().vocab, exclude=["lookups"])
    for string in source.vocab.strings:
        nlp.vocab.strings.add(string)
    nlp.vocab.vectors = source.vocab.vectors
