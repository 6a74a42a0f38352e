"""Checks of how a component initialises, learns, and stays whole when learning fails."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

from ferrule.errors import ConcurrentUpdateError
from ferrule.optimizer import SGD, Adam
from ferrule.testing.expectation import BrokenRuleError, expect, expect_error
from ferrule.testing.subject import Subject, gradients_of, same_arrays, weights_of
from ferrule.tokens import Doc
from ferrule.training.example import Example

__all__ = ["CHECKS"]


def initialize_wants_a_function(subject: Subject) -> None:
    """`initialize` raises TypeError for anything but a function that returns examples."""
    nlp, pipe = subject.blank()
    examples = list(subject.examples_of(nlp))
    expect_error(TypeError, lambda: pipe.initialize(examples, nlp=nlp), "initialize(list)")


def label_data_gives_the_labels_back(subject: Subject) -> None:
    """`initialize(labels=label_data)` gives another component the same labels in the same order."""
    _, pipe, _ = subject.ready()
    if not pipe.labels or pipe.label_data is None:
        return
    nlp, other = subject.blank()
    examples = list(subject.examples_of(nlp))
    other.initialize(lambda: examples, nlp=nlp, labels=pipe.label_data)
    expect(
        list(other.labels) == list(pipe.labels),
        f"labels {list(pipe.labels)} came back as {list(other.labels)}",
    )


def add_label_says_whether_it_is_new(subject: Subject) -> None:
    """`add_label` returns 1 for a new label and 0 for one that is there, before the model has its outputs."""
    _, pipe = subject.blank()
    try:
        first = pipe.add_label("CHECK_LABEL")
    except NotImplementedError:
        return
    expect(first == 1, f"a new label gave {first!r}")
    expect(pipe.add_label("CHECK_LABEL") == 0, "a label that was there did not give 0")
    expect("CHECK_LABEL" in pipe.labels, "the new label is not among the labels")


def set_output_fits_is_resizable(subject: Subject) -> None:
    """`set_output` raises NotImplementedError if, and only if, the component is not resizable."""
    _, pipe, _ = subject.ready()
    if not pipe.is_resizable:
        expect_error(NotImplementedError, lambda: pipe.set_output(64), "set_output")


def update_adds_to_the_losses(subject: Subject) -> None:
    """`update` returns the losses it was given, with a finite loss added under the component's name."""
    _, pipe, examples = subject.ready()
    losses = {"other": 1.0}
    returned = pipe.update(examples, sgd=None, losses=losses)
    expect(returned is losses, "another dictionary was returned")
    expect(losses["other"] == 1.0, "the loss of another component was changed")
    first = losses.get(pipe.name)
    expect(isinstance(first, float) and math.isfinite(first), f"the loss is {first!r}")
    fresh = pipe.update(examples, sgd=None)
    expect(set(fresh) == {pipe.name}, f"without losses, update returned the keys {sorted(fresh)}")


def update_without_optimizer_leaves_the_step(subject: Subject) -> None:
    """With `sgd=None` weights stay; `finish_update` then steps them and clears the gradients."""
    _, pipe, examples = subject.ready()
    before = weights_of(pipe)
    pipe.update(examples, sgd=None)
    expect(same_arrays(weights_of(pipe), before), "update(sgd=None) changed weights")
    had_gradients = bool(gradients_of(pipe))
    pipe.finish_update(pipe.create_optimizer())
    expect(not gradients_of(pipe), "finish_update left gradients")
    if had_gradients:
        expect(not same_arrays(weights_of(pipe), before), "finish_update changed no weight")


def update_takes_a_generator(subject: Subject) -> None:
    """A generator of examples is read once and learned from, with the same result as a list."""
    _, pipe, examples = subject.ready()
    from_list = pipe.update(examples, sgd=None)[pipe.name]
    _, again, examples = subject.ready()
    from_generator = again.update((example for example in examples), sgd=None)[again.name]
    expect(from_list == from_generator, f"loss {from_generator} from a generator, {from_list} from a list")


def update_makes_its_own_optimizer(subject: Subject) -> None:
    """With `sgd` left out the component makes an optimizer and steps."""
    _, pipe, examples = subject.ready()
    before = weights_of(pipe)
    for _ in range(3):
        pipe.update(examples)
    expect(not gradients_of(pipe), "gradients were left over")
    if before and pipe.update(examples, sgd=None)[pipe.name]:
        expect(not same_arrays(weights_of(pipe), before), "no weight changed")


