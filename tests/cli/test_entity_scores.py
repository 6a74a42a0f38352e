"""`--scores`: entities with their probabilities on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import ferrule
from ferrule.cli.app import app
from ferrule.tokens import DocBin, Span
from ferrule.training import Example
from networks import encoder

TOK2VEC = encoder(embed_size=100)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline that knows Rome, and the sentence it knows it from."""
    nlp = ferrule.blank("en")
    nlp.add_pipe("ner", config={"model": {"tok2vec": TOK2VEC}})
    example = Example.from_dict(nlp.make_doc("Rome is old"), {"entities": ["U-LOC", "O", "O"]})
    optimizer = nlp.initialize(lambda: [example])
    optimizer.learn_rate = 0.03
    for _ in range(40):
        nlp.update([example], sgd=optimizer)
    folder = tmp_path_factory.mktemp("ner")
    nlp.to_disk(folder / "model")
    DocBin(docs=[example.reference]).to_disk(folder / "gold.spacy")
    return folder


def test_annotate_gives_each_entity_its_probability(folder: Path) -> None:
    run = CliRunner().invoke(
        app, ["annotate", str(folder / "model"), "--text", "Rome is old", "--scores"], catch_exceptions=False
    )
    (entity,) = json.loads(run.stdout)["ents"]
    assert entity["label"] == "LOC"
    assert 0.5 < entity["score"] <= 1.0


def test_evaluate_prints_the_calibration_error(folder: Path) -> None:
    arguments = ["evaluate", str(folder / "model"), str(folder / "gold.spacy")]
    assert "ents_ece" not in CliRunner().invoke(app, arguments).stdout
    printed = CliRunner().invoke(app, [*arguments, "--scores"]).stdout
    assert "ents_ece" in printed
    assert "ents_ece_by_chance" in printed


def test_calibrate_fits_the_recognizer_and_saves_it(folder: Path, tmp_path: Path) -> None:
    nlp = ferrule.load(folder / "model")
    docs = [nlp.make_doc("Rome is old") for _ in range(4)]
    for wrong in docs[1:]:
        wrong.set_ents([], default="outside")
    docs[0].set_ents([Span(docs[0], 0, 1, label="LOC")], default="outside")
    DocBin(docs=docs).to_disk(tmp_path / "dev.spacy")
    arguments = ["calibrate", str(folder / "model"), str(tmp_path / "dev.spacy"), str(tmp_path / "fitted")]
    run = CliRunner().invoke(app, [*arguments, "--precision", "0.9"], catch_exceptions=False)
    assert "ner: temperature" in run.stdout
    assert "by chance alone" in run.stdout
    assert "4 entities" in run.stdout
    assert "thresholds for 1 of 1 labels" in run.stdout
    fitted = ferrule.load(tmp_path / "fitted").get_pipe("ner")
    assert fitted.temperature > 1.0
    assert fitted.thresholds.keys() == {"LOC"}
    with pytest.raises(ValueError, match="--abstain-below"):
        CliRunner().invoke(app, [*arguments, "--abstain-below", "0.5"], catch_exceptions=False)


def test_calibrate_leaves_alone_what_the_corpus_does_not_annotate(folder: Path, tmp_path: Path) -> None:
    nlp = ferrule.load(folder / "model")
    DocBin(docs=[nlp.make_doc("Rome is old")]).to_disk(tmp_path / "texts.spacy")
    arguments = ["calibrate", str(folder / "model"), str(tmp_path / "texts.spacy"), str(tmp_path / "fitted")]
    run = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert "ner: left as it is" in run.stdout
    assert ferrule.load(tmp_path / "fitted").get_pipe("ner").temperature == 1.0


def test_evaluate_prints_and_saves_intervals(folder: Path, tmp_path: Path) -> None:
    data, scores = folder / "gold.spacy", tmp_path / "scores"
    arguments = ["evaluate", str(folder / "model"), str(data), "-o", str(scores)]
    run = CliRunner().invoke(app, [*arguments, "--intervals", "3"], catch_exceptions=False)
    (line,) = (line for line in run.stdout.splitlines() if line.startswith("ents_f "))
    assert line.split() == ["ents_f", "100.00", "100.00", "to", "100.00"]
    assert json.loads(scores.read_text())["intervals"]["ents_f"] == [1.0, 1.0]
    assert " to " not in CliRunner().invoke(app, arguments).stdout
