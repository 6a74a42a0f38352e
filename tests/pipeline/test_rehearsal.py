"""Rehearsal: every built-in component goes back to what it said, also when its labels have changed since."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from thinc.api import SGD, Adam, fix_random_seed

import ferrule
from ferrule.language import Language
from ferrule.testing import default_examples
from ferrule.tokens import Doc
from ferrule.training.converters import convert
from ferrule.training.example import Example
from networks import bag_of_words, ensemble, ner, tagger

from .conftest import SMALL_ENCODER

ROOT = Path(__file__).resolve().parents[2]
MODELS: dict[str, dict[str, Any]] = {
    "tagger": tagger(SMALL_ENCODER),
    "textcat": ensemble(SMALL_ENCODER, bag_of_words(256, exclusive=True)),
    "textcat_multilabel": bag_of_words(256, exclusive=False),
    "ner": ner(SMALL_ENCODER, hidden_width=16),
}
HEADS = ["tagger", "textcat", "textcat_multilabel"]


def trained(name: str) -> Language:
    fix_random_seed(0)
    nlp = ferrule.blank("en")
    nlp.add_pipe(name, config={"model": MODELS[name]})
    examples = default_examples(nlp)
    nlp.initialize(lambda: examples)
    learn(nlp, examples, 25)
    return nlp


def learn(nlp: Language, examples: list[Example], steps: int) -> None:
    optimizer = Adam(0.02)
    for _ in range(steps):
        nlp.update(examples, sgd=optimizer)


def drift(nlp: Language) -> float:
    """The loss of rehearsal, without learning from it."""
    (name,) = nlp.pipe_names
    return nlp.get_pipe(name).rehearse(default_examples(nlp), sgd=SGD(0.0))[name]


def contrary(nlp: Language) -> list[Example]:
    """Examples that say something else about the same words."""
    examples = []
    for example in default_examples(nlp):
        n_tokens = len(example.reference)
        annotation = {
            "tags": ["ADJ"] * n_tokens,
            "cats": {name: 1.0 - value for name, value in example.reference.cats.items()},
            "entities": ["U-LOC"] * n_tokens,
        }
        examples.append(Example.from_dict(example.reference.copy(), annotation))
    return examples


@pytest.mark.parametrize("name", MODELS)
def test_rehearsal_leads_back_to_what_the_component_said(name: str) -> None:
    nlp = trained(name)
    nlp.resume_training()
    assert drift(nlp) == pytest.approx(0.0, abs=1e-4)
    learn(nlp, contrary(nlp), 10)
    drifted = drift(nlp)
    optimizer = Adam(0.02)
    for _ in range(30):
        nlp.rehearse(
            [Example(each.predicted, each.predicted) for each in default_examples(nlp)], sgd=optimizer
        )
    assert drift(nlp) < drifted / 4


@pytest.mark.parametrize("name", [*HEADS, "ner"])
def test_labels_added_since_count_as_unlikely(name: str) -> None:
    nlp = trained(name)
    nlp.resume_training()
    for label in ("ONE", "TWO", "THREE"):
        nlp.get_pipe(name).add_label(label)
    assert drift(nlp) < 0.05


@pytest.mark.parametrize("name", HEADS)
def test_labels_renamed_removed_and_merged_since_are_followed(name: str) -> None:
    nlp = trained(name)
    pipe = nlp.get_pipe(name)
    pipe.add_label("ONE")
    pipe.add_label("TWO")
    nlp.resume_training()
    first = pipe.labels[0]
    pipe.rename_label(first, "FIRST")
    pipe.remove_label("ONE")
    pipe.merge_labels([pipe.labels[1], "TWO"], into="BOTH")
    assert drift(nlp) == pytest.approx(0.0, abs=1e-4)


def test_weights_that_are_loaded_end_the_rehearsal_of_what_was_there() -> None:
    nlp, other = trained("tagger"), trained("tagger")
    nlp.resume_training()
    nlp.from_bytes(other.to_bytes())
    assert nlp.rehearse(default_examples(nlp)) == {}


@pytest.mark.parametrize("name", HEADS)
def test_a_label_added_after_others_can_be_learnt_as_fast(name: str) -> None:
    """Each starts below the learnt ones, not below the one that was added before it."""
    nlp = trained(name)
    pipe = nlp.get_pipe(name)
    docs = [example.predicted for example in default_examples(nlp)]
    n_labels = len(pipe.labels)
    before = probabilities(pipe, docs)
    for number in range(12):
        pipe.add_label(f"NEW{number}")
    np.testing.assert_array_equal(probabilities(pipe, docs)[:, :n_labels], before)
    words = ["Odd", "things", "happened"]
    annotation = {"tags": ["NEW11"] * 3, "cats": {"NEW11": 1.0, "food": 0.0, "ship": 0.0}}
    learn(nlp, [Example.from_dict(Doc(nlp.vocab, words=words), annotation)], 100)
    doc = nlp(Doc(nlp.vocab, words=words))
    assert (doc[0].tag_ if name == "tagger" else max(doc.cats, key=doc.cats.__getitem__)) == "NEW11"


def probabilities(pipe: Any, docs: list[Doc]) -> Any:
    scores = pipe.predict(docs)
    return scores.probabilities if pipe.name == "tagger" else scores


def test_half_of_the_tags_are_kept_while_the_other_half_is_learnt() -> None:
    """A small run of examples/rehearsal.py."""
    path = ROOT / "examples" / "rehearsal.py"
    spec = importlib.util.spec_from_file_location("rehearsal_example", path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    vocab = ferrule.blank("en").vocab
    corpus = ROOT / "examples" / "railway_desk"
    train, dev = (list(convert(corpus / f"{split}.conllu", vocab=vocab)) for split in ("train", "dev"))
    train, dev = train[:200], dev[:50]
    old, new = script.halves(train)
    nlp = script.learn_old(train, old, 40, 300)
    before = script.accuracy(nlp, dev, old)
    without = script.accuracy(script.learn_new(nlp, train, new, 40, 300), dev, old)
    kept = script.learn_new(nlp, train, new, 40, 300, rehearsed=150)
    assert before > 0.7
    assert without < 0.2
    assert script.accuracy(kept, dev, old) > before - 0.15
    assert script.accuracy(kept, dev, new) > 0.2
