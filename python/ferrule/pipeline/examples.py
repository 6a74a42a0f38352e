"""Checks of what components are given: documents, examples, rates, matching tokens and labels.

Examples are recognised by what they have (`predicted` and `reference`), so that spaCy's are as good as ours.
"""

from __future__ import annotations

import inspect
import math
import numbers
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, TypeVar

from ferrule.errors import LabelError

__all__ = [
    "all_examples",
    "are_documents",
    "are_losses",
    "is_dropout_rate",
    "is_optimizer",
    "is_share",
    "is_temperature",
    "same_labels",
    "same_tokens",
    "sample_examples",
    "usable_teacher",
]

T = TypeVar("T")


def all_examples(examples: Iterable[Any], owner: str) -> list[Any]:
    """The examples as a list, a generator read once; TypeError, naming `owner`, if one of them is none."""
    if isinstance(examples, str | bytes | dict) or not hasattr(examples, "__iter__"):
        raise TypeError(f"{owner}: expected a list of Example objects, found {type(examples).__name__}")
    listed = list(examples)
    if all(map(_makes_examples, set(map(type, listed)))):
        return listed
    wrong = sorted({type(item).__name__ for item in listed if not _is_example(item)})
    if wrong:
        raise TypeError(
            f"{owner}: expected a list of Example objects, found {', '.join(wrong)} in it; make examples "
            "with "
            f"Example.from_dict(doc, annotations)"
        )
    return listed


def sample_examples(get_examples: Callable[[], Iterable[Any]], owner: str, *, limit: int = 10) -> list[Any]:
    """The first `limit` of what `get_examples()` returns; TypeError unless it is a function of examples."""
    if not callable(get_examples):
        raise TypeError(
            f"{owner}: get_examples must be a function that returns Example objects, found "
            f"{type(get_examples).__name__}; wrap a list of them as `lambda: examples`"
        )
    examples = get_examples()
    if not hasattr(examples, "__iter__"):
        raise TypeError(f"{owner}: get_examples returned {type(examples).__name__}, expected Example objects")
    return all_examples(islice(examples, limit), owner)


def same_tokens(examples: Iterable[Any], owner: str) -> None:
    """ValueError unless the predicted and the reference document of each example have the same tokens."""
    for index, example in enumerate(examples):
        student = [token.text for token in example.predicted]
        teacher = [token.text for token in example.reference]
        if student != teacher:
            raise ValueError(
                f"{owner}: in example {index} the student has {len(student)} tokens and the teacher "
                f"{len(teacher)}, first different at token {_first_difference(student, teacher)}; "
                "distillation "
                f"needs the same tokens on both sides"
            )


def same_labels(teacher: Sequence[str], student: Sequence[str], owner: str) -> None:
    """LabelError unless teacher and student have the same labels in the same order."""
    if tuple(teacher) == tuple(student):
        return
    only_teacher = sorted(set(teacher) - set(student))
    only_student = sorted(set(student) - set(teacher))
    if only_teacher or only_student:
        raise LabelError(
            f"{owner}: teacher and student must have the same labels; only the teacher has "
            f"{only_teacher}, only "
            f"the student has {only_student}. Initialize the student with labels=teacher_pipe.label_data."
        )
    raise LabelError(
        f"{owner}: teacher and student have the same labels in a different order, and this component "
        "cannot map "
        f"them. Initialize the student with labels=teacher_pipe.label_data."
    )


def are_documents(docs: list[Any], owner: str) -> None:
    """TypeError, naming the first that is none, unless all of `docs` are documents, ours or spaCy's."""
    if all(map(_is_document_type, set(map(type, docs)))):
        return
    for doc in docs:
        if not _is_document_type(type(doc)):
            raise TypeError(
                f"{owner}: expected a document, found {type(doc).__name__}; make one with "
                "nlp.make_doc(text), or give texts to the pipeline."
            )


def is_dropout_rate(drop: float, owner: str) -> None:
    """ValueError unless 0 <= drop < 1, TypeError if it is no number."""
    _is_number(drop, "drop", owner)
    if not 0.0 <= drop < 1.0:
        raise ValueError(f"{owner}: drop must be at least 0 and below 1, found {drop!r}")


def is_share(value: float, name: str, owner: str) -> None:
    """ValueError unless 0 <= value <= 1, TypeError if it is no number."""
    _is_number(value, name, owner)
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{owner}: {name} must be between 0 and 1, found {value!r}")


def is_temperature(temperature: float, loss: Callable[..., Any], owner: str) -> None:
    """ValueError unless it is above 0; TypeError if it is no number, or `loss` takes none and it is not 1."""
    _is_number(temperature, "temperature", owner)
    if not 0.0 < temperature < math.inf:
        raise ValueError(f"{owner}: temperature must be above 0, found {temperature!r}")
    if temperature == 1.0:
        return
    parameters = inspect.signature(loss).parameters
    if "temperature" not in parameters and not any(
        each.kind is each.VAR_KEYWORD for each in parameters.values()
    ):
        raise TypeError(
            f"{owner}: this component has no temperature; its get_teacher_student_loss takes no argument of "
            f"that name. Leave it out, or give the method one; found {temperature!r}."
        )


def usable_teacher(teacher: T | None, owner: str) -> T:
    """`teacher` if it can teach; ValueError for None, TypeError for what is no component."""
    if teacher is None:
        raise ValueError(f"{owner}: needs a teacher, found None")
    if not hasattr(teacher, "teacher_rows") and not (
        hasattr(teacher, "model") and hasattr(teacher, "labels")
    ):
        remedy = (
            "; take one of its components, teacher.get_pipe(name)" if hasattr(teacher, "get_pipe") else ""
        )
        raise TypeError(
            f"{owner}: expected a component with labels and a model as teacher, found "
            f"{type(teacher).__name__}{remedy}"
        )
    return teacher


def is_optimizer(sgd: Any, owner: str) -> None:
    """TypeError for anything but an optimizer, which can be called, or None or False for none."""
    if sgd is not None and sgd is not False and not callable(sgd):
        raise TypeError(
            f"{owner}: sgd must be an optimizer, or None or False to gather gradients only, found "
            f"{type(sgd).__name__}: {sgd!r}; make one with create_optimizer()"
        )


def are_losses(losses: Any, owner: str) -> Any:
    """`losses` if it is a mapping; TypeError otherwise."""
    if not hasattr(losses, "get") or not hasattr(losses, "__setitem__"):
        raise TypeError(
            f"{owner}: losses must be a dictionary of names and numbers, found {type(losses).__name__}"
        )
    return losses


def _is_number(value: Any, name: str, owner: str) -> None:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{owner}: {name} must be a number, found {type(value).__name__}: {value!r}")


def _makes_examples(kind: type) -> bool:
    return hasattr(kind, "predicted") and hasattr(kind, "reference")


def _is_document_type(kind: type) -> bool:
    """Whether it is a `Doc`, ours or spaCy's; tokens and spans know a vocabulary too, but keep no data."""
    return hasattr(kind, "vocab") and hasattr(kind, "user_data")


def _is_example(item: Any) -> bool:
    return hasattr(item, "predicted") and hasattr(item, "reference")


def _first_difference(first: Sequence[str], second: Sequence[str]) -> str:
    for index, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return f"{index} ({one!r} against {other!r})"
    return str(min(len(first), len(second)))
