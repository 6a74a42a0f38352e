"""Ferrule's components train, save, load and predict inside a spaCy `Language`."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import spacy
import spacy.tokens
from annotation import assert_same
from real_text import BATCH, BOW, ENCODER, ENSEMBLE, LISTENER, entities, questions, treebank
from spacy.training import Example
from thinc.api import fix_random_seed

import ferrule
import ferrule.interop.spacy.factories

PROJECT = Path(__file__).resolve().parents[2]


def pipeline(prefix: str) -> Any:
    """The same pipeline of spaCy's components (prefix "") or of Ferrule's ("ferrule_"), in spaCy."""
    nlp = spacy.blank("en")
    nlp.add_pipe(f"{prefix}tok2vec", name="tok2vec", config={"model": ENCODER})
    nlp.add_pipe(f"{prefix}tagger", name="tagger", config={"model": {"tok2vec": LISTENER}})
    nlp.add_pipe(f"{prefix}ner", name="ner", config={"model": {"tok2vec": ENCODER}})
    nlp.add_pipe(f"{prefix}textcat", name="textcat", config={"model": ENSEMBLE})
    nlp.add_pipe(f"{prefix}textcat_multilabel", name="topics", config={"model": BOW})
    return nlp


def examples_for(nlp: Any, folder: Path) -> list[Example]:
    gold = [spacy.tokens.Doc(nlp.vocab, **fields) for fields in treebank(folder, "train", 60)]
    gold += [spacy.tokens.Doc(nlp.vocab, **fields) for fields in entities(folder, "train", 150)]
    asked = questions(folder, "train", 60)
    kinds = sorted({kind for _, kind in asked})
    for question, kind in asked:
        doc = nlp.make_doc(question)
        doc.cats = {each: float(each == kind) for each in kinds}
        gold.append(doc)
    return [Example(spacy.tokens.Doc(nlp.vocab, [token.text for token in doc]), doc) for doc in gold]


@pytest.fixture(scope="module")
def trained(shared_data: Path) -> Any:
    fix_random_seed(0)
    random.seed(0)
    nlp = pipeline("ferrule_")
    examples = examples_for(nlp, shared_data)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.005
    # Texts without categories count as texts of none, so each component is looked at where its annotation is.
    parts = {"tagger": examples[:60], "ner": examples[60:210], "textcat": examples[210:]}
    nlp.first_losses, nlp.last_losses = {}, {}

    def learn(name: str, losses: dict[str, float]) -> None:
        with nlp.select_pipes(enable=["tok2vec", name]):
            nlp.update(parts[name][:BATCH], sgd=optimizer, losses=losses)
            for _ in range(30):
                nlp.update(random.sample(parts[name], BATCH), sgd=optimizer)

    for name in parts:
        learn(name, nlp.first_losses)
    for _ in range(10):
        nlp.update(random.sample(examples, BATCH), sgd=optimizer)
    for name in parts:
        learn(name, nlp.last_losses)
    return nlp


def test_they_learn(trained: Any) -> None:
    for name in ("tagger", "ner", "textcat"):
        assert trained.last_losses[name] < trained.first_losses[name] / 2, name
    assert trained.get_pipe("tagger").__class__ is ferrule.pipeline.tagger.Tagger


def test_the_saved_pipeline_loads_with_the_same_output(
    trained: Any, texts: list[str], tmp_path: Path
) -> None:
    expected = list(trained.pipe(texts))
    assert sum(len(doc.ents) for doc in expected) > 5
    trained.to_disk(tmp_path / "model")
    assert_same(spacy.load(tmp_path / "model").pipe(texts), expected)


def test_weights_move_to_spacys_own_components_and_back(
    trained: Any, texts: list[str], shared_data: Path
) -> None:
    """The saved form is spaCy's, so a config that names spaCy's factories reads it."""
    plain = pipeline("")
    plain.initialize(lambda: examples_for(plain, shared_data))
    for name in trained.pipe_names:
        plain.get_pipe(name).from_bytes(trained.get_pipe(name).to_bytes(exclude=["vocab"]), exclude=["vocab"])
    assert_same(trained.pipe(texts), plain.pipe(texts))
    again = pipeline("ferrule_")
    again.initialize(lambda: examples_for(again, shared_data))
    for name in again.pipe_names:
        again.get_pipe(name).from_bytes(plain.get_pipe(name).to_bytes(exclude=["vocab"]), exclude=["vocab"])
    assert_same(again.pipe(texts), plain.pipe(texts))


def test_tags_and_entities_that_are_set_are_kept(trained: Any) -> None:
    doc = trained.make_doc("Anna lives in Berlin now")
    doc[0].tag_ = "SET"
    doc.set_ents([spacy.tokens.Span(doc, 3, 4, label="city")], default="missing")
    doc = trained(doc)
    assert doc[0].tag_ == "SET"
    assert doc[1].tag_ not in ("", "SET")
    assert ("Berlin", "city") in [(ent.text, ent.label_) for ent in doc.ents]


def test_scores_come_from_spacys_scorers(trained: Any, shared_data: Path) -> None:
    scores = trained.evaluate(examples_for(trained, shared_data)[:100])
    assert scores["tag_acc"] > 0.1
    assert scores["ents_f"] is not None


def test_spacy_finds_them_by_the_entry_points_of_the_package(tmp_path: Path) -> None:
    """The table of pyproject.toml, as an installer writes it down, in a process that imports spaCy alone."""
    lines = (PROJECT / "pyproject.toml").read_text("utf8").split("[project.entry-points.spacy_factories]")[1]
    entries = [line.replace('"', "") for line in lines.split("\n\n")[0].splitlines()[1:]]
    info = tmp_path / "ferrule_entries-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ferrule-entries\nVersion: 0\n")
    (info / "entry_points.txt").write_text("\n".join(["[spacy_factories]", *entries]) + "\n")
    names = [entry.split(" = ")[0] for entry in entries]
    assert len(names) == 5
    code = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(PROJECT / 'python')!r}]\n"
        f"import spacy; nlp = spacy.blank('en')\n"
        f"for name in {names}: nlp.add_pipe(name)\n"
        "print(type(nlp.get_pipe('ferrule_ner')).__module__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "ferrule.pipeline.ner", done.stderr
