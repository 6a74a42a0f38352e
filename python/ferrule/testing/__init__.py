"""The `TrainablePipe` contract as checks to run against your own component.

In a test file, one line is enough:

    from ferrule.testing import parametrize_with_checks

    @parametrize_with_checks(["my_component"])
    def test_my_component_keeps_the_contract(check):
        check()

`check_pipe("my_component")` runs them all and says in plain words what is broken.
"""

from __future__ import annotations

from ferrule.testing.running import BrokenContractError, Problem, check_pipe, parametrize_with_checks
from ferrule.testing.subject import Subject, default_examples

__all__ = [
    "BrokenContractError",
    "Problem",
    "Subject",
    "check_pipe",
    "default_examples",
    "parametrize_with_checks",
]
