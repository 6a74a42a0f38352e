"""Guarantee 9: a stream loses nothing that was read, and what cannot be right is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fault_parts import state, trained

import ferrule
from ferrule.language import Language
from ferrule.testing import default_examples
from ferrule.tokens import Doc

WAYS = [{}, {"n_threads": 2}, {"n_process": 2}]


@pytest.fixture(scope="module")
def nlp() -> Language:
    return trained()


def source(position: int) -> Iterator[str]:
    for number in range(position):
        yield f"text {number}"
    raise OSError("the source is gone")


@pytest.mark.parametrize("way", WAYS, ids=["plain", "threads", "processes"])
@pytest.mark.parametrize("position", range(6))
def test_what_was_read_before_the_source_fails_comes_out(
    nlp: Language, way: dict[str, int], position: int
) -> None:
    out = []
    with pytest.raises(OSError, match="the source is gone"):
        for doc in nlp.pipe(source(position), batch_size=4, **way):  # type: ignore[arg-type]
            out.append(doc.text)
    assert out == [f"text {number}" for number in range(position)]


@pytest.mark.parametrize("position", range(6))
def test_so_it_does_from_a_component_alone(nlp: Language, position: int) -> None:
    out = []
    with pytest.raises(OSError, match="the source is gone"):
        for doc in nlp.get_pipe("tagger").pipe(map(nlp.make_doc, source(position)), batch_size=4):
            out.append((doc.text, doc[0].tag_ != ""))
    assert out == [(f"text {number}", True) for number in range(position)]


@pytest.mark.parametrize("method", ["update", "rehearse", "distill"])
def test_a_generator_of_examples_teaches_as_a_list_does(method: str) -> None:
    def learn(as_generator: bool) -> tuple[dict[str, float], str]:
        pipeline, teacher = trained(), trained(2)
        pipeline.resume_training()
        examples = default_examples(pipeline)
        given: Any = (example for example in examples) if as_generator else examples
        if method == "rehearse":
            pipeline.update(examples)
        arguments = (teacher, given) if method == "distill" else (given,)
        losses = getattr(pipeline, method)(*arguments)
        return losses, state(pipeline)

    losses, weights = learn(as_generator=True)
    assert losses["tagger"] > 0
    assert (losses, weights) == learn(as_generator=False)


@pytest.mark.parametrize("batch_size", [0, -1])
def test_batches_of_none_are_refused(nlp: Language, batch_size: int) -> None:
    with pytest.raises(ValueError, match=r"batch_size must be .*at least 1"):
        list(nlp.pipe(["a"], batch_size=batch_size))
    with pytest.raises(ValueError, match=r"batch_size must be .*at least 1"):
        list(nlp.get_pipe("tagger").pipe([nlp.make_doc("a")], batch_size=batch_size))


@pytest.mark.parametrize("wrong", [3, None, 1.5, ["text"]])
def test_items_that_are_no_texts_are_refused(nlp: Language, wrong: Any) -> None:
    with pytest.raises(TypeError, match=f"found {type(wrong).__name__}"):
        list(nlp.pipe([wrong]))
    with pytest.raises(TypeError, match="expected a list of Example objects"):
        nlp.update([wrong])


@pytest.mark.parametrize("wrong", [3, None, "text", ["text"]])
def test_a_component_alone_refuses_what_is_no_document(nlp: Language, wrong: Any) -> None:
    tagger = nlp.get_pipe("tagger")
    with pytest.raises(
        TypeError, match=f"Tagger 'tagger': expected a document, found {type(wrong).__name__}"
    ):
        tagger(wrong)
    out = []
    with pytest.raises(TypeError, match="expected a document"):
        for doc in tagger.pipe([nlp.make_doc("one"), wrong, nlp.make_doc("two")]):
            out.append(doc.text)
    assert out == ["one"]


def test_documents_of_another_vocabulary_are_refused(nlp: Language) -> None:
    with pytest.raises(ValueError, match="another vocabulary"):
        list(nlp.pipe([Doc(ferrule.blank("en").vocab, words=["one"])]))
