"""Everyday code with words, vocabularies and vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity.everyday import snippet


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
