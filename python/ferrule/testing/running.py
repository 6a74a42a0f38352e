"""Running the checks, all at once or as pytest parameters."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ferrule.errors import FerruleError
from ferrule.testing import annotating, learning, saving
from ferrule.testing.expectation import BrokenRuleError
from ferrule.testing.subject import Subject

__all__ = ["BrokenContractError", "Problem", "all_checks", "check_pipe", "parametrize_with_checks"]

Check = Callable[[Subject], None]


@dataclass(frozen=True)
class Problem:
    """A rule that a component breaks: the name of its check, the rule, and what was found."""

    check: str
    rule: str
    found: str

    def __str__(self) -> str:
        return f"{self.check}: {self.rule}\n    found: {self.found}"


class BrokenContractError(FerruleError, AssertionError):
    """A component breaks the contract; `problems` says where."""

    def __init__(self, subject: Subject, problems: list[Problem]) -> None:
        listed = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{subject.factory!r} breaks {len(problems)} rules of the contract:\n{listed}")
        self.problems = problems


def all_checks() -> list[Check]:
    """Every check, in the order they are best read."""
    return [*annotating.CHECKS, *learning.CHECKS, *saving.CHECKS]


def check_pipe(factory: str | Subject, **settings: Any) -> None:
    """Run the whole contract against the component that `factory` makes.

    factory: a registered name, or a `Subject`. settings: as of `Subject`. Raises BrokenContractError, which
    lists every broken rule with what was found.
    """
    subject = factory if isinstance(factory, Subject) else Subject(factory, **settings)
    problems = [problem for check in all_checks() if (problem := _run(check, subject)) is not None]
    if problems:
        raise BrokenContractError(subject, problems)


def parametrize_with_checks(factories: Iterable[str | Subject]) -> Any:
    """A decorator for a test with the argument `check`: one test for each factory and check."""
    import pytest

    parameters = []
    for factory in factories:
        subject = factory if isinstance(factory, Subject) else Subject(factory)
        for check in all_checks():
            run = functools.partial(_run_or_raise, check, subject)
            parameters.append(pytest.param(run, id=f"{subject.factory}-{check.__name__}"))
    return pytest.mark.parametrize("check", parameters)


def _run_or_raise(check: Check, subject: Subject) -> None:
    problem = _run(check, subject)
    if problem is not None:
        raise BrokenContractError(subject, [problem])


def _run(check: Check, subject: Subject) -> Problem | None:
    rule = " ".join((check.__doc__ or check.__name__).split())
    try:
        check(subject)
    except BrokenRuleError as broken:
        return Problem(check.__name__, rule, str(broken))
    except Exception as error:
        return Problem(check.__name__, rule, f"{type(error).__name__}: {error}")
    return None
