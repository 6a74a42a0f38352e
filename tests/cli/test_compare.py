"""`ferrule compare` and `ferrule distill` on a small pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

import ferrule
from ferrule.cli.app import app
from ferrule.tokens import DocBin
from ferrule.training import Example

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "railway_desk"


def run(*arguments: str) -> None:
    app([str(argument) for argument in arguments], standalone_mode=False)


def test_a_student_is_distilled_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = tmp_path / "corpus"
    paths = ["--paths.train", f"{corpus}/train.spacy", "--paths.dev", f"{corpus}/dev.spacy"]
    steps = ["--training.max_steps", "4", "--training.eval_frequency", "2"]
    config = tmp_path / "config.cfg"
    run("convert", str(EXAMPLE), str(corpus))
    run("init", "config", str(config), "--size", "small")
    run("train", str(config), "--output", str(tmp_path / "teacher"), *paths, *steps)
    teacher = str(tmp_path / "teacher" / "model-best")
    scores = str(tmp_path / "scores")
    for name in ("first", "second"):
        run("distill", teacher, str(config), "-o", str(tmp_path / name), "--scores", scores, *paths, *steps)
    assert capsys.readouterr().out.count("Scores of the teacher, computed") == 1
    student = str(tmp_path / "second" / "model-best")
    run("compare", teacher, f"{corpus}/dev.spacy", "--student", student, "--rounds", "1")
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["pipeline", "score", "words/s", "MB"]
    assert "(100.0 %)" in first
    assert second.startswith(student)


def test_each_part_of_the_score_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nlp = ferrule.blank("en")
    for name in ("tagger", "textcat"):
        nlp.add_pipe(name)
    gold = {"tags": ["NNP", "VBD"], "cats": {"NEWS": 1.0, "SPORT": 0.0}}
    example = Example.from_dict(nlp.make_doc("Anna left"), gold)
    nlp.initialize(lambda: [example])
    nlp.config["training"]["score_weights"] = {"tag_acc": 0.5, "cats_score": 0.5, "cats_macro_f": None}
    nlp.to_disk(tmp_path / "model")
    DocBin(docs=[example.reference], store_user_data=True).to_disk(tmp_path / "a.spacy")
    model = str(tmp_path / "model")
    run("compare", model, str(tmp_path / "a.spacy"), "--student", model, "--rounds", "1")
    lines = capsys.readouterr().out.splitlines()
    assert lines[4].split()[-2:] == ["tag_acc", "cats_score"]
    assert lines[5].split() == lines[6].split()
    assert len(lines[5].split()) == 3