def update_learns(subject: Subject) -> None:
    """Forty updates on the same examples make the loss smaller."""
    nlp, pipe, examples = subject.ready()
    optimizer = nlp.create_optimizer()
    optimizer.learn_rate = 0.01
    first = nlp.update(examples, sgd=optimizer)[pipe.name]
    for _ in range(40):
        last = nlp.update(examples, sgd=optimizer)[pipe.name]
    if first:
        expect(last < first, f"the loss went from {first} to {last}")


def update_accepts_empty_input(subject: Subject) -> None:
    """No examples, and examples without tokens, give a loss of zero and change nothing."""
    nlp, pipe, _ = subject.ready()
    before = weights_of(pipe)
    empty = Example(Doc(nlp.vocab), Doc(nlp.vocab))
    for examples in ([], [empty]):
        losses = pipe.update(examples, sgd=None)
        expect(losses.get(pipe.name, 0.0) == 0.0, f"the loss is {losses}")
    expect(same_arrays(weights_of(pipe), before), "weights were changed")


def update_refuses_wrong_input(subject: Subject) -> None:
    """`update` raises TypeError for what are no examples, ValueError for a dropout rate outside 0…1."""
    _, pipe, examples = subject.ready()
    expect_error(TypeError, lambda: pipe.update(["a text"], sgd=None), "update(['a text'])")
    expect_error(ValueError, lambda: pipe.update(examples, drop=1.5, sgd=None), "update(drop=1.5)")


def a_failing_update_changes_nothing(subject: Subject) -> None:
    """If the optimizer fails at any of its calls, weights and gradients are what they were."""
    _, pipe, examples = subject.ready()
    pipe.update(examples, sgd=None)
    n_calls = len([1 for node in pipe.model.walk() for _ in node.grad_names])
    pipe.finish_update(pipe.create_optimizer())
    before = weights_of(pipe)
    for call in range(1, n_calls + 1):
        optimizer = _FailingOptimizer(pipe.create_optimizer(), call)
        try:
            pipe.update(examples, sgd=optimizer)
        except _OptimizerError:
            expect(same_arrays(weights_of(pipe), before), f"weights changed though call {call} failed")
            expect(not gradients_of(pipe), f"gradients were left though call {call} failed")
        else:
            raise BrokenRuleError(f"the error of call {call} was swallowed, or the call never came")


def a_failing_loss_changes_nothing(subject: Subject) -> None:
    """If `get_loss` raises, or the loss is NaN or infinite, weights and gradients are what they were."""
    _, pipe, examples = subject.ready()
    if not pipe.update(examples, sgd=None).get(pipe.name):
        return
    _, pipe, examples = subject.ready()
    before = weights_of(pipe)
    plain = pipe.get_loss
    for broken in (math.nan, math.inf, None):

        def get_loss(examples: Any, scores: Any, broken: float | None = broken) -> Any:
            if broken is None:
                raise ValueError("the loss fails")
            return broken, plain(examples, scores)[1]

        pipe.get_loss = get_loss
        expect_error(ValueError, lambda: pipe.update(examples, sgd=pipe.create_optimizer()), f"loss {broken}")
        expect(same_arrays(weights_of(pipe), before), f"weights changed with a loss of {broken}")
        expect(not gradients_of(pipe), f"gradients were left with a loss of {broken}")


def use_params_restores(subject: Subject) -> None:
    """`use_params` puts values in for a block and the old ones back, also when the block raises."""
    _, pipe, _ = subject.ready()
    before = weights_of(pipe)
    params = {
        (node.id, name): node.get_param(name) * 0 + 1
        for node in pipe.model.walk()
        for name in node.param_names
        if node.has_param(name)
    }
    try:
        with pipe.use_params(params):
            inside = weights_of(pipe)
            raise _OptimizerError
    except _OptimizerError:
        pass
    expect(all((array == 1).all() for array in inside.values()), "the given values were not used")
    expect(same_arrays(weights_of(pipe), before), "the old values did not come back")


