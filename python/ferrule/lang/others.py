"""Languages without data of their own: those the general rules serve, and those that need a segmenter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ferrule.errors import ConfigError
from ferrule.registry import registry

__all__ = ["SERVED", "UNSEGMENTED", "writing_system"]

SERVED = frozenset(
    """
    af am ar az bg bn bo ca cs da de dsb el es et eu fa fi fo fr ga gd grc gu he hi hr hsb ht hu hy id is it
    kmr kn ky la lb lg lij lt lv mk ml mr ms nb ne nl nn pl pt ro ru sa si sk sl sq sr sv ta te ti tl tn tr tt
    uk ur yo
    """.split()
)
"""Codes of languages whose texts the general rules cut at spaces and punctuation."""

UNSEGMENTED = {
    "ja": "spacy.ja.JapaneseTokenizer",
    "ko": "spacy.ko.KoreanTokenizer",
    "th": "spacy.th.ThaiTokenizer",
    "vi": "spacy.vi.VietnameseTokenizer",
    "zh": "spacy.zh.ChineseTokenizer",
}
"""Codes of languages whose words spaces do not show, with spaCy's names of their tokenizers."""

_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
_NO_CASE = _RIGHT_TO_LEFT | {"am", "ja", "ko", "ti", "zh"}
_NO_LETTERS = frozenset({"ja", "ko", "zh"})


def writing_system(code: str) -> dict[str, Any]:
    """Direction of writing, and whether there are capitals and letters, as spaCy says.

    >>> writing_system("he")
    {'direction': 'rtl', 'has_case': False, 'has_letters': True}
    """
    return {
        "direction": "rtl" if code in _RIGHT_TO_LEFT else "ltr",
        "has_case": code not in _NO_CASE,
        "has_letters": code not in _NO_LETTERS,
    }


def _segmenter(name: str) -> Callable[..., Any]:
    def create_tokenizer(
        segmenter: Any = None, split_mode: Any = None, use_pyvi: Any = None
    ) -> Callable[[Any], Any]:
        """Takes the settings of spaCy's configs. What it returns raises ConfigError, with the ways out."""

        def refuse(nlp: Any) -> Any:
            raise ConfigError(
                f"{name}: Ferrule has no segmenter, and this language does not show all its words by spaces. "
                "Register a tokenizer with @registry.tokenizers and name it in [nlp.tokenizer]; or take the "
                'language "xx" and make documents of words, Doc(nlp.vocab, words=..., spaces=...); or, for '
                'tokens between spaces, set @tokenizers = "spacy.Tokenizer.v1" in [nlp.tokenizer].'
            )

        return refuse

    return create_tokenizer


for _name in UNSEGMENTED.values():
    registry.tokenizers(_name, func=_segmenter(_name))
