"""The pipelines people have: spaCy's own trained ones, and those that `spacy train` makes in their shape."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import spacy
from annotation import assert_same
from spacy.tokens import Doc, DocBin
from usual_pipeline import FOREIGN, SENTENCES, usual_pipeline

import ferrule
from ferrule.errors import UnknownNameError

TEXTS = [
    "Anna saw the red boats in Paris.",
    "Bob likes old London trains.",
    "Bob saw Paris. Anna likes boats.",
]


@pytest.fixture(scope="module")
def theirs() -> Any:
    return usual_pipeline()


@pytest.fixture(scope="module")
def folder(theirs: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("usual") / "pipeline"
    theirs.to_disk(folder)
    return folder


def test_with_spacy_for_the_rest_the_output_is_the_same(theirs: Any, folder: Path, tmp_path: Path) -> None:
    expected = list(theirs.pipe(TEXTS))
    assert {token.lemma_ for doc in expected for token in doc} > {"see", "boat", "train", "like"}
    nlp = ferrule.load(folder, foreign="spacy")
    assert (nlp.pipe_names, nlp.disabled) == (theirs.pipe_names, theirs.disabled)
    assert_same(nlp.pipe(TEXTS), expected)
    nlp.to_disk(tmp_path / "again")
    assert_same(ferrule.load(tmp_path / "again", foreign="spacy").pipe(TEXTS), expected)
    assert_same(spacy.load(tmp_path / "again").pipe(TEXTS), expected)


def test_without_the_rest_tags_and_entities_are_the_same(theirs: Any, folder: Path) -> None:
    nlp = ferrule.load(folder, exclude=FOREIGN)
    assert nlp.pipe_names == ["tok2vec", "tagger", "ner"]
    for ours, doc in zip(nlp.pipe(TEXTS), theirs.pipe(TEXTS), strict=True):
        assert [token.tag_ for token in ours] == [token.tag_ for token in doc]
        assert [(ent.text, ent.label_) for ent in ours.ents] == [(ent.text, ent.label_) for ent in doc.ents]
    assert any(doc.ents for doc in nlp.pipe(TEXTS))


def test_the_remedy_in_the_message_works_as_it_is_printed(folder: Path) -> None:
    for excluded in ([], ["parser"], ["ner"]):
        with pytest.raises(UnknownNameError) as caught:
            ferrule.load(folder, exclude=excluded)
        printed = str(caught.value).split("exclude=")[1].split(")")[0]
        names = json.loads(printed.replace("'", '"'))
        assert set(names) == {*FOREIGN, *excluded}
        ferrule.load(folder, exclude=names)


def ferrule_command(*arguments: str | Path) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "ferrule", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_commands_take_it_either_way(theirs: Any, folder: Path, tmp_path: Path) -> None:
    gold = tmp_path / "gold.spacy"
    DocBin(docs=[Doc(theirs.vocab, **each) for each in SENTENCES]).to_disk(gold)
    assert "dep_uas" in ferrule_command("evaluate", folder, gold, "--foreign", "spacy")
    without = [part for name in FOREIGN for part in ("--exclude", name)]
    scores = ferrule_command("evaluate", folder, gold, *without)
    assert "ents_f" in scores and "dep_uas" not in scores
    assert "lemmatizer" in ferrule_command("info", folder)
    record = json.loads(ferrule_command("annotate", folder, "--foreign", "spacy", "--text", TEXTS[0]))
    saw, boats = record["tokens"][1], record["tokens"][4]
    assert (saw["lemma"], saw["dep"], saw["head"]) == ("see", "ROOT", 1)
    assert (boats["lemma"], boats["pos"], boats["tag"]) == ("boat", "NOUN", "NNS")
    assert record["sents"][0]["start"] == 0
    record = json.loads(ferrule_command("annotate", folder, *without, "--text", TEXTS[0]))
    assert set(record["tokens"][1]) == {"text", "start", "end", "tag"} and "sents" not in record
