"""`Language`, and how pipelines are made: `blank`, `load`, `Language.from_config`."""

from __future__ import annotations

from ferrule.lang.defaults import BaseDefaults
from ferrule.language.config import load_config
from ferrule.language.editing import DisabledPipes
from ferrule.language.language import Language
from ferrule.language.languages import get_lang_class
from ferrule.language.loading import blank, load, load_from_config

__all__ = [
    "BaseDefaults",
    "DisabledPipes",
    "Language",
    "blank",
    "get_lang_class",
    "load",
    "load_config",
    "load_from_config",
]
