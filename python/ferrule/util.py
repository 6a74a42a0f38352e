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
    "compounding": "thinc.api",
    "decaying": "thinc.api",
    "ensure_path": "pathlib",
    "filter_spans": "ferrule.tokens.span_selection",
    "fix_random_seed": "thinc.util",
    "from_bytes": "ferrule.storage.fields",
    "from_disk": "ferrule.storage.fields",
    "get_lang_class": "ferrule.language.languages",
    "get_words_and_spaces": "ferrule.tokens.words_and_spaces",
    "ignore_error": "ferrule.pipeline.pipe",
    "load_config": "ferrule.language.config",
    "load_config_from_str": "ferrule.language.config",
    "load_model": "ferrule.language",
    "load_model_from_config": "ferrule.language.loading",
    "load_model_from_path": "ferrule.language",
    "minibatch": "ferrule.training.batchers",
    "raise_error": "ferrule.pipeline.pipe",
    "registry": "ferrule.registry",
    "to_bytes": "ferrule.storage.fields",
    "to_disk": "ferrule.storage.fields",
}
_ELSEWHERE_CALLED = {
    "ensure_path": "Path",
    "from_bytes": "load_fields",
    "from_disk": "load_folder",
    "load_model": "load",
    "load_model_from_config": "load_from_config",
    "load_model_from_path": "load",
    "raise_error": "reraise",
    "to_bytes": "dump_fields",
    "to_disk": "save_folder",
}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    """The function of this name; AttributeError where `spacy.util` has one that Ferrule does not."""
    if name not in _MODULES:
        raise AttributeError(f"module 'ferrule.util' has no {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(_MODULES[name]), _ELSEWHERE_CALLED.get(name, name))


def __dir__() -> list[str]:
    """Every name, imported or not."""
    return __all__
