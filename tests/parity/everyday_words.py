"""Everyday code with words, tokens and pipelines."""

from __future__ import annotations

import re
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
def similarity(lib: Any) -> Any:
    nlp = lib.blank("en")
    for i, w in enumerate(["cat", "dog", "car"]):
        nlp.vocab.set_vector(w, np.array([1, i, i * i], dtype="f"))
    d = nlp("cat dog car")
    return (
        round(float(d[0].similarity(d[1])), 5),
        round(float(d[:2].similarity(d[2])), 5),
        d.has_vector,
        d[0].vector.tolist(),
        round(float(d.vector_norm), 4),
        nlp.vocab.vectors.shape,
        nlp.vocab["zzz"].has_vector,
        d[0].is_oov,
    )


@snippet
def lexemes(lib: Any) -> Any:
    v = lib.blank("en").vocab
    x = v["Coffee"]
    return (
        x.text,
        x.orth == v.strings["Coffee"],
        x.lower_,
        x.is_title,
        x.shape_,
        x.prefix_,
        x.suffix_,
        x.prob,
        x.cluster,
        x.sentiment,
        x.rank == 2**64 - 1,
        "Coffee" in v,
        v["coffee"].flags > 0,
    )


@snippet
def string_store(lib: Any) -> Any:
    store = lib.StringStore(["a", "b"])
    return (
        len(store),
        "a" in store,
        store["a"],
        store[store["b"]],
        store.add("c"),
        list(store),
        store.as_int("a"),
        store.as_string(store["a"]),
    )


@snippet
def an_unknown_string(lib: Any) -> Any:
    return lib.StringStore()[12345]


@snippet
def tokenizer_explain(lib: Any) -> Any:
    return lib.nlp.tokenizer.explain("(don't!) http://x.org/a-b, U.S.A. 5km :-)")


@snippet
def special_cases(lib: Any) -> Any:
    nlp = lib.blank("en")
    nlp.tokenizer.add_special_case("gimme", [{lib.symbols.ORTH: "gim"}, {lib.symbols.ORTH: "me"}])
    return [t.text for t in nlp("gimme that, ...gimme...?")]


@snippet
def a_special_case_that_changes_the_text(lib: Any) -> Any:
    lib.blank("en").tokenizer.add_special_case("gimme", [{lib.symbols.ORTH: "gi"}, {lib.symbols.ORTH: "me"}])


@snippet
def a_tokenizer_of_ones_own(lib: Any) -> Any:
    nlp = lib.blank("en")
    nlp.tokenizer = lib.tokenizer.Tokenizer(
        nlp.vocab,
        prefix_search=re.compile("^[\\[\"']").search,
        suffix_search=re.compile("[\\]\"']$").search,
        infix_finditer=re.compile("[-~]").finditer,
        token_match=re.compile("^https?://").match,
        rules={":)": [{"ORTH": ":)"}]},
    )
    return [t.text for t in nlp('hello-world. :) ["x"] https://a-b')]


@snippet
def further_infixes(lib: Any) -> Any:
    nlp = lib.blank("en")
    inf = [*nlp.Defaults.infixes, "_"]
    nlp.tokenizer.infix_finditer = lib.util.compile_infix_regex(inf).finditer
    return [t.text for t in nlp("a_b c")]


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
def pipe_as_tuples(lib: Any) -> Any:
    return [(d.text, c) for d, c in lib.nlp.pipe([("a b", 1), ("c", 2)], as_tuples=True)]


@snippet
def lookups(lib: Any) -> Any:
    tables = lib.Lookups()
    t = tables.add_table("x", {"a": 1})
    t["b"] = 2
    return (
        tables.has_table("x"),
        tables.get_table("x")["a"],
        len(tables),
        tables.tables,
        "b" in tables.get_table("x"),
        lib.Lookups().from_bytes(tables.to_bytes()).get_table("x").get("b"),
    )


@snippet
def a_table_that_is_missing(lib: Any) -> Any:
    return lib.Lookups().get_table("no")


@snippet
def vectors(lib: Any) -> Any:
    v = lib.Vectors(shape=(3, 2))
    v.add("a", vector=np.ones(2, "f"))
    return (v.shape, v.is_full, len(v), v.n_keys, list(v.keys()))


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
def memory_zones(lib: Any) -> Any:
    nlp = lib.blank("en")
    with nlp.memory_zone():
        n = len(nlp("hello zzzxy"))
    return n


@snippet
def attributes_of_nlp(lib: Any) -> Any:
    nlp = lib.blank("en")
    return (nlp.lang, nlp.pipe_names, nlp.meta["lang"], nlp.vocab.lang, nlp.max_length, nlp.component_names)


@snippet
def minibatch(lib: Any) -> Any:
    return [len(b) for b in lib.util.minibatch(list(range(10)), size=4)]


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
def parts_of_the_tokenizer(lib: Any) -> Any:
    t = lib.nlp.tokenizer
    return (
        callable(t.prefix_search),
        callable(t.suffix_search),
        callable(t.infix_finditer),
        t.token_match is None,
        callable(t.url_match),
        len(t.rules) > 100,
        [m.group() for m in t.find_infix("a-b")],
        t.find_prefix("(a"),
        t.find_suffix("a)"),
    )


@snippet
def flags_of_ones_own(lib: Any) -> Any:
    v = lib.blank("en").vocab
    f = v.add_flag(lambda x: x == "cat")
    d = lib.Doc(v, words=["cat", "dog"])
    return [t.check_flag(f) for t in d]


@snippet
def a_stop_word_more(lib: Any) -> Any:
    nlp = lib.blank("en")
    nlp.vocab["btw"].is_stop = True
    return [t.is_stop for t in nlp("btw the cat")]


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
