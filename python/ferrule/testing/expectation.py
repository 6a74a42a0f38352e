"""How a check says that a rule is broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ferrule.errors import FerruleError

__all__ = ["BrokenRuleError", "expect", "expect_error"]


class BrokenRuleError(FerruleError, AssertionError):
    """What was found does not keep the rule."""


def expect(kept: bool, found: str) -> None:
    """Raise BrokenRuleError with `found` unless the rule is kept."""
    if not kept:
        raise BrokenRuleError(found)


def expect_error(
    kinds: type[Exception] | tuple[type[Exception], ...], action: Callable[[], Any], what: str
) -> None:
    """Raise BrokenRuleError unless `action` raises one of `kinds`."""
    names = " or ".join(kind.__name__ for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))
    try:
        action()
    except kinds:
        return
    except Exception as error:
        raise BrokenRuleError(f"{what} raised {type(error).__name__} ({error}), expected {names}") from error
    raise BrokenRuleError(f"{what} raised nothing, expected {names}")
