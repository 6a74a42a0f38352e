"""Guarantee 11: concurrent predictions give the same bits, and concurrent updates of one pipe are refused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fault_parts import state, trained

from ferrule.errors import ConcurrentUpdateError
from ferrule.testing import default_examples

N_THREADS = 8
TEXTS = [f"Anna sees boat number {number} ." for number in range(40)]


def test_predictions_of_many_threads_are_the_same_bits() -> None:
    nlp = trained()
    pipe = nlp.get_pipe("tagger")

    def scores(_: int = 0) -> bytes:
        return b"".join(rows.tobytes() for rows in pipe.model.predict([nlp.make_doc(text) for text in TEXTS]))

    expected = scores()
    with ThreadPoolExecutor(N_THREADS) as pool:
        assert set(pool.map(scores, range(4 * N_THREADS))) == {expected}


def test_whole_pipelines_in_many_threads_tag_alike() -> None:
    nlp = trained()

    def tags(_: int = 0) -> list[list[str]]:
        return [[token.tag_ for token in doc] for doc in nlp.pipe(TEXTS, batch_size=7)]

    expected = tags()
    with ThreadPoolExecutor(N_THREADS) as pool:
        assert all(found == expected for found in pool.map(tags, range(N_THREADS)))


@pytest.mark.parametrize("whole", [True, False], ids=["pipeline", "component"])
def test_a_second_learner_is_refused_and_the_first_is_undisturbed(
    whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = trained()
    alone.update(default_examples(alone))
    nlp = trained()
    examples = default_examples(nlp)
    pipe = nlp.get_pipe("tagger")
    plain, inside, leave = pipe.get_loss, threading.Event(), threading.Event()

    def slow(*arguments: Any) -> Any:
        inside.set()
        leave.wait(timeout=60)
        return plain(*arguments)

    monkeypatch.setattr(pipe, "get_loss", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(nlp.update, examples)
        assert inside.wait(timeout=60)
        try:
            with pytest.raises(ConcurrentUpdateError, match="another thread is training"):
                (nlp if whole else pipe).update(examples)
        finally:
            leave.set()
        assert first.result()["tagger"] > 0
    assert state(nlp) == state(alone)
    nlp.update(examples)


def test_on_a_free_threaded_interpreter() -> None:
    interpreter = os.environ.get("FERRULE_FREE_THREADED_PYTHON") or shutil.which("python3.14t")
    if interpreter is None or getattr(sys, "_is_gil_enabled", lambda: True)() is False:
        pytest.skip(
            "no free-threaded interpreter (CPython built with --disable-gil) that has ferrule and pytest: "
            "name one in FERRULE_FREE_THREADED_PYTHON"
        )
    run = subprocess.run(
        [interpreter, "-X", "gil=0", "-m", "pytest", "-q", __file__, "-k", "many_threads or second_learner"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
