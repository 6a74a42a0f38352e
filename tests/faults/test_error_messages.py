"""Guarantee 15: an error names what was wrong, what was expected, what was found and the remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest
from fault_parts import MODEL, trained

import ferrule
from ferrule import errors
from ferrule.language import Language
from ferrule.pipeline.tagger import Tagger
from ferrule.testing import default_examples
from ferrule.tokens import Doc


class NoTemperature(Tagger):
    """Takes what the contract says, and no more."""

    def get_teacher_student_loss(self, teacher_scores: Any, student_scores: Any) -> Any:  # type: ignore[override]
        return super().get_teacher_student_loss(teacher_scores, student_scores)


def learnt_from(nlp: Language, change: Callable[..., Any]) -> Any:
    """Update a tagger whose `get_loss` returns what `change(loss, gradient)` does."""
    pipe = nlp.get_pipe("tagger")
    plain = pipe.get_loss
    pipe.get_loss = lambda examples, scores: change(*plain(examples, scores))
    return pipe.update(default_examples(nlp))


# The mistake, the kinds of exception it is, and what the message must say.
Mistake = tuple[Callable[[Language], Any], tuple[type[Exception], ...], tuple[str, ...]]


def predict_without_weights(nlp: Language) -> Any:
    new = ferrule.blank("en")
    new.add_pipe("tagger", config={"model": MODEL})
    return new("a")


def unlike_tokens(nlp: Language) -> Any:
    example = default_examples(nlp)[0]
    example.reference = Doc(nlp.vocab, words=["other", "tokens"])
    return example


MISTAKES: dict[str, Mistake] = {
    "unknown component": (
        lambda nlp: nlp.get_pipe("taggr"),
        (errors.ComponentNotFoundError, KeyError, ValueError),
        ("'taggr'", "Did you mean 'tagger'", "components are"),
    ),
    "unknown factory": (
        lambda nlp: nlp.add_pipe("textct"),
        (errors.UnknownNameError, ValueError),
        ("'textct'", "'textcat'"),
    ),
    "unknown registered function": (
        lambda nlp: ferrule.registry.get("schedules", "compunding.v1"),
        (errors.UnknownNameError, ValueError),
        ("'compunding.v1'", "'compounding.v1'"),
    ),
    "unknown language": (
        lambda nlp: ferrule.blank("qq"),
        (errors.UnknownNameError, ValueError),
        ("'qq'", "There are: ", "registry.languages"),
    ),
    "unknown setting": (
        lambda nlp: nlp.add_pipe("tagger", name="second", config={"modl": {}}),
        (errors.ConfigError, ValueError),
        ("modl", "settings are"),
    ),
    "a text that is none": (
        lambda nlp: nlp(3),  # type: ignore[arg-type]
        (TypeError,),
        ("expected a text", "found int", "3"),
    ),
    "prediction without weights": (
        predict_without_weights,
        (errors.NotInitializedError, ValueError),
        ("Tagger 'tagger'", "no weights", "nlp.initialize()"),
    ),
    "examples that are none": (
        lambda nlp: nlp.update([("text", {})]),  # type: ignore[list-item]
        (TypeError,),
        ("nlp.update", "expected a list of Example", "found tuple", "Example.from_dict"),
    ),
    "get_examples that is a list": (
        lambda nlp: nlp.initialize(default_examples(nlp)),  # type: ignore[arg-type]
        (TypeError,),
        ("get_examples", "found list", "lambda: examples"),
    ),
    "dropout out of range": (
        lambda nlp: nlp.update(default_examples(nlp), drop=1.5),
        (ValueError,),
        ("drop", "below 1", "found 1.5"),
    ),
    "share out of range": (
        lambda nlp: nlp.get_pipe("tagger").distill(nlp.get_pipe("tagger"), [], gold_share=2.0),
        (ValueError,),
        ("gold_share", "between 0 and 1", "found 2.0"),
    ),
    "no teacher": (
        lambda nlp: nlp.get_pipe("tagger").distill(None, default_examples(nlp)),
        (ValueError,),
        ("Tagger.distill ('tagger')", "needs a teacher", "found None"),
    ),
    "unlike tokens": (
        lambda nlp: nlp.get_pipe("tagger").distill(nlp.get_pipe("tagger"), [unlike_tokens(nlp)]),
        (ValueError,),
        ("example 0", "student has 6 tokens", "teacher 2", "same tokens"),
    ),
    "a pipeline as teacher of a component": (
        lambda nlp: nlp.get_pipe("tagger").distill(nlp, default_examples(nlp)),
        (TypeError,),
        ("Tagger.distill ('tagger')", "as teacher", "found English", "teacher.get_pipe(name)"),
    ),
    "a temperature that is none": (
        lambda nlp: nlp.get_pipe("tagger").distill(nlp.get_pipe("tagger"), [], temperature=0.0),
        (ValueError,),
        ("temperature must be above 0", "found 0.0"),
    ),
    "a temperature for a component without one": (
        lambda nlp: NoTemperature(nlp.vocab, None, "x").distill(nlp.get_pipe("tagger"), [], temperature=2.0),
        (TypeError,),
        ("NoTemperature.distill ('x')", "get_teacher_student_loss takes no argument", "Leave it out"),
    ),
    "dropout that is no number": (
        lambda nlp: nlp.get_pipe("tagger").update(default_examples(nlp), drop="0.1"),
        (TypeError,),
        ("Tagger 'tagger'", "drop must be a number", "found str: '0.1'"),
    ),
    "an optimizer that is none": (
        lambda nlp: nlp.get_pipe("tagger").update(default_examples(nlp), sgd="adam"),
        (TypeError,),
        ("Tagger 'tagger'", "sgd must be an optimizer", "found str: 'adam'", "create_optimizer()"),
    ),
    "an optimizer of a pipeline that is none": (
        lambda nlp: nlp.update(default_examples(nlp), sgd=0.01),  # type: ignore[arg-type]
        (TypeError,),
        ("sgd must be an optimizer", "found float: 0.01"),
    ),
    "losses that are a list": (
        lambda nlp: nlp.update(default_examples(nlp), losses=[]),  # type: ignore[arg-type]
        (TypeError,),
        ("losses must be a dictionary", "found list"),
    ),
    "parameters that are none": (
        lambda nlp: nlp.get_pipe("tagger").use_params("weights").__enter__(),
        (TypeError,),
        ("use_params", "optimizer.averages", "found str"),
    ),
    "no outputs": (
        lambda nlp: nlp.get_pipe("tagger").set_output(0),
        (ValueError,),
        ("Tagger.set_output ('tagger')", "at least 1", "found 0"),
    ),
    "outputs that are no number": (
        lambda nlp: nlp.get_pipe("tagger").set_output("many"),
        (TypeError,),
        ("Tagger.set_output ('tagger')", "whole number", "found str: 'many'"),
    ),
    "one text as a stream": (
        lambda nlp: nlp.pipe("one text"),
        (TypeError,),
        ("nlp.pipe", "a stream of texts", "found a single str", "nlp(text)"),
    ),
    "one document as a stream": (
        lambda nlp: list(nlp.get_pipe("tagger").pipe(nlp.make_doc("one document"))),
        (TypeError,),
        ("Tagger.pipe ('tagger')", "a stream of documents", "found a single Doc"),
    ),
    "a token as a document": (
        lambda nlp: nlp.get_pipe("tagger")(nlp.make_doc("one")[0]),
        (TypeError,),
        ("expected a document", "found Token"),
    ),
    "a loss without gradient": (
        lambda nlp: learnt_from(nlp, lambda loss, d_scores: loss),
        (TypeError,),
        ("Tagger 'tagger'", "the loss came as float", "a pair"),
    ),
    "a gradient of another shape": (
        lambda nlp: learnt_from(nlp, lambda loss, d_scores: (loss, [rows[:, :1] for rows in d_scores])),
        (ValueError,),
        ("Tagger 'tagger'", "the shape (6, 1)", "that of the scores, (6, 8)"),
    ),
    "a gradient less": (
        lambda nlp: learnt_from(nlp, lambda loss, d_scores: (loss, d_scores[:-1])),
        (ValueError,),
        ("Tagger 'tagger'", "the gradient is list of 5", "a list of 6 arrays"),
    ),
    "a gradient that is no number": (
        lambda nlp: learnt_from(nlp, lambda loss, d_scores: (loss, [rows * numpy.nan for rows in d_scores])),
        (errors.NonFiniteLossError, ValueError),
        ("Tagger 'tagger'", "NaN or infinite", "nothing was changed"),
    ),
    "batch size": (
        lambda nlp: list(nlp.pipe(["a"], batch_size=0)),
        (ValueError,),
        ("batch_size", "at least 1", "0"),
    ),
    "an error handler that is none": (
        lambda nlp: nlp.set_error_handler(3),  # type: ignore[arg-type]
        (TypeError,),
        ("set_error_handler", "(name, component, docs, error)", "found int"),
    ),
    "not resizable": (
        lambda nlp: nlp.add_pipe("tok2vec", config={"model": MODEL["tok2vec"]}, name="t").set_output(3),
        (NotImplementedError,),
        ("set_output ('t')", "resize_output"),
    ),
    "exclude as a string": (
        lambda nlp: nlp.to_bytes(exclude="vocab"),
        (TypeError,),
        ("exclude", "found the string 'vocab'", "['vocab']"),
    ),
    "bytes that are none": (
        lambda nlp: nlp.from_bytes("text"),  # type: ignore[arg-type]
        (TypeError,),
        ("as bytes", "found str"),
    ),
    "broken bytes": (
        lambda nlp: nlp.from_bytes(b"junk"),
        (errors.SerializationError, ValueError),
        ("bytes", "cannot be read"),
    ),
    "no such folder": (
        lambda nlp: ferrule.load("no_such_pipeline"),
        (FileNotFoundError,),
        ("'no_such_pipeline'", "neither a folder nor an installed package"),
    ),
}


@pytest.fixture
def nlp() -> Language:
    return trained()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_message_says_what_was_wrong_and_how_to_mend_it(nlp: Language, mistake: str) -> None:
    make, kinds, parts = MISTAKES[mistake]
    with pytest.raises(kinds[0]) as caught:
        make(nlp)
    assert all(isinstance(caught.value, kind) for kind in kinds)
    for part in parts:
        assert part in str(caught.value)
    assert " object at 0x" not in str(caught.value)


def test_every_own_error_is_also_a_built_in_kind() -> None:
    for name in errors.__all__:
        kind = getattr(errors, name)
        if isinstance(kind, type) and kind is not errors.FerruleError:
            assert issubclass(kind, errors.FerruleError)
            assert issubclass(kind, TypeError | ValueError | IndexError | RuntimeError)
