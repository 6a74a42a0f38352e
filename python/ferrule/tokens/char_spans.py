"""Finding tokens by their characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ferrule.tokens.doc import Doc

_MODES = ("strict", "contract", "expand")


def find(doc: Doc, start_char: int, end_char: int, alignment_mode: str) -> tuple[int, int] | None:
    """Tokens `(start, end)` of these characters; None where none fit, or outside the text."""
    if alignment_mode not in _MODES:
        raise ValueError(
            f"char_span: alignment_mode is {alignment_mode!r}; expected one of {', '.join(_MODES)}"
        )
    start_char, end_char = int(start_char), int(end_char)
    n_tokens = len(doc)
    if not n_tokens or start_char < 0 or end_char < start_char:
        return None
    starts = doc._starts()
    n_chars = len(doc.text)
    if start_char >= n_chars or end_char > n_chars:
        return None
    if start_char == end_char and alignment_mode == "strict":
        return empty_range(doc, start_char)
    if end_char == 0:
        return None
    # The token that the first and the last character are in, or in the space behind it.
    first = int(starts.searchsorted(start_char, side="right")) - 1
    last = int(starts.searchsorted(end_char - 1, side="right")) - 1
    start_token, end_token = doc._char_range(first), doc._char_range(last)
    if start_char >= start_token[1]:
        # In a space: the next token is the first that can be part of the span.
        first, starts_a_token = first + 1, False
    else:
        starts_a_token = start_char == start_token[0]
    if alignment_mode == "expand":
        return first, max(last + 1, first)
    if alignment_mode == "strict":
        return (first, last + 1) if starts_a_token and end_char == end_token[1] and last >= first else None
    start = first if starts_a_token or start_char >= start_token[1] else first + 1
    end = last + 1 if end_char >= end_token[1] else last
    return (start, end) if start < end else None


def empty_range(doc: Doc, char: int) -> tuple[int, int] | None:
    """The range of no token where one token ends and the next begins, as in spaCy; else None."""
    token = int(doc._starts().searchsorted(char))
    if not 0 < token < len(doc) or doc._char_range(token)[0] != char or doc._char_range(token - 1)[1] != char:
        return None
    return token, token
