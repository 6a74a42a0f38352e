"""Words of a text, brought into the form that a document of exactly that text is made from."""

from __future__ import annotations

from collections.abc import Iterable

from ferrule.errors import AlignmentError

__all__ = ["get_words_and_spaces"]


def get_words_and_spaces(words: Iterable[str], text: str) -> tuple[list[str], list[bool]]:
    """`words` and `spaces` for `Doc`, whose text is then `text`: other white space becomes words of its own.

    AlignmentError where words and text differ in more than white space.

    >>> get_words_and_spaces(["Hello", "world", "!"], "Hello  world!")
    (['Hello', ' ', 'world', '!'], [True, False, False, False])
    """
    given = list(words)
    if "".join("".join(given).split()) != "".join(text.split()):
        raise AlignmentError(
            f"get_words_and_spaces: the words {given[:8]} and the text {text[:60]!r} differ in more than "
            "white space"
        )
    found: list[str] = []
    spaces: list[bool] = []
    at = 0
    for word in given:
        if word.isspace():
            continue
        start = text.find(word, at)
        if start < 0:
            raise AlignmentError(
                f"get_words_and_spaces: {word!r} is not in the text from character {at} on: "
                f"{text[at : at + 60]!r}"
            )
        if start > at:
            found.append(text[at:start])
            spaces.append(False)
        at = start + len(word)
        found.append(word)
        spaces.append(text[at : at + 1] == " ")
        at += spaces[-1]
    if at < len(text):
        found.append(text[at:])
        spaces.append(False)
    return found, spaces
