"""Guarantee 7: one bad document costs one document, wherever it stands and however the batch is run."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import Any

import pytest
from fault_parts import trained

import ferrule
from ferrule.pipeline.tagger import Tagger

N_DOCS = 7
POSITIONS = [{position} for position in range(N_DOCS)]
PAIRS = [set(pair) for pair in combinations(range(N_DOCS), 2)]
WAYS = [{}, {"n_threads": 3}, {"n_process": 2}]


def texts_with(bad: set[int]) -> list[str]:
    return [f"bad {number}" if number in bad else f"good {number}" for number in range(N_DOCS)]


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    """A tagger whose model breaks on a whole batch when one of its documents is bad."""
    pipe: Tagger = trained().get_pipe("tagger")
    plain = pipe.predict

    def predict(docs: Iterable[Any]) -> Any:
        docs = list(docs)
        if any("bad" in doc.text for doc in docs):
            raise RuntimeError("the batch is broken")
        return plain(docs)

    pipe.predict = predict  # type: ignore[method-assign]
    return pipe


@pytest.mark.parametrize("batch_size", [1, 3, 128])
def test_a_batch_that_fails_as_a_whole_loses_only_its_bad_documents(tagger: Tagger, batch_size: int) -> None:
    for bad in [set(), *POSITIONS, *PAIRS, set(range(N_DOCS))]:
        seen: list[str] = []

        def note(name: str, pipe: Any, docs: list[Any], error: Exception, seen: list[str] = seen) -> None:
            assert (name, pipe, str(error)) == ("tagger", tagger, "the batch is broken")
            seen.extend(doc.text for doc in docs)

        tagger.set_error_handler(note)
        nlp = ferrule.blank("en")
        texts = texts_with(bad)
        out = [doc.text for doc in tagger.pipe(map(nlp.make_doc, texts), batch_size=batch_size)]
        assert out == [text for text in texts if text.startswith("good")]
        assert seen == [text for text in texts if text.startswith("bad")]


@pytest.mark.parametrize("way", WAYS, ids=["plain", "threads", "processes"])
def test_pairs_stay_right_in_every_way_of_running(way: dict[str, int]) -> None:
    nlp = ferrule.blank("en")
    nlp.add_pipe("fault_noop")
    nlp.add_pipe("fault_on_bad")
    seen: list[tuple[str, str, str]] = []

    def note(name: str, pipe: Any, docs: list[Any], error: Exception) -> None:
        seen.extend((name, doc.text, str(error)) for doc in docs)

    nlp.set_error_handler(note)
    for bad in [*POSITIONS, {0, N_DOCS - 1}, {2, 3}] if "n_process" not in way else [{0}, {3}, {2, 3}]:
        seen.clear()
        texts = texts_with(bad)
        pairs = [(text, f"context of {text}") for text in texts]
        out = list(nlp.pipe(pairs, as_tuples=True, batch_size=3, **way))  # type: ignore[arg-type]
        good = [text for text in texts if text.startswith("good")]
        assert [(doc.text, context) for doc, context in out] == [(t, f"context of {t}") for t in good]
        assert sorted(seen) == [("fault_on_bad", f"bad {n}", f"cannot do 'bad {n}'") for n in sorted(bad)]


@pytest.mark.parametrize("way", WAYS, ids=["plain", "threads", "processes"])
@pytest.mark.parametrize("bad", [{0}, {3}, {2, 6}], ids=str)
def test_pairs_stay_right_where_documents_are_replaced(way: dict[str, int], bad: set[int]) -> None:
    nlp = ferrule.blank("en")
    nlp.add_pipe("fault_on_bad")
    nlp.add_pipe("fault_copies")
    nlp.set_error_handler(lambda name, pipe, docs, error: None)
    pairs = [(text, text.upper()) for text in texts_with(bad)]
    out = list(nlp.pipe(pairs, as_tuples=True, batch_size=3, **way))  # type: ignore[arg-type]
    assert [(doc.text, context) for doc, context in out] == [
        pair for pair in pairs if pair[0].startswith("good")
    ]


@pytest.mark.parametrize("way", WAYS, ids=["plain", "threads", "processes"])
def test_a_trained_component_loses_only_its_bad_documents(way: dict[str, int]) -> None:
    """The model itself breaks on the whole batch, in every way of running it."""
    nlp = trained()
    model = nlp.get_pipe("tagger").model
    plain = model._func

    def forward(model: Any, docs: Any, is_train: bool) -> Any:
        if any("bad" in doc.text for doc in docs):
            raise RuntimeError("the batch is broken")
        return plain(model, docs, is_train)

    model._func = forward
    seen: list[str] = []
    nlp.set_error_handler(lambda name, pipe, docs, error: seen.extend(doc.text for doc in docs))
    for bad in [{0}, {2, 3}, {1, N_DOCS - 1}]:
        seen.clear()
        texts = texts_with(bad)
        out = list(nlp.pipe(texts, batch_size=4, **way))  # type: ignore[call-overload]
        assert [doc.text for doc in out] == [text for text in texts if text.startswith("good")]
        assert all(token.tag_ for doc in out for token in doc)
        assert sorted(seen) == sorted(text for text in texts if text.startswith("bad"))
