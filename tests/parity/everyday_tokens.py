"""Everyday code with tokens, their trees and extensions."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.everyday import TEXT, apples, snippet


@snippet
def lexical_attributes(lib: Any) -> Any:
    return [
        (
            t.text,
            t.is_alpha,
            t.is_stop,
            t.like_num,
            t.shape_,
            t.norm_,
            t.is_currency,
            t.like_url,
            t.is_punct,
            t.is_sent_start,
            t.ent_iob_,
            t.lang_,
        )
        for t in lib.nlp(TEXT)
    ]


@snippet
def trees(lib: Any) -> Any:
    d = apples(lib)
    return [
        (
            t.text,
            t.dep_,
            t.head.text,
            [c.text for c in t.children],
            [a.text for a in t.ancestors],
            t.n_lefts,
            t.left_edge.text,
            t.right_edge.text,
            t.is_ancestor(d[0]),
        )
        for t in d
    ]


@snippet
def conjuncts(lib: Any) -> Any:
    return [t.text for t in apples(lib)[4].conjuncts]


@snippet
def neighbours(lib: Any) -> Any:
    d = apples(lib)
    return (d[1].nbor().text, d[1].nbor(-1).text)


@snippet
def a_neighbour_outside(lib: Any) -> Any:
    return apples(lib)[0].nbor(-1)


@snippet
def morphology(lib: Any) -> Any:
    m = apples(lib)[0].morph
    return (
        str(m),
        m.get("Case"),
        m.to_dict(),
        "Number=Sing" in m,
        len(m),
        list(m),
        m.get("X"),
        m.get("X", default=["y"]),
        m.to_json(),
    )


@snippet
def morphology_is_set(lib: Any) -> Any:
    d = apples(lib)
    d[1].set_morph("Tense=Past|VerbForm=Fin")
    d[2].set_morph({"A": "b"})
    d[3].set_morph(None)
    return ([str(t.morph) for t in d], d[3].has_morph(), d[1].has_morph(), d[5].has_morph())


@snippet
def an_unknown_part_of_speech(lib: Any) -> Any:
    apples(lib)[0].pos_ = "FOO"


@snippet
def token_attributes_are_set(lib: Any) -> Any:
    t = apples(lib)[0]
    t.tag_ = "X"
    t.lemma_ = "l"
    t.ent_kb_id_ = "Q1"
    t.norm_ = "n"
    t.dep_ = "foo"
    t.ent_id_ = "e"
    return (t.tag_, t.lemma_, t.ent_kb_id_, t.norm_, t.dep_, t.ent_id_)


@snippet
def heads_are_set(lib: Any) -> Any:
    d = apples(lib)
    d[0].head = d[4]
    return ([t.head.i for t in d], [c.i for c in d[4].children])


@snippet
def extensions(lib: Any) -> Any:
    lib.Token.set_extension("is_x", getter=lambda t: t.text == "is", force=True)
    lib.Doc.set_extension("n", default=3, force=True)
    lib.Span.set_extension("hi", method=lambda s, x: s.text + x, force=True)
    d = lib.nlp(TEXT)
    d._.n += 1
    return (
        [t._.is_x for t in d],
        d._.n,
        d[1:2]._.hi("!"),
        lib.Doc.has_extension("n"),
        lib.Doc.get_extension("n")[0],
        d._.has("n"),
        d._.get("n"),
        d.user_data,
    )


@snippet
def an_extension_that_is_missing(lib: Any) -> Any:
    return lib.nlp(TEXT)._.nope


@snippet
def an_extension_twice(lib: Any) -> Any:
    lib.Doc.set_extension("tw", default=1, force=True)
    lib.Doc.set_extension("tw", default=1)


@snippet
def comparisons(lib: Any) -> Any:
    d = apples(lib)
    return (
        d[0] == d[0],
        d[0] < d[1],
        d[0:2] == d[0:2],
        d[0] in d[0:2],
        hash(d[0]) == hash(d[0]),
        d == d,
        bool(d),
        bool(lib.Doc(d.vocab)),
    )


@snippet
def user_hooks(lib: Any) -> Any:
    d = apples(lib)
    d.user_hooks["vector"] = lambda d: np.ones(3)
    d.user_token_hooks["has_vector"] = lambda t: True
    d.user_span_hooks["vector"] = lambda s: np.zeros(2)
    return (d.vector.tolist(), d[0].has_vector, d[0:2].vector.tolist())


@snippet
def attributes_of_a_token(lib: Any) -> Any:
    t = apples(lib)[6]
    return (
        t.i,
        t.idx,
        t.text_with_ws,
        t.is_sent_start,
        t.sent.text,
        t.ent_type_,
        t.ent_iob_,
        t.is_title,
        t.is_oov,
        t.rank == 2**64 - 1,
        t.lex_id == 2**64 - 1,
        t.cluster,
        t.prob,
        t.sentiment,
        t.doc.text,
        t.orth_,
        len(t),
        str(t),
        repr(t),
        t.check_flag(lib.attrs.IS_ALPHA),
        t.tensor is None,
    )


@snippet
def morph_analysis(lib: Any) -> Any:
    v = lib.Vocab()
    m = lib.MorphAnalysis(v, {"B": "x", "A": "y"})
    return (str(m), v.morphology.add("A=y|B=x") == m.key, m == lib.MorphAnalysis(v, "A=y|B=x"))


@snippet
def contexts(lib: Any) -> Any:
    d = lib.nlp.make_doc("hi")
    d._context = 1
    return d._context


@snippet
def extensions_are_saved(lib: Any) -> Any:
    lib.Doc.set_extension("src", default=None, force=True)
    nlp = lib.nlp
    d = nlp("a")
    d._.src = "x"
    e = lib.Doc(nlp.vocab).from_bytes(d.to_bytes())
    return e._.src


@snippet
def extensions_of_spans(lib: Any) -> Any:
    lib.Span.set_extension("sc", default=None, force=True)
    d = apples(lib)
    d[0:2]._.sc = 1
    return (d[0:2]._.sc, d[0:3]._.sc, d.copy()[0:2]._.sc)
