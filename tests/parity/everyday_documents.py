"""Everyday code with documents and spans."""

from __future__ import annotations

import pickle
from typing import Any

from parity.everyday import TEXT, apples, snippet


@snippet
def counts_by_part_of_speech(lib: Any) -> Any:
    d = apples(lib)
    c = d.count_by(lib.attrs.POS)
    return sorted(((d.vocab[k].text, v) for k, v in c.items()))


@snippet
def counts_by_word(lib: Any) -> Any:
    d = lib.nlp("a b a c a")
    return sorted(((d.vocab.strings[k], v) for k, v in d.count_by(lib.attrs.ORTH).items()))


@snippet
def slices_of_documents(lib: Any) -> Any:
    d = lib.nlp(TEXT)
    return [str(d[-1]), str(d[2:5]), str(d[:3]), str(d[-3:]), str(d[3:3]), len(d[3:3])]


@snippet
def a_slice_with_a_step(lib: Any) -> Any:
    return str(lib.nlp(TEXT)[1:8:2])


@snippet
def a_position_outside(lib: Any) -> Any:
    return lib.nlp(TEXT)[99]


@snippet
def entities_are_set(lib: Any) -> Any:
    d = lib.nlp(TEXT)
    d.ents = [lib.Span(d, 0, 1, label="ORG"), lib.Span(d, 5, 6, label="GPE")]
    return (
        [(e.text, e.label_, e.start_char, e.end_char, e.ent_id_, e.kb_id_) for e in d.ents],
        [t.ent_iob_ + t.ent_type_ for t in d],
    )


@snippet
def overlapping_entities(lib: Any) -> Any:
    d = lib.nlp(TEXT)
    d.ents = [lib.Span(d, 0, 2, label="ORG"), lib.Span(d, 1, 3, label="GPE")]


@snippet
def set_ents_with_a_default(lib: Any) -> Any:
    d = lib.nlp(TEXT)
    d.set_ents([lib.Span(d, 0, 1, "ORG")], missing=[d[2:4]], default="outside")
    return [t.ent_iob for t in d]


@snippet
def blocked_entities(lib: Any) -> Any:
    d = lib.nlp(TEXT)
    d.set_ents([lib.Span(d, 0, 1, "ORG")], blocked=[d[2:4]], outside=[d[5:6]], default="missing")
    return [(t.ent_iob, t.ent_type_) for t in d]


@snippet
def entities_as_tuples(lib: Any) -> Any:
    d = lib.nlp(TEXT)
    d.ents = [("ORG", 0, 1)]
    return [(e.text, e.label_) for e in d.ents]


@snippet
def sentences_unset(lib: Any) -> Any:
    return list(lib.nlp(TEXT).sents)


@snippet
def sentences(lib: Any) -> Any:
    d = lib.nlp(TEXT)
    for t in d:
        t.is_sent_start = t.i in (0, 12)
    return ([x.text for x in d.sents], [t.is_sent_end for t in d])


@snippet
def roots_of_spans(lib: Any) -> Any:
    d = apples(lib)
    return (
        d[2:5].root.text,
        [t.text for t in d[2:5].lefts],
        [t.text for t in d[6:8].subtree],
        d[2:5].sent.text,
    )


@snippet
def noun_chunks(lib: Any) -> Any:
    return [(c.text, c.root.text, c.root.dep_, c.label_) for c in apples(lib).noun_chunks]


@snippet
def to_array(lib: Any) -> Any:
    d = apples(lib)
    return (
        d.to_array([lib.attrs.LOWER, "POS", "ENT_TYPE", "IS_ALPHA"]).tolist(),
        d.to_array("LENGTH").tolist(),
        str(d.to_array(["POS"]).dtype),
        d.to_array(["POS"]).shape,
    )


@snippet
def from_array(lib: Any) -> Any:
    d = apples(lib)
    a = d.to_array(["ENT_TYPE", "ENT_IOB", "POS"])
    d2 = lib.Doc(d.vocab, words=[t.text for t in d])
    d2.from_array(["ENT_TYPE", "ENT_IOB", "POS"], a)
    return [(t.pos_, t.ent_type_) for t in d2]


@snippet
def to_json(lib: Any) -> Any:
    return apples(lib).to_json()


@snippet
def from_json(lib: Any) -> Any:
    d = apples(lib)
    return lib.Doc(lib.Vocab()).from_json(d.to_json(), validate=True).to_json()


@snippet
def to_bytes(lib: Any) -> Any:
    d = apples(lib)
    e = lib.Doc(lib.Vocab()).from_bytes(d.to_bytes())
    return (e.text, [t.tag_ for t in e], [x.label_ for x in e.ents])


@snippet
def doc_bin(lib: Any) -> Any:
    b = lib.DocBin(attrs=["LEMMA", "ENT_IOB", "ENT_TYPE"], store_user_data=True)
    d = apples(lib)
    d.user_data["a"] = 1
    b.add(d)
    e = next(b.get_docs(lib.Vocab()))
    return (len(b), [t.lemma_ for t in e], [t.tag_ for t in e], e.user_data, [x.text for x in e.ents])


@snippet
def tokens_are_merged(lib: Any) -> Any:
    d = apples(lib)
    with d.retokenize() as r:
        r.merge(d[6:8], attrs={"LEMMA": "new york", "ENT_TYPE": "GPE"})
    return [(t.text, t.lemma_, t.head.text, t.pos_, t.dep_) for t in d]


