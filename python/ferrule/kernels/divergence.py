"""The divergence of a student from a teacher."""

from __future__ import annotations

from typing import Any, Literal

from ferrule import _core

from .batch import Batch, Floats, Ragged, Reduction, width_of


def kl_divergence(
    student: Ragged,
    teacher: Ragged,
    *,
    temperature: float = 1.0,
    direction: Literal["forward", "reverse"] = "forward",
    labels: Any = None,
    gold: float = 0.0,
    missing_label: int = -1,
    row_weights: Any = None,
    mask: Any = None,
    reduction: Reduction = "mean",
    out: Floats | None = None,
    n_threads: int | None = None,
) -> tuple[float, Any]:
    """How far a student's distribution is from a teacher's, in nats, and the gradient for the student.

    student, teacher: logits, floats (..., width), both divided by `temperature`. No factor of `temperature **
    2` is put in; multiply both results by it to keep gradients of one size over temperatures (Hinton et al.
    2015).
    direction: "forward" is KL(teacher ‖ student), "reverse" KL(student ‖ teacher).
    labels, gold: the loss becomes `(1 - gold) * KL + gold * cross_entropy(student, labels)`; rows whose label
        is `missing_label` learn from the teacher alone.
    row_weights: floats (...), not negative. mask: bools (...), False leaves the row out.

    Returns `(loss, d_student)`; the teacher is not changed. Raises IndexError for a label out of range,
    TypeError for arrays of a wrong type, ValueError for shapes that differ or settings out of range.

    >>> import numpy as np
    >>> loss, d_student = kl_divergence(np.array([[0.0, 0.0]]), np.log([[0.75, 0.25]]))
    >>> round(loss, 4), d_student.round(4)
    (0.1308, array([[-0.25,  0.25]]))
    """
    batch = Batch("kl_divergence", student, out)
    teacher_scores = batch.join(teacher, "teacher")
    if teacher_scores.shape[-1:] != batch.scores.shape[-1:]:
        raise ValueError(
            f"kl_divergence: teacher has {width_of(teacher_scores)} columns, "
            f"student has {width_of(batch.scores)}; both need one per label."
        )
    weights = batch.row_weights(row_weights, mask)
    if labels is None:
        if gold:
            raise ValueError(f"kl_divergence: gold is {gold} but there are no labels; give both or neither.")
        loss, gradient = _core.kl_divergence(
            batch.scores, teacher_scores, temperature, direction, weights, reduction, out, n_threads
        )
    else:
        label_array = batch.one_a_row(batch.join(labels, "labels"), "labels")
        loss, gradient = _core.distillation(
            batch.scores,
            teacher_scores,
            label_array,
            gold,
            temperature,
            direction,
            missing_label,
            weights,
            reduction,
            out,
            n_threads,
        )
    return loss, batch.split(gradient)
