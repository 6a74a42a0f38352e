"""What the training loop does when, seen with a pipeline that only records what is asked of it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from thinc.api import Adam, Config

from ferrule.errors import ConfigError
from ferrule.training.checkpoint import TrainingState
from ferrule.training.evaluation import Evaluator
from ferrule.training.loggers import console_logger
from ferrule.training.loop import shuffled, train_batches, train_while_improving
from ferrule.training.settings import TrainingSettings


class Recorder:
    """Stands in for a Language: `update` counts, `evaluate` gives the scores it was made with."""

    def __init__(self, scores: Iterable[float] = ()) -> None:
        self.scores = itertools.chain(scores, itertools.repeat(0.0))
        self.component = SimpleNamespace(is_trainable=True, finished=0)
        self.component.finish_update = self.finish
        self.pipeline = self.components = [("learner", self.component), ("rules", object())]
        self.config = Config({"training": {"score_weights": {"acc": 1.0}}})
        self.updates: list[dict[str, Any]] = []

    def finish(self, optimizer: Any) -> None:
        self.component.finished += 1

    def update(self, examples: list[Any], **settings: Any) -> None:
        self.updates.append({"examples": examples, **settings})
        losses = settings["losses"]
        losses["learner"] = losses.get("learner", 0.0) + 1.0

    def evaluate(self, examples: list[Any], *, scorer: Any) -> dict[str, Any]:
        scorer.examples = examples
        return {"acc": next(self.scores), "speed": 1000.0}

    @contextmanager
    def use_params(self, params: dict[Any, Any]) -> Iterator[None]:
        yield


def settings(**values: Any) -> TrainingSettings:
    return TrainingSettings(
        optimizer=Adam(),
        batcher=lambda examples: ([example] for example in examples),
        logger=console_logger(),
        **{"patience": 0, "max_steps": 0, "eval_frequency": 1, "score_weights": {"acc": 1.0}, **values},
    )


def run(
    nlp: Recorder, chosen: TrainingSettings, corpus: list[Any]
) -> list[tuple[dict[str, Any], bool | None]]:
    return list(
        train_while_improving(
            nlp,
            chosen,
            train_batches(nlp, lambda _: corpus, chosen),
            Evaluator(nlp, lambda _: ["example"], chosen.score_weights),
            TrainingState(),
        )
    )


def test_scores_come_at_the_first_step_and_then_every_eval_frequency() -> None:
    seen = run(Recorder(), settings(eval_frequency=3, max_steps=7), ["a", "bb"])
    assert [info["step"] for info, is_best in seen if is_best is not None] == [0, 3, 6]


def test_max_steps_ends_the_run_as_in_spacy_after_the_step_of_that_number() -> None:
    assert [info["step"] for info, _ in run(Recorder(), settings(max_steps=4), ["a"])] == [0, 1, 2, 3, 4]


def test_max_epochs_ends_the_run() -> None:
    seen = run(Recorder(), settings(max_epochs=3), ["a", "bb"])
    assert [info["epoch"] for info, _ in seen] == [0, 0, 1, 1, 2, 2]


def test_the_earliest_of_equal_scores_is_the_best() -> None:
    seen = run(Recorder([0.1, 0.5, 0.5, 0.4]), settings(max_epochs=4), ["a"])
    assert [is_best for _, is_best in seen] == [True, True, False, False]


def test_without_any_score_the_latest_is_the_best_and_patience_does_not_end_the_run() -> None:
    with pytest.warns(UserWarning, match=r"nothing is scored.*score_weights"):
        seen = run(Recorder(), settings(score_weights={}, patience=1, max_steps=3), ["a"])
    assert [is_best for _, is_best in seen] == [True] * 4


def test_the_first_score_above_zero_is_better_than_later_zeros() -> None:
    seen = run(Recorder([0.0, 0.0, 0.1, 0.0]), settings(max_epochs=4), ["a"])
    assert [is_best for _, is_best in seen] == [True, True, True, False]


def test_patience_counts_steps_since_the_best() -> None:
    seen = run(Recorder([0.1, 0.5]), settings(patience=3), ["a"])
    assert seen[-1][0]["step"] == 1 + 3


def test_losses_are_summed_between_evaluations() -> None:
    seen = run(Recorder(), settings(eval_frequency=2, max_steps=4), ["a"])
    assert [info["losses"]["learner"] for info, _ in seen] == [1.0, 1.0, 2.0, 1.0, 2.0]


def test_a_batch_is_split_for_accumulated_gradients_and_stepped_once() -> None:
    nlp = Recorder()
    chosen = settings(accumulate_gradient=2, max_epochs=1, dropout=0.25, annotating_components=["rules"])
    chosen.batcher = lambda examples: [list(examples)]
    run(nlp, chosen, ["a", "bb", "ccc"])
    assert sorted(len(update["examples"]) for update in nlp.updates) == [1, 2]
    assert nlp.component.finished == 1
    assert {(update["drop"], tuple(update["annotates"]), update["sgd"]) for update in nlp.updates} == {
        (0.25, ("rules",), False)
    }


@pytest.mark.parametrize("n_parts", [1, 2])
def test_a_batch_comes_shortest_first_as_in_spacy(n_parts: int) -> None:
    loop = pytest.importorskip("spacy.training.loop")
    nlp = Recorder()
    chosen = settings(accumulate_gradient=n_parts, max_epochs=1)
    batch = ["dddd", "b", "ccc", "aa"]
    chosen.batcher = lambda examples: [batch]
    run(nlp, chosen, batch)
    theirs = loop.subdivide_batch([SimpleNamespace(predicted=each) for each in batch], n_parts)
    expected = [[example.predicted for example in part] for part in theirs]
    assert [update["examples"] for update in nlp.updates] == expected


def test_frozen_components_are_neither_updated_nor_stepped() -> None:
    nlp = Recorder()
    run(nlp, settings(frozen_components=["learner"], max_epochs=1), ["a"])
    assert nlp.component.finished == 0
    assert nlp.updates[0]["exclude"] == ["learner"]


def test_dropout_can_be_a_schedule() -> None:
    nlp = Recorder()
    run(nlp, settings(dropout=iter([0.5, 0.4, 0.3]), max_epochs=3), ["a"])
    assert [update["drop"] for update in nlp.updates] == [0.5, 0.4, 0.3]


def test_before_update_is_told_step_and_epoch() -> None:
    calls: list[Any] = []
    run(Recorder(), settings(before_update=lambda nlp, args: calls.append(dict(args)), max_epochs=2), ["a"])
    assert calls == [{"step": 0, "epoch": 0}, {"step": 1, "epoch": 1}]


def test_each_epoch_has_its_own_order_which_the_seed_determines() -> None:
    corpus = list(range(50))
    orders = [shuffled(corpus, 3, epoch) for epoch in range(3)]
    assert all(sorted(order) == corpus for order in orders)
    assert orders[0] != orders[1] != orders[2]
    assert orders == [shuffled(corpus, 3, epoch) for epoch in range(3)]
    assert orders[0] != shuffled(corpus, 4, 0)


def test_a_streamed_corpus_keeps_its_order_and_is_read_again_each_epoch() -> None:
    reads = itertools.count()

    def corpus(nlp: Any) -> Iterator[str]:
        return (f"{next(reads)}{letter}" for letter in "abc")

    batches = train_batches(None, corpus, settings(max_epochs=-1))
    assert [batch[1][0] for batch in itertools.islice(batches, 6)] == ["0a", "1b", "2c", "3a", "4b", "5c"]


@pytest.mark.parametrize("max_epochs", [-1, 0, 5])
def test_an_empty_training_corpus_is_an_error(max_epochs: int) -> None:
    with pytest.raises(ValueError, match=r"\[corpora\.train\]"):
        run(Recorder(), settings(max_epochs=max_epochs), [])


def test_an_empty_development_corpus_is_an_error() -> None:
    with pytest.raises(ValueError, match="development corpus is empty"):
        Evaluator(Recorder(), lambda _: [], {"acc": 1.0})()


def test_a_weighted_score_that_the_pipeline_does_not_give_is_named() -> None:
    with pytest.raises(ConfigError, match="'tag_ac', and the pipeline gives acc, speed"):
        Evaluator(Recorder([0.5]), lambda _: ["x"], {"acc": 0.5, "tag_ac": 0.5})()


def test_the_score_is_the_weighted_sum() -> None:
    assert Evaluator(Recorder([0.5]), lambda _: ["x"], {"acc": 0.5, "speed": None})()[0] == 0.25


INFO: dict[str, Any] = {
    "epoch": 1,
    "step": 20,
    "score": 0.5,
    "other_scores": {"acc": 0.5},
    "losses": {"learner": 3.25},
    "checkpoints": [(0.5, 20)],
    "seconds": 2.0,
    "words": 3000,
}


def logged(logger: Callable[..., Any], stream: StringIO) -> str:
    log_step, finalize = logger(Recorder(), stream, stream)
    log_step(None)
    log_step(INFO)
    finalize()
    return stream.getvalue()


def test_a_log_file_gets_plain_lines() -> None:
    text = logged(console_logger("train"), StringIO())
    assert "\x1b" not in text
    head, rule, row = text.splitlines()
    assert head.split() == ["E", "#", "LOSS", "LEARNER", "ACC", "SCORE", "WORDS/S"]
    assert set(rule) == {"-", " "}
    assert row.split() == ["1", "20", "3.25", "50.00", "0.5000", "1500"]
    assert len(head) == len(rule) == len(row)


def test_a_terminal_gets_a_bar_beside_the_table() -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    text = logged(console_logger("eval"), Terminal())
    assert "Training" in text
    assert "50.00" in text


def test_evaluations_can_be_written_as_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "scores.jsonl"
    assert logged(console_logger(None, console_output=False, output_file=str(path)), StringIO()) == ""
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [20]