@snippet
def spans_by_key(lib: Any) -> Any:
    d = apples(lib)
    d.spans["a"] = [d[0:2]]
    d.spans.setdefault("b", [d[1:2]])
    return {k: [str(x) for x in v] for k, v in d.spans.items()}


@snippet
def span_attributes(lib: Any) -> Any:
    d = apples(lib)
    x = lib.Span(d, 6, 8, label="GPE", kb_id="Q60", span_id="z")
    return (
        x.label_,
        x.kb_id_,
        x.id_,
        x.text,
        x.start,
        x.end,
        len(x),
        x[0].text,
        x.as_doc().text,
        [t.i for t in x],
        x == lib.Span(d, 6, 8, label="GPE", kb_id="Q60", span_id="z"),
        x < d[7:9],
        hash(x) == hash(lib.Span(d, 6, 8, label="GPE", kb_id="Q60", span_id="z")),
        x.vector_norm,
        x.ents,
        x.orth_,
        x.lemma_,
        x.sentiment,
        x.tensor.shape if hasattr(x.tensor, "shape") else x.tensor,
    )


@snippet
def character_spans_of_spans(lib: Any) -> Any:
    d = apples(lib)
    return (str(d[1:8].char_span(0, 6)), d[1:8].char_span(0, 5))


@snippet
def filter_spans(lib: Any) -> Any:
    d = apples(lib)
    return [str(x) for x in lib.util.filter_spans([d[0:2], d[1:5], d[6:8], d[7:8]])]


@snippet
def pickling(lib: Any) -> Any:
    d = pickle.loads(pickle.dumps(apples(lib)))
    return (d.text, [e.label_ for e in d.ents], [t.dep_ for t in d])


@snippet
def copies(lib: Any) -> Any:
    d = apples(lib)
    e = d.copy()
    e[0].tag_ = "ZZ"
    return (d[0].tag_, e[0].tag_, e.vocab is d.vocab)


@snippet
def from_docs(lib: Any) -> Any:
    nlp = lib.nlp
    d = lib.Doc.from_docs([nlp("A b."), nlp("C d.")])
    return (d.text, len(d), [t.idx for t in d], lib.Doc.from_docs([]))


@snippet
def from_docs_of_two_vocabularies(lib: Any) -> Any:
    return lib.Doc.from_docs([lib.blank("en")("a"), lib.blank("en")("b")])


@snippet
def has_annotation(lib: Any) -> Any:
    d = apples(lib)
    return (
        [d.has_annotation(x) for x in ("TAG", "POS", "LEMMA", "DEP", "ENT_IOB", "SENT_START", "MORPH")],
        d.has_annotation("ENT_IOB", require_complete=True),
        lib.nlp(TEXT).has_annotation("TAG"),
        d.has_unknown_spaces,
    )


@snippet
def words_and_spaces(lib: Any) -> Any:
    d = lib.Doc(lib.Vocab(), words=["a", "b", "!"], spaces=[True, False, False])
    return (
        d.text,
        [t.whitespace_ for t in d],
        d.text_with_ws,
        [t.text_with_ws for t in d],
        d.is_tagged if hasattr(d, "is_tagged") else None,
    )


@snippet
def too_many_spaces(lib: Any) -> Any:
    return lib.Doc(lib.Vocab(), words=["a"], spaces=[True, False])


@snippet
def lca_matrix(lib: Any) -> Any:
    return apples(lib).get_lca_matrix().tolist()


@snippet
def cats(lib: Any) -> Any:
    d = apples(lib)
    d.cats["X"] = 0.5
    return (d.cats, d.copy().cats, d.to_json().get("cats"))


@snippet
def overlapping_merges(lib: Any) -> Any:
    d = apples(lib)
    with d.retokenize() as r:
        r.merge(d[0:3])
        r.merge(d[2:5])


@snippet
def a_head_outside(lib: Any) -> Any:
    return lib.Doc(lib.Vocab(), words=["a", "b"], heads=[0, 5], deps=["x", "y"])


@snippet
def heads_without_deps(lib: Any) -> Any:
    return lib.Doc(lib.Vocab(), words=["a", "b"], heads=[1, 1])


@snippet
def an_unknown_entity_tag(lib: Any) -> Any:
    return lib.Doc(lib.Vocab(), words=["a", "b"], ents=["X-P", "O"])


@snippet
def to_utf8_array(lib: Any) -> Any:
    return lib.nlp("ab é").to_utf8_array().tolist()


@snippet
def spans_are_changed(lib: Any) -> Any:
    d = apples(lib)
    x = d[0:2]
    x.label_ = "A"
    x.kb_id_ = "B"
    x.id_ = "c"
    x.start = 1
    return (x.text, x.label_, x.kb_id_, x.id_)


@snippet
def entities_of_spans(lib: Any) -> Any:
    d = apples(lib)
    return ([e.text for e in d[5:9].ents], [x.text for x in d[2:4].sents])


@snippet
def is_nered(lib: Any) -> Any:
    return apples(lib).is_nered


@snippet
def is_parsed(lib: Any) -> Any:
    d = apples(lib)
    return (d.is_parsed, d.is_tagged, d.is_sentenced)


@snippet
def how_things_print(lib: Any) -> Any:
    return (
        repr(apples(lib)),
        str(apples(lib)),
        repr(apples(lib)[1:3]),
        repr(apples(lib).ents),
        repr(apples(lib)[0].morph),
    )
