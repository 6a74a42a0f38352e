"""Good settings for a pipeline that has none yet, by components and size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ferrule.errors import nearest_names
from ferrule.pipeline.default_models import DEFAULT_NER_MODEL, DEFAULT_TAGGER_MODEL

__all__ = ["KNOWN_COMPONENTS", "SIZES", "starting_config"]

SIZES: dict[str, dict[str, Any]] = {
    "small": {"width": 64, "depth": 2, "rows": [2000, 500, 1000, 1000]},
    "medium": {"width": 96, "depth": 4, "rows": [5000, 1000, 2500, 2500]},
    "large": {"width": 192, "depth": 6, "rows": [20000, 2500, 10000, 10000]},
}
"""Width of a token's vector, layers that look at the neighbours, and rows of the hash tables, by `--size`."""

ENCODERS = {False: "spacy.MaxoutWindowEncoder.v2", True: "ferrule.MaxoutWindowEncoder.v1"}
"""The layers that look at the neighbours, by `--fast`."""

FEATURES = ["NORM", "PREFIX", "SUFFIX", "SHAPE"]

KNOWN_COMPONENTS = ("tok2vec", "tagger", "textcat", "textcat_multilabel", "ner")
"""Components that `starting_config` has settings for."""

HEADS = {"tagger": DEFAULT_TAGGER_MODEL, "ner": DEFAULT_NER_MODEL}
"""Components that listen to the shared tok2vec, and their default models."""

TEXT_CLASSIFIERS = {"textcat", "textcat_multilabel"}
"""Components whose weights are mostly a table of which a batch touches little."""


def starting_config(
    lang: str, components: Iterable[str], size: str = "medium", *, fast: bool = False
) -> dict[str, Any]:
    """The sections that differ from a blank pipeline's config: `[nlp]`, `[components]` and `[training]`.

    Components that need vectors of tokens share one `tok2vec`, which is put first if it is not among
    `components`. fast: networks that are faster, but that spaCy cannot open.

    Raises ValueError for an unknown component or size, with the nearest known one.
    """
    names = list(components)
    for name in names:
        _check_known("component", name, KNOWN_COMPONENTS)
    _check_known("size", size, SIZES)
    if not names:
        raise ValueError(f"a pipeline needs components; known are: {', '.join(KNOWN_COMPONENTS)}")
    if HEADS.keys() & set(names) and "tok2vec" not in names:
        names.insert(0, "tok2vec")
    return {
        "paths": {"train": None, "dev": None},
        "nlp": {"lang": lang, "pipeline": names, "batch_size": 1000},
        "components": {
            name: {"factory": name, **_settings(name, SIZES[size], ENCODERS[fast])} for name in names
        },
        "training": {
            "dropout": 0.1,
            "patience": 1600,
            "max_steps": 20000,
            "eval_frequency": 200,
            "logger": {"@loggers": "ferrule.ConsoleLogger.v1"},
            "batcher": {
                "@batchers": "spacy.batch_by_words.v1",
                "discard_oversize": False,
                "tolerance": 0.2,
                "size": {"@schedules": "compounding.v1", "start": 100, "stop": 1000, "compound": 1.01},
            },
            # Averages reach every weight, so that a bag of words would be stepped as a whole table.
            "optimizer": {
                "@optimizers": "Adam.v1",
                "learn_rate": 0.001,
                "use_averages": not set(names) <= TEXT_CLASSIFIERS,
            },
        },
    }


def _settings(name: str, size: dict[str, Any], encoder: str) -> dict[str, Any]:
    if name == "tok2vec":
        return {"model": _tok2vec(size, encoder)}
    if name in HEADS:
        return {"model": {**HEADS[name], "nO": None, "tok2vec": dict(LISTENER)}}
    return {}


LISTENER = {
    "@architectures": "spacy.Tok2VecListener.v1",
    "width": "${components.tok2vec.model.encode.width}",
    "upstream": "*",
}


def _tok2vec(size: dict[str, Any], encoder: str) -> dict[str, Any]:
    return {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2",
            "width": "${components.tok2vec.model.encode.width}",
            "attrs": list(FEATURES),
            "rows": list(size["rows"]),
            "include_static_vectors": False,
        },
        "encode": {
            "@architectures": encoder,
            "width": size["width"],
            "depth": size["depth"],
            "window_size": 1,
            "maxout_pieces": 3,
        },
    }


def _check_known(kind: str, name: str, known: Iterable[str]) -> None:
    if name in known:
        return
    near = nearest_names(name, known)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise ValueError(f"unknown {kind} {name!r}; {hint}known are: {', '.join(known)}")
