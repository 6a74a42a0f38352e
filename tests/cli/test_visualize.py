"""`ferrule visualize`: entities, tags and categories with their scores on one page that stands alone."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import numpy as np
import pytest

import ferrule
from ferrule.cli.app import app
from ferrule.cli.document_page import MOST_CATEGORIES, render_documents
from ferrule.tokens import Doc, Span
from ferrule.training import Example
from ferrule.vocab import Vocab


def run(*arguments: str | Path) -> None:
    app([str(argument) for argument in arguments], standalone_mode=False)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline that has seen one sentence: a tagger, entities and categories."""
    nlp = ferrule.blank("en")
    for name in ("tagger", "ner", "textcat"):
        nlp.add_pipe(name)
    gold = {"tags": ["NNP", "VBD", "NNP"], "entities": [(0, 4, "NAME")], "cats": {"NEWS": 1.0, "SPORT": 0.0}}
    examples = [Example.from_dict(nlp.make_doc("Anna left Ely"), gold)]
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(15):
        nlp.update(examples, sgd=optimizer)
    folder = tmp_path_factory.mktemp("visualized") / "model"
    nlp.to_disk(folder)
    return folder


def test_a_pipeline_shows_what_it_finds_and_how_sure_it_is(model: Path, tmp_path: Path) -> None:
    page = tmp_path / "new" / "page.html"
    run("visualize", model, "--text", "Anna left Ely", "--text", "A <b> & more", "-o", page)
    html = page.read_text(encoding="utf8")
    assert re.search(r'<mark style="[^"]*" title="NAME \d+\.\d %">.*Anna.*<b>NAME</b><i>\d+</i></mark>', html)
    assert re.search(r'<span class="token" title="VBD \d+\.\d %">left<small', html)
    assert html.index(">NEWS<") < html.index(">SPORT<")
    assert "&lt;" in html and "<b> & more" not in html
    assert not re.search(r"https?:|<script|<link|@import|url\(", html)


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.jsonl.gz"])
def test_texts_come_from_files(
    model: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["Anna left Ely", "Bo left", "Anna left"]
    if ".jsonl" in name:
        lines = [f'{{"text": "{line}"}}' for line in lines]
    data = "\n".join(lines).encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    run("visualize", model, tmp_path / name, "--limit", "2", "-o", tmp_path / "page.html")
    assert capsys.readouterr().out.endswith("2 documents (the first 2; --limit gives more)\n")
    assert (tmp_path / "page.html").read_text().count("<article") == 2


def test_a_file_and_texts_exclude_each_other(model: Path) -> None:
    with pytest.raises(ValueError, match="not both"):
        run("visualize", model, "a.txt", "--text", "b")


def test_documents_without_annotation_are_shown_as_they_are() -> None:
    plain = render_documents([Doc(Vocab(), words=["a", "b"], spaces=[True, False]), Doc(Vocab())], "None")
    assert '<div class="text" dir="auto">a b</div>' in plain
    assert "(empty)" in plain
    assert "There are no documents" in render_documents([], "None")


def test_only_the_most_probable_categories_are_listed() -> None:
    doc = Doc(Vocab(), words=["a"])
    doc.cats = {f"C{number}": number / 20 for number in range(20)}
    html = render_documents([doc], "Many")
    assert html.count("<em>") == MOST_CATEGORIES
    assert f"and {20 - MOST_CATEGORIES} less probable" in html
    assert ">C19<" in html and ">C5<" not in html


def test_an_unsure_tag_shows_its_probability_inside_an_entity_too() -> None:
    doc = Doc(Vocab(), words=["Anna", "Berg"], tags=["NNP", "NN"])
    doc.set_ents([Span(doc, 0, 2, label="A&B")])
    kept = {"probabilities": np.array([[0.95, 0.05], [0.4, 0.6]]), "label_ids": np.array([0, 1])}
    doc.activations = {"tagger": kept}
    html = render_documents([doc], "Unsure")
    assert '<small class="unsure">NN 60</small>' in html
    assert "<small>NNP</small>" in html
    assert "<b>A&amp;B</b>" in html
