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
    last_end = doc._char_range(n_tokens - 1)[1]
    if start_char >= last_end or end_char > len(doc.text):
        return None
    # The token that the first and the last character are in, or in the space behind it.
    first = int(starts.searchsorted(start_char, side="right")) - 1
    last = int(starts.searchsorted(end_char - 1, side="right")) - 1
    first_range, last_range = doc._char_range(first), doc._char_range(max(last, 0))
    if alignment_mode == "expand":
        return first, max(last, first) + 1 if end_char > start_char else first
    starts_a_token, ends_a_token = first_range[0] == start_char, last_range[1] == end_char
    if alignment_mode == "strict":
        return (first, last + 1) if starts_a_token and ends_a_token and last >= first else None
    start = first if starts_a_token else first + 1
    end = last + 1 if last_range[1] <= end_char else last
    return (start, end) if start < end else None
