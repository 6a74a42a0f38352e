"""Contractions, with and without their apostrophe, in small letters and with a capital.

Normal forms are the words that were contracted, where they are certain: `'d` may be `had` or `would`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from ferrule.lang.exceptions import SpecialCases, cases, with_typographic_apostrophe

Token: TypeAlias = "str | tuple[str, str]"

_WILL, _HAVE, _ARE, _AM = ("'ll", "will"), ("'ve", "have"), ("'re", "are"), ("'m", "am")
_WOULD, _D, _S, _NOT = ("'d", "would"), ("'d", "'d"), ("'s", "'s"), ("n't", "not")

_BARE_HAVE = ("ve", "have")

_PRONOUNS = "i you he she it we they".split()
_QUESTION_WORDS = "who what when where why how there that this these those".split()

_NEGATED = {
    "ca": "can", "could": "could", "do": "do", "does": "does", "did": "do", "had": "have", "may": "may",
    "might": "might", "must": "must", "need": "need", "ought": "ought", "sha": "shall", "should": "should",
    "wo": "will", "would": "would",
}  # fmt: skip
"""Verbs that take `n't` and then `'ve`, with their normal forms."""

_NEGATED_ONLY = {
    "is": "is",
    "was": "was",
    "were": "were",
    "are": "are",
    "has": "has",
    "have": "have",
    "dare": "dare",
}
"""Verbs that take `n't` alone."""

# Without their apostrophe these are words of their own.
_NEVER_BARE = frozenset("ill its hell well were shed shell whore".split())


def _of_pronouns() -> Iterator[Sequence[Token]]:
    for pronoun in _PRONOUNS:
        word = (pronoun, pronoun)
        yield from ([word, _WILL], [word, _WILL, _HAVE], [word, _D], [word, _WOULD, _HAVE])
        if pronoun == "i":
            yield from ([word, _AM], [word, _AM, ("a", "gonna")])
        if pronoun in ("i", "you", "we", "they"):
            yield [word, _HAVE]
        if pronoun in ("you", "we", "they"):
            yield [word, _ARE]
        if pronoun in ("he", "she", "it"):
            yield [word, _S]


def _of_question_words() -> Iterator[Sequence[Token]]:
    for question in _QUESTION_WORDS:
        word = (question, question)
        yield from ([word, _WILL], [word, _WILL, _HAVE], [word, _D], [word, _WOULD, _HAVE])
        yield [word, "'ve"]
        if question not in ("these", "those"):
            yield [word, _S]
        if question not in ("that", "this"):
            yield [word, _ARE]


def _of_verbs() -> Iterator[Sequence[Token]]:
    for verb, norm in _NEGATED.items():
        yield from ([(verb, norm), _NOT], [(verb, norm), _NOT, _HAVE])
    for verb, norm in _NEGATED_ONLY.items():
        yield [(verb, norm), _NOT]
    for verb in ("could", "might", "must", "should", "would"):
        yield [(verb, verb), "'ve"]
    yield ["ai", _NOT]
    yield ["not", _HAVE]


def _bare(tokens: Sequence[Token]) -> list[Token]:
    """The same without apostrophes; what stood after one keeps its norm only where that is a word."""
    bare: list[Token] = []
    for token in tokens:
        orth, norm = (token, None) if isinstance(token, str) else token
        bare_orth = orth.replace("'", "")
        keeps_norm = norm is not None and (norm, bare_orth) not in (("'s", "s"), ("am", "m"))
        bare.append((bare_orth, norm) if keeps_norm and norm is not None else bare_orth)
    if (
        len(tokens) == 2
        and tokens[1] == "'ve"
        and isinstance(tokens[0], tuple)
        and tokens[0][0] in _QUESTION_WORDS
    ):
        return [tokens[0][0], _BARE_HAVE]
    if len(tokens) == 3 and tokens[2] == ("a", "gonna"):
        bare[1] = ("m", "am")
    return bare


def _capitalized(tokens: Sequence[Token]) -> list[Token]:
    first, *rest = tokens
    return [first.title() if isinstance(first, str) else (first[0].title(), first[1]), *rest]


def _spellings(contractions: Iterable[Sequence[Token]]) -> Iterator[Sequence[Token]]:
    """Each with and without apostrophe, in small letters and with a capital."""
    for tokens in contractions:
        for spelling in (tokens, _bare(tokens)):
            orths = [token if isinstance(token, str) else token[0] for token in spelling]
            if "".join(orths) not in _NEVER_BARE:
                yield spelling
                yield _capitalized(spelling)


_SHORTENED = {
    "doin": "doing", "goin": "going", "havin": "having", "lovin": "loving", "nothin": "nothing",
    "nuthin": "nothing", "ol": "old", "somethin": "something",
}  # fmt: skip
"""Words that lost their last letter, whether or not an apostrophe marks it."""


def _shortened() -> Iterator[Sequence[Token]]:
    for word, norm in _SHORTENED.items():
        for form in (word, word.title()):
            yield from ([(form, norm)], [(f"{form}'", norm)])


_BECAUSE = ["'cause", "'cos", "'coz", "'cuz"]

_REST: list[Sequence[Token]] = [
    *([(form, "because")] for word in _BECAUSE for form in (word, word.title())),
    ["'"], ["''"], ["'d"], [("'s", "'s")], [("'S", "'s")], [("‘s", "'s")], [("‘S", "'s")], [("'re", "are")],
    [("'ll", "will")], [("ll", "will")], [("'em", "them")], [("em", "them")],
    [("'nuff", "enough")], [("nuff", "enough")], [("'bout", "about")],
    ["let", ("'s", "us")], [("Let", "let"), ("'s", "us")],
    [("c'm", "come"), "on"], [("C'm", "come"), "on"],
    ["how", "'d", ("'y", "you")], [("How", "how"), "'d", ("'y", "you")],
    [("y'", "you"), "all"], [("y", "you"), "all"],
    [("o'clock", "o'clock")], [("O'clock", "o'clock")], [("ma'am", "madam")], [("Ma'am", "madam")],
    [("Not", "not"), _HAVE], [("Not", "not"), _BARE_HAVE],
    ["can", "not"], [("Can", "can"), "not"], ["got", ("ta", "to")], [("Got", "got"), ("ta", "to")],
    [("gon", "going"), ("na", "to")], [("Gon", "going"), ("na", "to")],
]  # fmt: skip

CONTRACTIONS: SpecialCases = with_typographic_apostrophe(
    cases(
        _spellings(_of_pronouns()),
        _spellings(_of_question_words()),
        _spellings(_of_verbs()),
        _shortened(),
        _REST,
    )
)
"""Special cases: contractions and words that lost a part."""
