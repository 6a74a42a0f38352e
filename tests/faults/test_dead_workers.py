"""Guarantee 10: a dead worker is an error in seconds, the others are ended, a fork has no thread pool."""

from __future__ import annotations

import multiprocessing

import pytest
from fault_parts import trained
from io_points import in_child

import ferrule
from ferrule.errors import WorkerError
from ferrule.testing import default_examples

pytestmark = [
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
    pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="needs fork"),
]


@pytest.mark.parametrize("position", [0, 1, 5, 10, 19])
def test_a_worker_killed_at_a_document_is_an_error(position: int) -> None:
    nlp = ferrule.blank("en")
    nlp.add_pipe("fault_ends_worker")
    texts = ["die" if number == position else f"text {number}" for number in range(20)]
    with pytest.raises(WorkerError, match=r"ended by signal 9.*n_threads"):
        list(nlp.pipe(texts, n_process=2, batch_size=3))
    assert not multiprocessing.active_children()


def test_the_last_documents_are_not_lost_without_a_word() -> None:
    """Nothing is sent to a worker after its last batch, so only its end can tell; and that in two ways."""
    nlp = ferrule.blank("en")
    nlp.add_pipe("fault_ends_worker")
    for _ in range(5):
        with pytest.raises(WorkerError, match="ended by signal 9"):
            list(nlp.pipe(["text", "die"], n_process=2, batch_size=1))


def test_a_worker_that_is_busy_is_ended_with_the_others() -> None:
    nlp = ferrule.blank("en")
    nlp.add_pipe("fault_ends_worker")
    with pytest.raises(WorkerError, match="ended by signal 9"):
        list(nlp.pipe(["die", "never done"], n_process=2, batch_size=1))
    assert not multiprocessing.active_children()


def test_workers_end_when_the_stream_is_dropped() -> None:
    nlp = ferrule.blank("en")
    nlp.add_pipe("fault_noop")
    stream = nlp.pipe((f"text {number}" for number in range(1000)), n_process=2, batch_size=2)
    next(stream)
    assert multiprocessing.active_children()
    stream.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()


def test_a_fork_after_work_in_threads_can_work_and_learn() -> None:
    ferrule.set_num_threads(2)
    nlp = trained()
    texts = ["Anna sees the small boat ."] * 200
    expected = [doc[0].tag_ for doc in nlp.pipe(texts, batch_size=64)]  # starts the pool

    def work() -> None:
        found = [doc[0].tag_ for doc in nlp.pipe(texts, batch_size=64)]
        nlp.update(default_examples(nlp))
        if found != expected:
            raise ValueError("the fork predicts something else")

    assert in_child(work) == 0
