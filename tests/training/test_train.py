"""Whole training runs of a small tagger: what is saved, and that a resumed run comes to the same bits."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from thinc.api import Config

import ferrule
from ferrule.errors import ConfigError, CorruptedFileError
from ferrule.language import Language
from ferrule.registry import registry
from ferrule.tokens import Doc
from ferrule.training import Example
from ferrule.training.fit import fit
from ferrule.training.initialize import init_nlp
from ferrule.training.loop import train
from ferrule.training.presets import starting_config

SENTENCES = [
    "the/DT train/NN left/VBD",
    "a/DT cat/NN slept/VBD here/RB",
    "she/PRP left/VBD the/DT station/NN",
    "he/PRP saw/VBD a/DT train/NN there/RB",
    "the/DT old/JJ cat/NN saw/VBD her/PRP",
    "they/PRP slept/VBD on/IN the/DT old/JJ train/NN",
]


@registry.readers("tests.sentences.v1")
def read_sentences() -> Callable[[Language], list[Example]]:
    def corpus(nlp: Language) -> list[Example]:
        examples = []
        for sentence in SENTENCES:
            words, tags = zip(*(token.split("/") for token in sentence.split()), strict=True)
            examples.append(Example.from_dict(Doc(nlp.vocab, words=list(words)), {"tags": list(tags)}))
        return examples

    return corpus


@registry.callbacks("tests.stop_at.v1")
def stop_at(step: int) -> Callable[[Language, dict[str, int]], None]:
    def before_update(nlp: Language, where: dict[str, int]) -> None:
        if where["step"] == step:
            os.kill(os.getpid(), signal.SIGINT)

    return before_update


@pytest.fixture
def config() -> Config:
    config = Config(starting_config("en", ["tagger"], "small"))
    reader = {"@readers": "tests.sentences.v1"}
    config["corpora"] = {"train": reader, "dev": reader}
    config["training"].update(
        max_steps=11,
        eval_frequency=4,
        batcher={"@batchers": "spacy.batch_by_sequence.v1", "size": 2},
        dropout={"@schedules": "decaying.v1", "base_rate": 0.3, "decay": 0.1},
    )
    config["training"]["optimizer"]["learn_rate"] = {
        "@schedules": "warmup_linear.v1",
        "warmup_steps": 4,
        "total_steps": 30,
        "initial_rate": 0.01,
    }
    return config


def run(config: Config, folder: Path, *, resume: bool = False) -> Language:
    nlp, _ = train(init_nlp(config), folder, stdout=StringIO(), stderr=StringIO(), resume=resume)
    return nlp


def weights(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("model"))}


def history(folder: Path) -> list[dict[str, Any]]:
    entries = json.loads((folder / "report.json").read_text(encoding="utf8"))["history"]
    return [{k: v for k, v in entry.items() if k not in ("seconds", "scores")} for entry in entries]


def test_models_checkpoint_and_report_are_saved_and_load(config: Config, tmp_path: Path) -> None:
    trained = run(config, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "model-best",
        "model-last",
        "checkpoint",
        "report.html",
        "report.json",
    }
    for name in ("model-best", "model-last"):
        nlp = ferrule.load(tmp_path / "out" / name)
        assert nlp.meta["performance"]["tag_acc"] >= 0
        assert [token.tag_ for token in nlp("the cat left")]
    again = ferrule.load(tmp_path / "out" / "model-last")
    texts = [sentence.replace("/", " ") for sentence in SENTENCES]
    tags = [[[token.tag_ for token in doc] for doc in nlp.pipe(texts)] for nlp in (trained, again)]
    assert tags[0] == tags[1]


def test_the_seed_determines_the_weights(config: Config, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        config["training"]["seed"] = seed
        run(config, tmp_path / name)
    first, second, other = (weights(tmp_path / name / "model-last") for name in "abc")
    assert first
    assert first == second
    assert first != other


@pytest.mark.parametrize("stop", [0, 3, 4, 7])
def test_a_resumed_run_comes_to_the_same_bits(config: Config, tmp_path: Path, stop: int) -> None:
    run(config, tmp_path / "straight")
    config["training"]["before_update"] = {"@callbacks": "tests.stop_at.v1", "step": stop}
    run(config, tmp_path / "resumed")
    assert len(history(tmp_path / "resumed")) < len(history(tmp_path / "straight"))
    del config["training"]["before_update"]
    run(config, tmp_path / "resumed", resume=True)
    assert history(tmp_path / "resumed") == history(tmp_path / "straight")
    for name in ("model-last", "model-best"):
        assert weights(tmp_path / "resumed" / name) == weights(tmp_path / "straight" / name)


def test_a_finished_run_can_be_resumed_with_more_steps(config: Config, tmp_path: Path) -> None:
    config["training"]["max_steps"] = 5
    run(config, tmp_path / "out")
    before = weights(tmp_path / "out" / "model-last")
    run(config, tmp_path / "out", resume=True)
    assert weights(tmp_path / "out" / "model-last") == before
    config["training"]["max_steps"] = 9
    run(config, tmp_path / "out", resume=True)
    assert [entry["step"] for entry in history(tmp_path / "out")] == [0, 4, 8]
    assert weights(tmp_path / "out" / "model-last") != before


def test_resuming_without_or_with_a_damaged_checkpoint_is_refused(config: Config, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run(config, tmp_path / "out", resume=True)
    config["training"]["max_steps"] = 1
    run(config, tmp_path / "out")
    path = tmp_path / "out" / "checkpoint" / "optimizer.msgpack"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(CorruptedFileError, match=r"optimizer\.msgpack"):
        run(config, tmp_path / "out", resume=True)


def test_frozen_components_keep_their_weights(config: Config, tmp_path: Path) -> None:
    run(config, tmp_path / "first")
    base = str(tmp_path / "first" / "model-last")
    for name in ("tok2vec", "tagger"):
        config["components"][name] = {"source": base}
    config["training"]["frozen_components"] = ["tok2vec"]
    config["training"]["annotating_components"] = ["tok2vec"]
    run(config, tmp_path / "second")
    first, second = (weights(tmp_path / name / "model-last") for name in ("first", "second"))
    assert first["tok2vec/model"] == second["tok2vec/model"]
    assert first["tagger/model"] != second["tagger/model"]


def test_fit_takes_texts_with_annotations_and_says_how_it_went(config: Config) -> None:
    nlp = ferrule.blank("en")
    nlp.add_pipe("tagger")
    pairs = [
        (" ".join(token.split("/")[0] for token in sentence.split()), {"tags": tags})
        for sentence in SENTENCES
        for tags in [[token.split("/")[1] for token in sentence.split()]]
    ]
    result = nlp.fit(pairs, pairs, max_steps=20, eval_frequency=10, logger={"@loggers": "tests.quiet.v1"})
    assert [entry["step"] for entry in result.history] == [0, 10, 20]
    assert result.best_score == max(entry["score"] for entry in result.history)
    assert result.scores["tag_acc"] == pytest.approx(result.best_score)
    assert "<svg" in result.plot().html
    assert "<svg" in result._repr_html_()
    assert repr(result).startswith(f"<FitResult: best score {result.best_score:.4f} at step ")
    assert len(repr(result)) < 200


@registry.loggers("tests.quiet.v1")
def quiet() -> Any:
    return lambda nlp, stdout, stderr: (lambda info: None, lambda: None)


def test_fit_holds_out_examples_where_no_dev_is_given(config: Config, tmp_path: Path) -> None:
    nlp = ferrule.blank("en")
    nlp.add_pipe("tagger")
    pairs = [("a b", {"tags": ["A", "B"]})] * 20
    result = fit(nlp, pairs, max_steps=1, logger={"@loggers": "tests.quiet.v1"}, output=tmp_path / "out")
    assert result.model_path == tmp_path / "out" / "model-last"
    assert len(result.history) == 1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"train": 3}, TypeError, "found int"),
        ({"train": [3]}, TypeError, "holds a int"),
        ({"train": []}, ValueError, "at least two"),
        ({"train": [], "max_stepz": 3}, ConfigError, "max_stepz"),
    ],
)
def test_fit_refuses_what_it_cannot_use(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        fit(ferrule.blank("en"), **arguments)
