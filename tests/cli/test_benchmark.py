"""`ferrule benchmark` times every step, in turn, and says what each library did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import ferrule
from ferrule.cli.app import app
from ferrule.cli.speed import Task, measure
from ferrule.tokens import Doc, DocBin
from ferrule.training.example import Example

WORDS = ["trains", "run", "late", "again"]
TAGS = ["NNS", "VBP", "RB", "RB"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    nlp = ferrule.blank("en")
    nlp.add_pipe("tagger")
    example = Example(Doc(nlp.vocab, WORDS), Doc(nlp.vocab, WORDS, tags=TAGS))
    nlp.initialize(lambda: [example])
    folder = tmp_path_factory.mktemp("benchmark") / "model"
    nlp.to_disk(folder)
    DocBin(docs=[example.reference] * 3).to_disk(folder.parent / "corpus.spacy")
    (folder.parent / "texts.txt").write_text("Trains run late again .\n", encoding="utf8")
    return folder


def run(*arguments: Any) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["benchmark", *map(str, arguments), "--rounds", "1", "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize(("data", "n_words"), [("corpus.spacy", 12), ("texts.txt", 5)])
def test_every_step_has_a_speed(model: Path, data: str, n_words: int) -> None:
    report = run(model, model.parent / data, "--no-spacy")
    assert report["words"] == n_words
    rows = report["words_per_second"]
    assert [(row["component"], row["step"]) for row in rows] == [
        ("pipeline", "tokenize"),
        ("tagger", "predict"),
        ("tagger", "annotate"),
        ("pipeline", "text to docs"),
        ("tagger", "train"),
    ]
    assert all(row["ferrule"] > 0 and row["ratio"] is None for row in rows)


def test_spacy_runs_beside_it_on_the_same_folder(model: Path) -> None:
    spacy = pytest.importorskip("spacy")
    report = run(model, model.parent / "corpus.spacy")
    assert report["spacy"] == spacy.__version__
    for row in report["words_per_second"]:
        assert row["ratio"] == pytest.approx(row["ferrule"] / row["spacy"])


def test_measuring_leaves_the_folder_as_it_was(model: Path) -> None:
    before = {path: path.read_bytes() for path in model.rglob("*") if path.is_file()}
    run(model, model.parent / "texts.txt", "--no-spacy")
    assert before == {path: path.read_bytes() for path in model.rglob("*") if path.is_file()}


def test_text_without_words_is_refused(model: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("\n")
    result = CliRunner().invoke(app, ["benchmark", str(model), str(empty)])
    assert isinstance(result.exception, ValueError) and "no words" in str(result.exception)


def test_libraries_take_turns_and_preparing_does_not_count() -> None:
    now = [0.0]
    ran: list[str] = []

    def task(name: str, seconds: float) -> Task:
        def prepare() -> None:
            now[0] += 100.0

        def work(_: Any) -> None:
            ran.append(name)
            now[0] += seconds

        return Task("tagger", "predict", prepare, work)

    libraries = {"ours": iter([task("ours", 2.0)]), "theirs": iter([task("theirs", 5.0)])}
    (speed,) = measure(libraries, n_words=10, rounds=2, clock=lambda: now[0])
    assert ran == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert speed.words_per_second == pytest.approx({"ours": 5.0, "theirs": 2.0})


def test_pipelines_with_different_steps_are_refused() -> None:
    one, other = (Task(name, "predict", lambda: None, lambda _: None) for name in ("tagger", "ner"))
    with pytest.raises(ValueError, match="differ"):
        list(measure({"a": iter([one]), "b": iter([other])}, n_words=1, rounds=1))
