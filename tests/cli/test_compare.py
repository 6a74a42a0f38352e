"""`ferrule compare` and `ferrule distill` on a small pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from ferrule.cli.app import app

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
