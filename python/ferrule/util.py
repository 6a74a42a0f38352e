"""The functions people know from `spacy.util`, each imported from its own module when it is asked for.

>>> from ferrule.util import minibatch
>>> list(minibatch([1, 2, 3], size=2))
[[1, 2], [3]]
"""

from __future__ import annotations

import importlib
from typing import Any

_MODULES = {
    "compile_infix_regex": "ferrule.tokenizer",
    "compile_prefix_regex": "ferrule.tokenizer",
    "compile_suffix_regex": "ferrule.tokenizer",
    "filter_spans": "ferrule.tokens.span_selection",
    "fix_random_seed": "thinc.util",
    "get_lang_class": "ferrule.language.languages",
    "get_words_and_spaces": "ferrule.tokens.words_and_spaces",
    "load_config": "ferrule.language.config",
    "load_model": "ferrule.language",
    "minibatch": "ferrule.training.batchers",
    "registry": "ferrule.registry",
}
_ELSEWHERE_CALLED = {"load_model": "load"}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    """The function of this name; AttributeError where `spacy.util` has one that Ferrule does not."""
    if name not in _MODULES:
        raise AttributeError(f"module 'ferrule.util' has no {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(_MODULES[name]), _ELSEWHERE_CALLED.get(name, name))


def __dir__() -> list[str]:
    """Every name, imported or not."""
    return __all__