def concurrent_updates_are_refused(subject: Subject) -> None:
    """While one thread updates, an update in another raises ConcurrentUpdateError."""
    _, pipe, examples = subject.ready()
    if not pipe.update(examples, sgd=None).get(pipe.name):
        return
    plain, inside, go_on = pipe.get_loss, threading.Event(), threading.Event()

    def get_loss(examples: Any, scores: Any) -> Any:
        inside.set()
        go_on.wait(10)
        return plain(examples, scores)

    pipe.get_loss = get_loss
    thread = threading.Thread(target=lambda: pipe.update(examples, sgd=None))
    thread.start()
    try:
        inside.wait(10)
        pipe.get_loss = plain
        expect_error(ConcurrentUpdateError, lambda: pipe.update(examples, sgd=None), "a second update")
    finally:
        go_on.set()
        thread.join()


def distill_leaves_the_teacher(subject: Subject) -> None:
    """`distill` teaches the student and leaves the teacher as it is; without a loss for it, it is refused."""
    teacher_nlp, teacher, examples = subject.ready()
    _, student, examples = subject.ready()
    if not student.is_distillable:
        expect_error(
            NotImplementedError, lambda: student.get_teacher_student_loss([], []), "get_teacher_student_loss"
        )
        return
    optimizer = teacher_nlp.create_optimizer()
    optimizer.learn_rate = 0.01
    for _ in range(3):
        teacher_nlp.update(examples, sgd=optimizer)
    state = teacher.to_bytes(exclude=["vocab"])
    losses = student.distill(teacher, examples, sgd=student.create_optimizer(), losses={})
    expect(student.name in losses, f"distill returned {losses}")
    expect(math.isfinite(losses[student.name]), f"the loss is {losses[student.name]}")
    expect(teacher.to_bytes(exclude=["vocab"]) == state, "the teacher was changed")


def rehearse_returns_losses(subject: Subject) -> None:
    """`rehearse` returns the losses, before and after `resume_training`."""
    nlp, pipe, examples = subject.ready()
    expect(isinstance(pipe.rehearse(examples, sgd=None, losses={}), dict), "no losses before resume_training")
    nlp.resume_training()
    losses = pipe.rehearse(examples, sgd=None, losses={})
    expect(isinstance(losses, dict), f"rehearse returned {type(losses).__name__}")
    expect(all(math.isfinite(loss) for loss in losses.values()), f"the losses are {losses}")


def rehearsal_leads_back(subject: Subject) -> None:
    """After `resume_training` and updates, `rehearse` brings what the component says back to what it said."""
    nlp, pipe, examples = subject.ready()
    pipe.update(examples, sgd=Adam(0.01))
    nlp.resume_training()

    def distance() -> float:
        losses: dict[str, float] = pipe.rehearse(examples, sgd=SGD(0.0), losses={})
        return losses.get(pipe.name, 0.0)

    optimizer = Adam(0.01)
    for _ in range(10):
        pipe.update(examples, sgd=optimizer)
    drifted = distance()
    if not drifted:
        return
    practice = Adam(0.01)
    for _ in range(20):
        pipe.rehearse(examples, sgd=practice)
    expect(distance() < drifted, f"its loss was {drifted} before rehearsal and is {distance()} after it")


class _OptimizerError(RuntimeError):
    """Raised on purpose."""


class _FailingOptimizer:
    """An optimizer that raises at one of its calls."""

    def __init__(self, optimizer: Any, fails_at: int) -> None:
        self._optimizer = optimizer
        self._left = fails_at

    def __call__(self, key: Any, weights: Any, gradient: Any, **kwargs: Any) -> Any:
        self._left -= 1
        stepped = self._optimizer(key, weights, gradient, **kwargs)
        if self._left == 0:
            raise _OptimizerError("the optimizer fails")
        return stepped

    def __getattr__(self, name: str) -> Any:
        return getattr(self._optimizer, name)


CHECKS: list[Callable[[Subject], None]] = [
    initialize_wants_a_function,
    label_data_gives_the_labels_back,
    add_label_says_whether_it_is_new,
    set_output_fits_is_resizable,
    update_adds_to_the_losses,
    update_without_optimizer_leaves_the_step,
    update_takes_a_generator,
    update_makes_its_own_optimizer,
    update_learns,
    update_accepts_empty_input,
    update_refuses_wrong_input,
    a_failing_update_changes_nothing,
    a_failing_loss_changes_nothing,
    use_params_restores,
    concurrent_updates_are_refused,
    distill_leaves_the_teacher,
    rehearse_returns_losses,
    rehearsal_leads_back,
]
