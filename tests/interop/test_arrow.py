"""Documents as Arrow tables and data frames: what is kept comes back, and values are where they should be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from annotation import assert_same
from real_text import treebank

import ferrule
from ferrule.interop.arrow import (
    SCHEMA,
    docs_from_arrow,
    docs_to_batches,
    docs_to_table,
    to_pandas,
    to_polars,
)
from ferrule.interop.arrow.scores import keep_scores
from ferrule.tokens import Doc, Span
from ferrule.vocab import Vocab


@pytest.fixture(scope="module")
def docs(spacy_nlp: Any, texts: list[str], shared_data: Path, tmp_path_factory: Any) -> list[Doc]:
    """Predicted documents with tags, entities, categories and scores; gold ones with trees; an empty one."""
    folder = tmp_path_factory.mktemp("arrow") / "model"
    spacy_nlp.to_disk(folder)
    nlp = ferrule.load(folder)
    keep_scores(nlp)
    found = list(nlp.pipe([*texts[:60], *texts[120:160]]))
    found += [Doc(nlp.vocab, **fields) for fields in treebank(shared_data, "dev", 50)]
    found.append(nlp.make_doc(""))
    marked = nlp.make_doc("New York is big.")
    marked.set_ents(
        [Span(marked, 0, 2, "GPE", kb_id="Q60", span_id="nyc")], blocked=[marked[2:3]], missing=[marked[3:4]]
    )
    marked.spans["sc"] = [marked[0:2], Span(marked, 1, 4, label="CLAIM")]
    return [*found, marked]


def test_the_columns_are_those_of_the_schema(docs: list[Doc]) -> None:
    table = docs_to_table(docs)
    assert table.schema == SCHEMA
    table.validate(full=True)
    assert table["text"].to_pylist() == [doc.text for doc in docs]
    for doc, row in zip(docs, table.to_pylist(), strict=True):
        assert [doc.text[token["start"] : token["end"]] for token in row["tokens"]] == [t.text for t in doc]
        assert [token["start"] for token in row["tokens"]] == [token.idx for token in doc]
        assert [token["tag"] or "" for token in row["tokens"]] == [token.tag_ for token in doc]
        heads = [token["head"] for token in row["tokens"] if token["dep"]]
        assert heads == [token.head.i for token in doc if token.dep_]
        assert [doc.text[ent["start_char"] : ent["end_char"]] for ent in row["ents"] or ()] == [
            ent.text for ent in doc.ents
        ]


def test_tags_and_entities_have_scores_where_they_were_kept(docs: list[Doc]) -> None:
    rows = docs_to_table(docs).to_pylist()
    predicted, gold = rows[:100], rows[100:-1]
    tag_scores = [token["tag_score"] for row in predicted for token in row["tokens"]]
    entity_scores = [ent["score"] for row in predicted for ent in row["ents"]]
    assert len(entity_scores) > 3
    assert all(0 < score <= 1 for score in [*tag_scores, *entity_scores])
    assert {token["tag_score"] for row in gold for token in row["tokens"]} == {None}
    assert all(row["ents"] is None for row in gold if row["tokens"])


@pytest.mark.parametrize("form", ["table", "batches", "pandas", "polars"])
def test_documents_come_back_as_they_were(docs: list[Doc], form: str) -> None:
    data = {
        "table": docs_to_table,
        "batches": lambda docs: docs_to_batches(docs, batch_size=7),
        "pandas": to_pandas,
        "polars": to_polars,
    }[form](docs)
    back = list(docs_from_arrow(data, ferrule.blank("en").vocab))
    assert_same(back, docs)
    for one, other in zip(back, docs, strict=True):
        groups = [
            {key: [(s.start, s.end, s.label_) for s in group] for key, group in doc.spans.items()}
            for doc in (one, other)
        ]
        assert groups[0] == groups[1]
        assert [ent.kb_id_ for ent in one.ents] == [ent.kb_id_ for ent in other.ents]


def test_batches_are_as_small_as_asked(docs: list[Doc]) -> None:
    assert [batch.num_rows for batch in docs_to_batches(docs[:7], batch_size=3)] == [3, 3, 1]
    assert docs_to_table([]).num_rows == 0
    with pytest.raises(ValueError, match="batch_size"):
        list(docs_to_batches(docs, batch_size=0))


def test_a_table_of_text_and_words_alone_will_do() -> None:
    table = pa.table(
        {"text": ["Hi you"], "tokens": [[{"text": "Hi", "space": True}, {"text": "you", "space": False}]]}
    )
    (doc,) = docs_from_arrow(table, Vocab())
    assert ([token.text for token in doc], doc.text, doc.cats) == (["Hi", "you"], "Hi you", {})


def test_what_does_not_fit_is_named_with_its_row() -> None:
    with pytest.raises(ValueError, match="no column 'tokens'"):
        list(docs_from_arrow(pa.table({"text": ["a"]}), Vocab()))
    tokens = [[{"text": "a", "space": False}]]
    with pytest.raises(ValueError, match="row 0: the tokens make 'a', but the text is 'b'"):
        list(docs_from_arrow(pa.table({"text": ["b"], "tokens": tokens}), Vocab()))
    with pytest.raises(TypeError, match="found int"):
        list(docs_from_arrow(3, Vocab()))
    with pytest.raises(TypeError, match="expected Docs"):
        docs_to_table(["a text"])  # type: ignore[list-item]
