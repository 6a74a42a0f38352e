"""How commands word what they print."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, noun: str) -> str:
    """How many of what.

    >>> counted(1, "document"), counted(0, "error")
    ('1 document', '0 errors')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"
