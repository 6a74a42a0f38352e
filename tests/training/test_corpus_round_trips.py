"""Annotation in a corpus format is read back: CoNLL-U, columns, IOB lines, BILUO tags, JSON lines."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import ferrule
from ferrule.cli.writers import doc_to_conllu, doc_to_record
from ferrule.tokens import Doc
from ferrule.training.converters import convert
from ferrule.training.iob_utils import (
    biluo_tags_to_offsets,
    biluo_tags_to_spans,
    biluo_to_iob,
    doc_to_biluo_tags,
    offsets_to_biluo_tags,
)
from ferrule.vocab import Vocab

VOCAB = Vocab()
# No white space, and nothing that a column of the format means by itself.
word = st.text(
    st.characters(exclude_categories=["Cs", "Zs", "Zl", "Zp", "Cc", "Cf"]), min_size=1, max_size=6
).filter(lambda text: not text.isspace() and not set("_#|-") & set(text))
label = st.sampled_from(["PER", "ORG", "x-y", "Ünï"])
tag = st.sampled_from(["NN", "VB", "$", "''"])
FEATS = ["", "Number=Sing", "Case=Nom|Number=Plur"]


@st.composite
def entity_tags(draw: st.DrawFn, n_tokens: int) -> list[str]:
    tags: list[str] = []
    while len(tags) < n_tokens:
        length = draw(st.integers(0, min(3, n_tokens - len(tags))))
        name = draw(label)
        tags += [f"B-{name}", *[f"I-{name}"] * (length - 1)] if length else ["O"]
    return tags


@st.composite
def sentences(draw: st.DrawFn) -> dict[str, Any]:
    words = draw(st.lists(word, min_size=1, max_size=7))
    n_tokens = len(words)

    def column(entry: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(entry, min_size=n_tokens, max_size=n_tokens))

    order = draw(st.permutations(range(n_tokens)))
    heads = [0] * n_tokens
    for rank, token in enumerate(order):
        heads[token] = order[draw(st.integers(0, rank - 1))] if rank else token
    return {
        "words": words,
        "spaces": column(st.booleans()),
        "tags": column(tag),
        "pos": column(st.sampled_from(["NOUN", "VERB", "X"])),
        "morphs": column(st.sampled_from(FEATS)),
        "lemmas": column(word),
        "heads": heads,
        "deps": ["ROOT" if head == token else "dep" for token, head in enumerate(heads)],
        "ents": draw(entity_tags(n_tokens)),
    }


def read(name: str, content: str, **settings: Any) -> list[Doc]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(content, encoding="utf8")
        return list(convert(path, vocab=VOCAB, make_doc=ferrule.blank("xx").make_doc, **settings))


def same(found: Doc, doc: Doc, attributes: list[str]) -> bool:
    return [token.text for token in found] == [token.text for token in doc] and found.to_array(
        attributes
    ).tolist() == doc.to_array(attributes).tolist()


@given(st.lists(sentences(), min_size=1, max_size=3))
@settings(deadline=None, max_examples=30)
def test_conllu_brings_every_column_back(several: list[dict[str, Any]]) -> None:
    blocks = []
    for one in several:
        lines = []
        for token, form in enumerate(one["words"]):
            head = 0 if one["heads"][token] == token else one["heads"][token] + 1
            misc = [f"NE={one['ents'][token]}", *([] if one["spaces"][token] else ["SpaceAfter=No"])]
            columns = [token + 1, form, one["lemmas"][token], one["pos"][token], one["tags"][token]]
            columns += [one["morphs"][token] or "_", head, one["deps"][token].replace("ROOT", "root"), "_"]
            lines.append("\t".join(map(str, [*columns, "|".join(misc)])))
        blocks.append("\n".join(lines) + "\n\n")
    attributes = ["TAG", "POS", "MORPH", "LEMMA", "HEAD", "DEP", "SENT_START", "ENT_IOB", "ENT_TYPE", "SPACY"]
    for found, one in zip(read("a.conllu", "".join(blocks)), several, strict=True):
        # A document ends without a space.
        expected = Doc(VOCAB, **{**one, "spaces": [*one["spaces"][:-1], False]})
        assert same(found, expected, attributes)


@given(sentences())
@settings(deadline=None, max_examples=30)
def test_conllu_that_is_written_here_is_read_back(one: dict[str, Any]) -> None:
    doc = Doc(VOCAB, **{**one, "heads": None, "deps": None})
    (found,) = read("a.conllu", doc_to_conllu(doc, {}))
    assert same(found, doc, ["TAG", "POS", "MORPH", "LEMMA", "ENT_IOB", "ENT_TYPE"])
    # A space at the end of a text is not written.
    assert found.text.rstrip(" ") == doc.text.rstrip(" ")


@given(sentences())
@settings(deadline=None, max_examples=30)
def test_columns_and_iob_lines_bring_entities_back(one: dict[str, Any]) -> None:
    doc = Doc(VOCAB, words=one["words"], tags=one["tags"], ents=one["ents"])
    rows = list(zip(one["words"], one["tags"], one["ents"], strict=True))
    (found,) = read("a.conll", "".join("\t".join(row) + "\n" for row in rows), converter="conll")
    assert same(found, doc, ["TAG", "ENT_IOB", "ENT_TYPE"])
    (found,) = read("a.iob", " ".join("|".join(row) for row in rows) + "\n", converter="iob")
    assert same(found, doc, ["TAG", "ENT_IOB", "ENT_TYPE"])


@given(sentences())
@settings(deadline=None, max_examples=30)
def test_tags_offsets_and_spans_lead_back_to_the_entities(one: dict[str, Any]) -> None:
    doc = Doc(VOCAB, words=one["words"], spaces=one["spaces"], ents=one["ents"])
    biluo = doc_to_biluo_tags(doc)
    assert biluo_to_iob(biluo) == one["ents"]
    bare = Doc(VOCAB, words=one["words"], spaces=one["spaces"])
    assert offsets_to_biluo_tags(bare, biluo_tags_to_offsets(bare, biluo)) == biluo
    bare.set_ents(biluo_tags_to_spans(bare, biluo))
    assert same(bare, doc, ["ENT_IOB", "ENT_TYPE"])


@given(sentences(), st.dictionaries(label, st.floats(0, 1), max_size=3))
@settings(deadline=None, max_examples=30)
def test_json_lines_bring_words_entities_and_categories_back(
    one: dict[str, Any], cats: dict[str, float]
) -> None:
    doc = Doc(VOCAB, words=one["words"], spaces=one["spaces"], ents=one["ents"])
    doc.cats = cats
    record = json.loads(json.dumps(doc_to_record(doc, {"id": 7})))
    entities = [[ent["start"], ent["end"], ent["label"]] for ent in record["ents"]]
    words = [token["text"] for token in record["tokens"]]
    line = {"text": record["text"], "tokens": words, "entities": entities, "cats": record.get("cats", {})}
    (found,) = read("a.jsonl", json.dumps(line) + "\n")
    assert found.text == doc.text and found.cats == cats
    assert same(found, doc, ["SPACY", "ENT_IOB", "ENT_TYPE"])
