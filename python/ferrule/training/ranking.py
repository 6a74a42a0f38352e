"""Which evaluation of a run is the best."""

from __future__ import annotations

__all__ = ["rank"]


def rank(score: float, step: int) -> tuple[float, int]:
    """What sorts evaluations: by score; of equal ones the earliest is the best.

    A score of 0 says nothing, as where no component is scored or nothing is right yet: of those the latest is
    the best, so that it is not the model of the first step.

    >>> max([(0.5, 0), (0.9, 200), (0.9, 400)], key=lambda each: rank(*each))
    (0.9, 200)
    >>> max([(0.0, 0), (0.0, 200)], key=lambda each: rank(*each))
    (0.0, 200)
    """
    return (score, -step if score else step)
