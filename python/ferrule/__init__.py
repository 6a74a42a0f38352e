"""Trainable NLP pipelines on a Rust core: spaCy's public names, under `ferrule`.

Importing this package is cheap and changes nothing outside it: every name below is imported when it is
first asked for.

>>> import ferrule
>>> nlp = ferrule.blank("en")
>>> [token.text for token in nlp("A whole sentence.")]
['A', 'whole', 'sentence', '.']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ferrule import attrs as attrs
    from ferrule import lang as lang
    from ferrule import language as language
    from ferrule import pipeline as pipeline
    from ferrule import registry as registry
    from ferrule import scorer as scorer
    from ferrule import tokenizer as tokenizer
    from ferrule import tokens as tokens
    from ferrule import training as training
    from ferrule import util as util
    from ferrule import vocab as vocab
    from ferrule.devices import prefer_gpu as prefer_gpu
    from ferrule.devices import require_cpu as require_cpu
    from ferrule.devices import require_gpu as require_gpu
    from ferrule.language import Language as Language
    from ferrule.language import blank as blank
    from ferrule.language import load as load
    from ferrule.tokens import Doc as Doc
    from ferrule.vocab import Vocab as Vocab

# public name -> the module that has it; `None` where the module itself is the thing
_PUBLIC: dict[str, tuple[str, str | None]] = {
    "Config": ("thinc.config", "Config"),
    "Doc": ("ferrule.tokens", "Doc"),
    "Language": ("ferrule.language", "Language"),
    "Vocab": ("ferrule.vocab", "Vocab"),
    "__version__": ("ferrule._core", "__version__"),
    "blank": ("ferrule.language", "blank"),
    "get_num_threads": ("ferrule._core", "get_num_threads"),
    "load": ("ferrule.language", "load"),
    "prefer_gpu": ("ferrule.devices", "prefer_gpu"),
    "registry": ("ferrule.registry", None),
    "require_cpu": ("ferrule.devices", "require_cpu"),
    "require_gpu": ("ferrule.devices", "require_gpu"),
    "set_num_threads": ("ferrule._core", "set_num_threads"),
}

# reachable after `import ferrule` alone, as those of that name are after `import spacy`
_MODULES = {
    "attrs",
    "kernels",
    "lang",
    "language",
    "lookups",
    "ml",
    "ops",
    "pipeline",
    "scorer",
    "strings",
    "symbols",
    "tokenizer",
    "tokens",
    "training",
    "util",
    "vectors",
    "vocab",
}

# what spaCy has under its name -> what to do instead
_ONLY_IN_SPACY = {
    "displacy": "`ferrule visualize MODEL TEXTS` shows documents",
    "explain": "see the documentation of the label scheme",
    "info": "nlp.meta and nlp.config have what there is to know of a pipeline",
    "matcher": "match in spaCy, on ferrule.interop.spacy.to_spacy(doc, vocab)",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    """The public name or module, imported on first use and kept in the module afterwards."""
    import importlib

    if name in _MODULES:
        return importlib.import_module(f"ferrule.{name}")
    if name not in _PUBLIC:
        instead = _ONLY_IN_SPACY.get(name)
        raise AttributeError(
            f"module 'ferrule' has no attribute {name!r}" + (f": {instead}" if instead else "")
        )
    module_name, attribute = _PUBLIC[name]
    module = importlib.import_module(module_name)
    value = module if attribute is None else getattr(module, attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Every public name, imported or not."""
    return sorted({*globals(), *_PUBLIC, *_MODULES})
