"""Components that Ferrule lacks run through spaCy inside a Ferrule pipeline, with spaCy's own output."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import spacy
import spacy.tokens
from annotation import assert_same, tokens

import ferrule
from ferrule.errors import SerializationError


@pytest.fixture(scope="module")
def theirs(spacy_nlp_with_more: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("foreign") / "theirs"
    spacy_nlp_with_more.to_disk(folder)
    return folder


@pytest.fixture(scope="module")
def expected(spacy_nlp_with_more: Any, texts: list[str]) -> list[Any]:
    docs = list(spacy_nlp_with_more.pipe(texts))
    assert len({token.dep_ for doc in docs for token in doc}) > 5  # there is something to compare
    assert any(len(token.text.split()) > 1 for doc in docs for token in doc if token.ent_type_)
    return docs


def test_the_same_output_in_batches_and_one_by_one(
    theirs: Path, expected: list[Any], texts: list[str]
) -> None:
    nlp = ferrule.load(theirs, foreign="spacy")
    assert_same(nlp.pipe(texts, batch_size=7), expected)
    assert_same((nlp(text) for text in texts[:20]), expected[:20])


def test_a_pipeline_with_foreign_parts_is_saved_and_loads_in_both(
    theirs: Path, expected: list[Any], texts: list[str], tmp_path: Path
) -> None:
    ferrule.load(theirs, foreign="spacy").to_disk(tmp_path / "ours")
    assert_same(spacy.load(tmp_path / "ours").pipe(texts), expected)
    again = ferrule.load(tmp_path / "ours", foreign="spacy")
    assert_same(again.pipe(texts), expected)
    again.from_bytes(again.to_bytes())
    assert_same(again.pipe(texts), expected)


def test_contexts_threads_and_copies(theirs: Path, expected: list[Any], texts: list[str]) -> None:
    nlp = ferrule.load(theirs, foreign="spacy")
    pairs = list(nlp.pipe(zip(texts, range(len(texts)), strict=True), as_tuples=True, n_threads=2))
    assert [context for _, context in pairs] == list(range(len(texts)))
    assert_same((doc for doc, _ in pairs), expected)
    assert_same(deepcopy(nlp).pipe(texts[:20]), expected[:20])


def test_what_was_there_before_stays(theirs: Path) -> None:
    nlp = ferrule.load(theirs, foreign="spacy")
    doc = nlp.make_doc("You went to the station in Berlin.")
    doc.cats["kept"] = 0.5
    doc.user_data["kept"] = 1
    doc.spans["kept"] = [doc[0:2]]
    doc = nlp(doc)
    assert (doc.cats["kept"], doc.user_data["kept"]) == (0.5, 1)
    assert [span.text for span in doc.spans["kept"]] == ["You went"]


def test_a_bad_document_costs_one_document(theirs: Path, texts: list[str]) -> None:
    nlp = ferrule.load(theirs, foreign="spacy")
    component = nlp.get_pipe("parser").component
    nlp.get_pipe("parser").component = Failing(component)
    failed = []
    nlp.set_error_handler(lambda name, pipe, docs, error: failed.append((name, [doc.text for doc in docs])))
    done = [doc.text for doc in nlp.pipe([*texts[:5], "a bad one", *texts[5:10]])]
    assert done == texts[:10]
    assert failed == [("parser", ["a bad one"])]


class Failing:
    """A component that fails on one text."""

    def __init__(self, component: Any) -> None:
        self.component = component

    def pipe(self, docs: list[Any], batch_size: int) -> Any:
        if any("bad" in doc.text for doc in docs):
            raise ValueError("a bad document")
        return self.component.pipe(docs, batch_size=batch_size)


def test_scores_are_those_of_spacy(theirs: Path, spacy_nlp_with_more: Any) -> None:
    nlp = ferrule.load(theirs, foreign="spacy")
    words, heads = ["I", "saw", "it", "."], [1, 1, 1, 1]
    deps = ["nsubj", "root", "obj", "punct"]
    ours = ferrule.training.Example.from_dict(
        nlp.make_doc("I saw it ."), {"words": words, "heads": heads, "deps": deps}
    )
    there = spacy.training.Example.from_dict(
        spacy_nlp_with_more.make_doc("I saw it ."), {"words": words, "heads": heads, "deps": deps}
    )
    found, expected = nlp.evaluate([ours]), spacy_nlp_with_more.evaluate([there])
    assert found["dep_uas"] is not None
    assert (found["dep_uas"], found["dep_las"]) == (expected["dep_uas"], expected["dep_las"])


def test_a_damaged_foreign_part_is_refused_and_changes_nothing(theirs: Path, tmp_path: Path) -> None:
    nlp = ferrule.load(theirs, foreign="spacy")
    text = "You went to the station in Berlin."
    before = tokens(nlp(text))
    data = nlp.get_pipe("parser").to_bytes()
    with pytest.raises(SerializationError, match="parser"):
        nlp.get_pipe("parser").from_bytes(data[: len(data) // 2])
    assert tokens(nlp(text)) == before
