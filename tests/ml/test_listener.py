"""What a listener hands on, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ferrule.ml.listener import Tok2VecListener, make_listener

WIDTH = 3


@pytest.fixture
def listener() -> Tok2VecListener:
    return make_listener(WIDTH, upstream="encoder")


@pytest.fixture
def docs(nlp: Any) -> list[Any]:
    return [nlp("a b"), nlp(""), nlp("c")]


def _rows(docs: list[Any]) -> list[Any]:
    return [np.full((len(doc), WIDTH), index, dtype="float32") for index, doc in enumerate(docs)]


def test_training_gives_the_received_rows_and_calls_back_with_their_gradient(
    listener: Tok2VecListener, docs: list[Any]
) -> None:
    rows, gradients = _rows(docs), []
    listener.receive(listener.get_batch_id(docs), rows, gradients.append)
    outputs, backprop = listener.begin_update(docs)
    assert outputs is rows
    backprop(rows)
    assert gradients == [rows]


def test_an_equal_batch_of_other_objects_is_recognized(
    listener: Tok2VecListener, docs: list[Any], nlp: Any
) -> None:
    listener.receive(listener.get_batch_id(docs), _rows(docs), list)
    assert len(listener.begin_update([nlp("a b"), nlp(""), nlp("c")])[0]) == 3


@pytest.mark.parametrize("texts", [["c", "", "a b"], ["a", "b", "c"], ["a b", "c"], ["a b", "", "d"]])
def test_another_batch_is_refused_with_the_remedy(
    listener: Tok2VecListener, docs: list[Any], nlp: Any, texts: list[str]
) -> None:
    listener.receive(listener.get_batch_id(docs), _rows(docs), list)
    with pytest.raises(ValueError, match=r"'encoder'.*another batch.*annotating_components"):
        listener.begin_update([nlp(text) for text in texts])


def test_nothing_received_is_refused_with_the_remedy(listener: Tok2VecListener, docs: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"'encoder'.*nothing yet.*frozen_components"):
        listener.begin_update(docs)


def test_a_frozen_annotating_component_is_read_from_the_documents(
    listener: Tok2VecListener, docs: list[Any], nlp: Any
) -> None:
    # What came from an earlier, different batch must not get in the way.
    listener.receive(listener.get_batch_id([nlp("x")]), [np.ones((1, WIDTH), dtype="float32")], list)
    for doc, rows in zip(docs, _rows(docs), strict=True):
        doc.tensor = rows
    outputs, backprop = listener.begin_update(docs)
    assert [rows.tolist() for rows in outputs] == [rows.tolist() for rows in _rows(docs)]
    assert backprop(outputs) == []


def test_predicting_reads_the_documents_and_ignores_what_was_received(
    listener: Tok2VecListener, docs: list[Any]
) -> None:
    listener.receive(listener.get_batch_id(docs), _rows(docs), list)
    docs[0].tensor = np.full((2, WIDTH), 7, dtype="float32")
    predicted = listener.predict(docs)
    assert predicted[0].tolist() == [[7.0] * WIDTH] * 2
    assert [rows.shape for rows in predicted] == [(2, WIDTH), (0, WIDTH), (1, WIDTH)]


def test_no_documents_give_no_rows(listener: Tok2VecListener) -> None:
    assert listener.predict([]) == []
    assert listener.begin_update([])[0] == []
