"""Documents go to spaCy and back with all that is annotated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
import spacy.tokens
from real_text import treebank

import ferrule
from ferrule.interop.spacy import from_spacy, to_spacy
from ferrule.tokens import Doc, DocBin, Span
from ferrule.vocab import Vocab

ATTRIBUTES = ["ORTH", "SPACY", "TAG", "POS", "MORPH", "LEMMA", "HEAD", "DEP", "SENT_START", "NORM"]
ENTITY_ATTRIBUTES = ["ENT_IOB", "ENT_TYPE", "ENT_KB_ID", "ENT_ID"]


def strings_of(doc: Any, attributes: list[str]) -> list[Any]:
    """The attributes with strings in place of ids, so that vocabularies may differ."""
    values = doc.to_array(attributes).tolist()
    with_strings = set(ATTRIBUTES + ENTITY_ATTRIBUTES) - {"SPACY", "HEAD", "SENT_START", "ENT_IOB", "POS"}
    columns = [name in with_strings for name in attributes]
    strings = doc.vocab.strings
    return [
        [strings[value] if named else value for value, named in zip(row, columns, strict=True)]
        for row in values
    ]


def test_a_treebank_goes_there_and_back(shared_data: Path) -> None:
    vocab, their_vocab, plain = ferrule.blank("en").vocab, spacy.vocab.Vocab(), spacy.blank("en").vocab
    for fields in treebank(shared_data, "dev", 200):
        doc = Doc(vocab, **fields)
        theirs = to_spacy(doc, their_vocab)
        assert theirs.text == doc.text
        expected = strings_of(spacy.tokens.Doc(plain, **fields), ATTRIBUTES)
        assert strings_of(theirs, ATTRIBUTES) == expected
        assert strings_of(from_spacy(theirs), ATTRIBUTES) == expected


@pytest.fixture
def extensions() -> Iterator[None]:
    Doc.set_extension("interop_source", default="nowhere")
    Span.set_extension("interop_weight", default=0)
    yield
    for kind, name in ((Doc, "interop_source"), (Span, "interop_weight")):
        for table in (kind, getattr(spacy.tokens, kind.__name__)):
            if table.has_extension(name):
                table.remove_extension(name)


def annotated() -> Doc:
    doc = Doc(Vocab(), words=["New", "York", "is", "big", "."], ents=["B-GPE", "I-GPE", "O", "O", "O"])
    doc.ents = [Span(doc, 0, 2, label="GPE", kb_id="Q60", span_id="nyc")]
    doc.spans["sc"] = [Span(doc, 0, 2, label="CITY"), Span(doc, 1, 4, label="CLAIM")]
    doc.cats = {"travel": 0.75, "food": 0.25}
    doc.tensor = np.arange(10, dtype="float32").reshape(5, 2)
    doc._.interop_source = {"url": "a", "seen": {1, 2}}
    doc[1:3]._.interop_weight = 3
    doc.user_data["plain"] = object
    return doc


def test_entities_groups_categories_and_extensions_go_over(extensions: None) -> None:
    doc = annotated()
    theirs = to_spacy(doc)
    for there in (theirs, from_spacy(theirs), to_spacy(from_spacy(theirs))):
        assert strings_of(there, ENTITY_ATTRIBUTES) == strings_of(doc, ENTITY_ATTRIBUTES)
        assert [(e.start, e.end, e.label_, e.kb_id_, e.id_) for e in there.ents] == [
            (0, 2, "GPE", "Q60", "nyc")
        ]
        groups = {key: [(s.start, s.end, s.label_) for s in group] for key, group in there.spans.items()}
        assert groups == {"sc": [(0, 2, "CITY"), (1, 4, "CLAIM")]}
        assert there.cats == doc.cats
        assert np.array_equal(there.tensor, doc.tensor)
        assert there._.interop_source == {"url": "a", "seen": {1, 2}}
        assert (there[1:3]._.interop_weight, there[0:1]._.interop_weight) == (3, 0)
        assert there.user_data["plain"] is object


def test_the_two_documents_share_nothing(extensions: None) -> None:
    doc = annotated()
    theirs = to_spacy(doc)
    theirs.cats["travel"] = 0.0
    theirs.tensor[0, 0] = 9.0
    theirs.user_data["new"] = 1
    theirs[3].tag_ = "JJ"
    assert doc.cats["travel"] == 0.75
    assert doc.tensor[0, 0] == 0.0
    assert "new" not in doc.user_data
    assert doc[3].tag_ == ""


def test_unknown_spaces_and_empty_documents_go_over() -> None:
    doc = Doc(Vocab(), words=["a", "b"])
    assert from_spacy(to_spacy(doc)).has_unknown_spaces
    assert len(to_spacy(Doc(Vocab()))) == len(from_spacy(spacy.blank("en")(""))) == 0


def test_another_kind_of_document_is_refused() -> None:
    with pytest.raises(TypeError, match="from_spacy"):
        to_spacy(spacy.blank("en")("a"))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="to_spacy"):
        from_spacy(ferrule.blank("en")("a"))  # type: ignore[arg-type]


def test_corpus_files_are_read_on_both_sides(extensions: None, tmp_path: Path) -> None:
    doc = annotated()
    del doc.user_data["plain"]  # a file holds only what can be written
    doc._.interop_source = "file"
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "ours.spacy")
    their_bin = spacy.tokens.DocBin(store_user_data=True).from_disk(tmp_path / "ours.spacy")
    (there,) = their_bin.get_docs(spacy.vocab.Vocab())
    spacy.tokens.DocBin(docs=[there], store_user_data=True).to_disk(tmp_path / "theirs.spacy")
    (back,) = DocBin(store_user_data=True).from_disk(tmp_path / "theirs.spacy").get_docs(Vocab())
    for other in (there, back):
        assert other.cats == doc.cats
        assert [(e.start, e.end, e.label_) for e in other.ents] == [(0, 2, "GPE")]
        assert [(s.start, s.end, s.label_) for s in other.spans["sc"]] == [(0, 2, "CITY"), (1, 4, "CLAIM")]
        assert other.user_data["._.", "interop_source", None, None] == "file"
