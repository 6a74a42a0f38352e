"""Guarantee 8: an exception leaves weights, gradients and teachers as they were."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest
from fault_parts import MODEL, state, trained
from thinc.api import Adam

import ferrule
from ferrule import optimizer
from ferrule.errors import NonFiniteLossError
from ferrule.language import Language
from ferrule.testing import default_examples

METHODS = ["update", "rehearse", "distill"]


class FailingAt:
    """An optimizer whose `at`-th call raises, after it has stepped the weights."""

    def __init__(self, at: int, inner: Any = None) -> None:
        self.at, self.calls, self.inner = at, 0, inner or Adam(0.05)

    def __call__(self, key: Any, weights: Any, gradient: Any, **settings: Any) -> Any:
        self.calls += 1
        stepped = self.inner(key, weights, gradient, **settings)
        if self.calls == self.at:
            raise RuntimeError("the optimizer has a bug")
        return stepped

    def step_schedules(self) -> None:
        self.inner.step_schedules()


@pytest.fixture(scope="module")
def teacher() -> Language:
    return trained(3)


@pytest.fixture
def nlp() -> Language:
    pipeline = trained()
    pipeline.resume_training()
    pipeline.update(default_examples(pipeline))  # so that there is something to rehearse
    return pipeline


def teach(nlp: Any, teacher: Any, method: str, **settings: Any) -> Any:
    examples = default_examples(nlp)
    arguments = (teacher, examples) if method == "distill" else (examples,)
    return getattr(nlp, method)(*arguments, **settings)


def gradients(nlp: Language) -> list[bytes]:
    nodes = [node for _, pipe in nlp.pipeline for node in pipe.model.walk()]
    return [
        node.get_grad(name).tobytes()
        for node in nodes
        for name in node.grad_names
        if node.get_grad(name).any()
    ]


@pytest.mark.parametrize("method", METHODS)
def test_an_optimizer_that_raises_at_any_call_changes_no_weight(
    nlp: Language, teacher: Language, method: str
) -> None:
    before, of_teacher = state(nlp), state(teacher)
    for at in range(1, 100):
        losses = {"tagger": 1.0}
        failing = FailingAt(at)
        try:
            teach(nlp, teacher, method, sgd=failing, losses=losses)
        except RuntimeError:
            assert (state(nlp), gradients(nlp), losses) == (before, [], {"tagger": 1.0})
        else:
            break
    assert at > 5
    assert failing.calls == at - 1
    assert state(nlp) != before
    assert state(teacher) == of_teacher


@pytest.mark.parametrize("make", [Adam, optimizer.Adam, optimizer.RAdam])
@pytest.mark.parametrize("whole", [True, False], ids=["pipeline", "component"])
def test_an_optimizer_forgets_the_step_that_failed(make: Any, whole: bool) -> None:
    """Moments, averages and counts of steps are as before, so the next step is the one it would have been."""

    def step(pipeline: Language, sgd: Any) -> None:
        (pipeline if whole else pipeline.get_pipe("tagger")).update(default_examples(pipeline), sgd=sgd)

    never_failed, undisturbed = trained(), FailingAt(0, make(0.05))
    again, failing = trained(), FailingAt(0, make(0.05))
    for pipeline, sgd in ((never_failed, undisturbed), (again, failing)):
        step(pipeline, sgd)
    for at in (1, 2, 7):
        failing.at = failing.calls + at
        with pytest.raises(RuntimeError, match="has a bug"):
            step(again, failing)
    for pipeline, sgd in ((never_failed, undisturbed), (again, failing)):
        step(pipeline, sgd)
    assert state(again) == state(never_failed)
    averages = [[array.tobytes() for array in sgd.inner.averages.values()] for sgd in (failing, undisturbed)]
    assert averages[0] == averages[1]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_steps_nothing(
    nlp: Language, teacher: Language, method: str, loss: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    which = "get_loss" if method == "update" else "get_teacher_student_loss"
    plain = getattr(nlp.get_pipe("tagger"), which)
    monkeypatch.setattr(
        nlp.get_pipe("tagger"), which, lambda *given, **settings: (loss, plain(*given, **settings)[1])
    )
    before = state(nlp)
    with pytest.raises(NonFiniteLossError, match="nothing was changed"):
        teach(nlp, teacher, method)
    assert (state(nlp), gradients(nlp)) == (before, [])


@pytest.mark.parametrize("method", METHODS)
def test_a_gradient_that_is_no_number_steps_nothing(
    nlp: Language, teacher: Language, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    which = "get_loss" if method == "update" else "get_teacher_student_loss"
    plain = getattr(nlp.get_pipe("tagger"), which)

    def broken(*given: Any, **settings: Any) -> Any:
        loss, d_scores = plain(*given, **settings)
        d_scores[-1][0, 0] = math.nan
        return loss, d_scores

    monkeypatch.setattr(nlp.get_pipe("tagger"), which, broken)
    before = state(nlp)
    with pytest.raises(NonFiniteLossError, match="nothing was changed"):
        teach(nlp, teacher, method)
    assert (state(nlp), gradients(nlp)) == (before, [])


def test_distilling_leaves_the_teacher_alone(nlp: Language, teacher: Language) -> None:
    before, weights = state(teacher), gradients(teacher)
    examples = default_examples(nlp)
    for settings in ({}, {"temperature": 2.0}, {"gold_share": 0.5}, {"drop": 0.3}):
        nlp.get_pipe("tagger").distill(teacher.get_pipe("tagger"), examples, **settings)
    nlp.distill(teacher, examples)
    assert (state(teacher), gradients(teacher)) == (before, weights)


def test_use_params_restores_after_an_error(nlp: Language) -> None:
    pipe = nlp.get_pipe("tagger")
    params = {
        (node.id, name): numpy.zeros_like(node.get_param(name))
        for node in pipe.model.walk()
        for name in node.param_names
        if node.has_param(name)
    }
    before = state(nlp)
    for owner in (nlp, pipe):
        with pytest.raises(RuntimeError), owner.use_params(params):
            assert state(nlp) != before
            raise RuntimeError
        assert state(nlp) == before


def test_a_failing_component_undoes_what_the_one_before_it_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = ferrule.blank("en")
    for name in ("first", "second"):
        nlp.add_pipe("tagger", name=name, config={"model": MODEL})
    examples = default_examples(nlp)
    nlp.initialize(lambda: examples)
    before = state(nlp)

    def broken(*given: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(nlp.get_pipe("second"), "get_loss", broken)
    with pytest.raises(ZeroDivisionError):
        nlp.update(examples)
    assert state(nlp) == before


@pytest.mark.parametrize("gathered", [False, True])
@pytest.mark.parametrize("at", ["second", "step"])
def test_gradients_are_put_back_whoever_changed_them(
    monkeypatch: pytest.MonkeyPatch, gathered: bool, at: str
) -> None:
    """Of components that look after their own, and of one whose `update` is not the usual one."""
    nlp = ferrule.blank("en")
    for name in ("first", "other", "second"):
        nlp.add_pipe("tagger", name=name, config={"model": MODEL})
    examples = default_examples(nlp)
    nlp.initialize(lambda: examples)
    other = nlp.get_pipe("other")
    usual = other.update

    def update(*given: Any, **settings: Any) -> Any:
        losses = usual(*given, **settings)
        for node in other.model.walk():
            for name in node.param_names:
                node.inc_grad(name, node.get_param(name))
        return losses

    monkeypatch.setattr(other, "update", update)
    if gathered:
        nlp.update(examples, sgd=False)
    before = state(nlp), gradients(nlp)
    assert bool(before[1]) is gathered

    def broken(*given: Any) -> Any:
        raise ZeroDivisionError

    second = nlp.get_pipe("second")
    monkeypatch.setattr(second, "get_loss" if at == "second" else "_before_step", broken)
    with pytest.raises(ZeroDivisionError):
        nlp.update(examples)
    assert (state(nlp), gradients(nlp)) == before
