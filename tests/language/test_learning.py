"""Training whole pipelines: all of a step or none of it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from language_parts import LISTENING_TAGGER, SMALL_TAGGER, SMALL_TOK2VEC
from thinc.api import Adam

import ferrule
from ferrule.errors import ConcurrentUpdateError, ConfigError, NonFiniteLossError
from ferrule.language import Language
from ferrule.testing import default_examples
from ferrule.testing.subject import gradients_of, same_arrays, weights_of
from ferrule.training.example import Example


def shared_pipeline() -> tuple[Language, list[Example]]:
    """An encoder and two taggers that listen to it."""
    nlp = ferrule.blank("en")
    nlp.add_pipe("tok2vec", config={"model": SMALL_TOK2VEC})
    nlp.add_pipe("tagger", config={"model": LISTENING_TAGGER})
    nlp.add_pipe("tagger", name="second", config={"model": LISTENING_TAGGER})
    examples = default_examples(nlp)
    nlp.initialize(lambda: examples)
    return nlp, examples


def state(nlp: Language) -> list[Any]:
    return [(name, weights_of(pipe), gradients_of(pipe)) for name, pipe in nlp.pipeline]


def assert_same_state(one: list[Any], other: list[Any]) -> None:
    for (name, weights, gradients), (_, weights_now, gradients_now) in zip(one, other, strict=True):
        assert same_arrays(weights, weights_now), f"weights of {name} changed"
        assert same_arrays(gradients, gradients_now), f"gradients of {name} changed"


class FailingOptimizer:
    def __init__(self, fails_at: int) -> None:
        self.optimizer = Adam(0.01)
        self.calls = 0
        self.fails_at = fails_at

    def __call__(self, key: Any, weights: Any, gradient: Any, **kwargs: Any) -> Any:
        self.calls += 1
        if self.calls == self.fails_at:
            raise RuntimeError("the optimizer fails")
        return self.optimizer(key, weights, gradient, **kwargs)


def test_an_optimizer_that_fails_at_any_call_changes_nothing() -> None:
    nlp, examples = shared_pipeline()
    counting = FailingOptimizer(fails_at=-1)
    nlp.update(examples, sgd=counting)  # type: ignore[arg-type]
    assert counting.calls > 10
    before = state(nlp)
    losses = {"tagger": 5.0}
    for call in range(1, counting.calls + 1):
        with pytest.raises(RuntimeError, match="the optimizer fails"):
            nlp.update(examples, sgd=FailingOptimizer(call), losses=losses)  # type: ignore[arg-type]
        assert_same_state(before, state(nlp))
    assert losses == {"tagger": 5.0}


@pytest.mark.parametrize("component", ["tagger", "second"])
@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_changes_nothing(
    component: str, loss: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    nlp, examples = shared_pipeline()
    nlp.update(examples, sgd=Adam(0.01))
    before = state(nlp)
    pipe = nlp.get_pipe(component)
    plain = pipe.get_loss
    with monkeypatch.context() as patch:
        patch.setattr(pipe, "get_loss", lambda examples, scores: (loss, plain(examples, scores)[1]))
        with pytest.raises(NonFiniteLossError, match="finite"):
            nlp.update(examples, sgd=Adam(0.01))
    assert_same_state(before, state(nlp))
    assert all(math.isfinite(value) for value in nlp.update(examples, sgd=Adam(0.01)).values())


def test_gathered_gradients_survive_a_failing_update(monkeypatch: pytest.MonkeyPatch) -> None:
    nlp, examples = shared_pipeline()
    nlp.update(examples, sgd=False)
    pipe = nlp.get_pipe("second")
    before = gradients_of(pipe)
    assert before
    with monkeypatch.context() as patch:
        patch.setattr(pipe, "get_loss", lambda examples, scores: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            nlp.update(examples, sgd=False)
    assert same_arrays(gradients_of(pipe), before)


def test_shared_components_learn_together() -> None:
    nlp, examples = shared_pipeline()
    optimizer = Adam(0.01)
    encoder = weights_of(nlp.get_pipe("tok2vec"))
    first = nlp.update(examples, sgd=optimizer)
    for _ in range(30):
        last = nlp.update(examples, sgd=optimizer)
    assert last["tagger"] < first["tagger"] / 2
    assert last["second"] < first["second"] / 2
    assert not same_arrays(weights_of(nlp.get_pipe("tok2vec")), encoder)


def test_excluded_components_do_not_learn() -> None:
    nlp, examples = shared_pipeline()
    frozen = weights_of(nlp.get_pipe("second"))
    losses = nlp.update(examples, sgd=Adam(0.01), exclude=["second"])
    assert "second" not in losses
    assert same_arrays(weights_of(nlp.get_pipe("second")), frozen)


def test_update_leaves_the_examples_alone(tagger: tuple[Language, list[Example]]) -> None:
    nlp, examples = tagger
    before = [(example.predicted.to_bytes(), example.reference.to_bytes()) for example in examples]
    nlp.update(examples, annotates=["tagger"])
    assert [(each.predicted.to_bytes(), each.reference.to_bytes()) for each in examples] == before


def test_annotating_components_are_seen_by_later_ones(tagger: tuple[Language, list[Example]]) -> None:
    nlp, examples = tagger
    seen = []

    class Watches:
        name = "watches"

        def __call__(self, doc: Any) -> Any:
            return doc

        def update(self, examples: Any, *, drop: float, sgd: Any, losses: Any) -> Any:
            seen.append([token.tag_ for token in examples[0].predicted])
            return losses

    Language.factory("test_watches", func=lambda nlp, name: Watches())
    nlp.add_pipe("test_watches")
    nlp.update(examples)
    nlp.update(examples, annotates=["tagger"])
    assert set(seen[0]) == {""}
    assert "" not in seen[1]


def test_update_of_one_pipeline_in_two_threads_is_refused(
    tagger: tuple[Language, list[Example]], monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    nlp, examples = tagger
    pipe = nlp.get_pipe("tagger")
    plain, inside, go_on = pipe.get_loss, threading.Event(), threading.Event()

    def slow(examples: Any, scores: Any) -> Any:
        inside.set()
        go_on.wait(10)
        return plain(examples, scores)

    monkeypatch.setattr(pipe, "get_loss", slow)
    thread = threading.Thread(target=nlp.update, args=(examples,))
    thread.start()
    try:
        assert inside.wait(10)
        with pytest.raises(ConcurrentUpdateError, match="another thread"):
            nlp.update(examples)
        with pytest.raises(ConcurrentUpdateError, match="another thread"):
            pipe.update(examples)
        assert nlp("Anna sees")[0].tag_
    finally:
        go_on.set()
        thread.join()


def test_two_positional_arguments_are_refused(nlp: Language) -> None:
    with pytest.raises(ValueError, match=r"Example.from_dict"):
        nlp.update(["text"], [{"tags": []}])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="found str in it"):
        nlp.update(["text"])  # type: ignore[list-item]


def test_initialize_passes_settings_and_calls_back(nlp: Language) -> None:
    calls = []
    ferrule.registry.callbacks("test_before_init.v1", func=lambda: lambda nlp: calls.append("before"))
    ferrule.registry.callbacks("test_after_init.v1", func=lambda: lambda nlp: calls.append("after"))
    pipe = nlp.add_pipe("test_settings")
    nlp.config["initialize"]["components"]["test_settings"] = {"setting": "given"}
    nlp.config["initialize"]["before_init"] = {"@callbacks": "test_before_init.v1"}
    nlp.config["initialize"]["after_init"] = {"@callbacks": "test_after_init.v1"}
    optimizer = nlp.initialize()
    assert pipe.initialized_with == "given"
    assert calls == ["before", "after"]
    assert optimizer.L2 == 0.01
    nlp.config["initialize"]["components"]["test_settings"] = {"seting": "wrong"}
    with pytest.raises(ConfigError, match=r"'seting'.*Did you mean 'setting'"):
        nlp.initialize()


def test_initialize_wants_a_function(nlp: Language) -> None:
    with pytest.raises(TypeError, match="must be a function"):
        nlp.initialize([])  # type: ignore[arg-type]


def test_distill_needs_a_teacher_for_each_component(tagger: tuple[Language, list[Example]]) -> None:
    nlp, examples = tagger
    student = ferrule.blank("en")
    student.add_pipe("tagger", name="pupil", config={"model": SMALL_TAGGER})
    own = default_examples(student)
    student.initialize(lambda: own)
    with pytest.raises(ValueError, match="'pupil' has no teacher"):
        student.distill(nlp, own)
    for _ in range(10):
        nlp.update(examples, sgd=Adam(0.01))
    before = nlp.to_bytes(exclude=["vocab"])
    optimizer = Adam(0.01)
    first = student.distill(nlp, own, sgd=optimizer, student_to_teacher={"pupil": "tagger"})
    for _ in range(30):
        last = student.distill(nlp, own, sgd=optimizer, student_to_teacher={"pupil": "tagger"})
    assert last["pupil"] < first["pupil"]
    assert nlp.to_bytes(exclude=["vocab"]) == before
    with pytest.raises(TypeError, match="as teacher, found int"):
        student.distill(3, own)  # type: ignore[arg-type]


def test_evaluate_scores_and_leaves_the_examples_alone(tagger: tuple[Language, list[Example]]) -> None:
    nlp, examples = tagger
    optimizer = Adam(0.01)
    for _ in range(40):
        nlp.update(examples, sgd=optimizer)
    before = [example.predicted.to_bytes() for example in examples]
    scores = nlp.evaluate(examples)
    assert scores["tag_acc"] == 1.0
    assert scores["token_acc"] == 1.0
    assert scores["speed"] > 0
    assert [example.predicted.to_bytes() for example in examples] == before


def test_use_params_restores_after_an_error(tagger: tuple[Language, list[Example]]) -> None:
    nlp, examples = tagger
    pipe = nlp.get_pipe("tagger")
    optimizer = Adam(0.01, use_averages=True)
    for _ in range(3):
        nlp.update(examples, sgd=optimizer)
    before = weights_of(pipe)
    with pytest.raises(RuntimeError), nlp.use_params(optimizer.averages):
        assert not same_arrays(weights_of(pipe), before)
        raise RuntimeError
    assert same_arrays(weights_of(pipe), before)
    with nlp.use_params(None):
        pass


def test_replaced_listeners_predict_the_same_and_stand_alone() -> None:
    nlp, examples = shared_pipeline()
    expected = [[token.tag_ for token in doc] for doc in nlp.pipe(["Anna sees bread", "The boat"])]
    nlp.replace_listeners("tok2vec", "tagger", ["model.tok2vec"])
    nlp.replace_listeners("tok2vec", "second", ["model.tok2vec"])
    assert nlp.get_pipe("tok2vec").listening_components == []
    nlp.remove_pipe("tok2vec")
    assert [[token.tag_ for token in doc] for doc in nlp.pipe(["Anna sees bread", "The boat"])] == expected
    assert nlp.config["components"]["tagger"]["model"]["tok2vec"]["@architectures"] == "spacy.HashEmbedCNN.v2"
    nlp.update(examples)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing", "tagger", ["model.tok2vec"]), "'nothing' is no enabled component"),
        (("tagger", "second", ["model.tok2vec"]), "nothing to listen to"),
        (("tok2vec", "tagger", ["model.tok2vec", "model.x"]), "has 1 listeners"),
        (("tok2vec", "tagger", ["model.nowhere"]), "no setting 'model.nowhere'"),
    ],
)
def test_replace_listeners_says_what_is_wrong(arguments: Any, message: str) -> None:
    nlp, _ = shared_pipeline()
    with pytest.raises(ValueError, match=message):
        nlp.replace_listeners(*arguments)


def test_a_sourced_component_is_a_copy(tagger: tuple[Language, list[Example]]) -> None:
    nlp, _ = tagger
    other = ferrule.blank("en")
    copy = other.add_pipe("tagger", source=nlp, name="copied")
    original = nlp.get_pipe("tagger")
    assert copy is not original
    assert (copy.name, copy.vocab is other.vocab, copy.labels) == ("copied", True, original.labels)
    assert same_arrays(weights_of(copy), weights_of(original))
    before = weights_of(original)
    other.update(default_examples(other), sgd=Adam(0.01))
    assert same_arrays(weights_of(original), before)
    assert not same_arrays(weights_of(copy), before)
    with pytest.raises(KeyError, match="the source has tagger"):
        other.add_pipe("ner", source=nlp)
    with pytest.raises(TypeError, match="found str"):
        other.add_pipe("tagger", name="x", source="en_core_web_sm")
