"""Everyday code with examples, alignments and scores."""

from __future__ import annotations

from typing import Any

from parity.everyday import TEXT, apples, snippet


@snippet
def character_spans(lib: Any) -> Any:
    d = lib.nlp(TEXT)
    return [
        str(d.char_span(0, 5, label="ORG")),
        d.char_span(0, 5, label="ORG").label_,
        d.char_span(1, 5),
        str(d.char_span(1, 7, alignment_mode="expand")),
        str(d.char_span(1, 9, alignment_mode="contract")),
    ]


@snippet
def example_from_dict(lib: Any) -> Any:
    nlp = lib.nlp
    e = lib.Example.from_dict(
        nlp("I like London."),
        {"entities": [(7, 13, "LOC")], "cats": {"A": 1.0}, "tags": ["P", "V", "N", "."]},
    )
    return (
        e.get_aligned_ner(),
        [(x.text, x.label_) for x in e.reference.ents],
        e.get_aligned("TAG", as_string=True),
        e.reference.cats,
        e.text,
        len(e),
        [x.text for x in e.get_aligned_spans_x2y(e.reference.ents)],
    )


@snippet
def example_to_dict(lib: Any) -> Any:
    nlp = lib.nlp
    d = apples(lib, nlp)
    return lib.Example(nlp(d.text), d).to_dict()


@snippet
def example_with_other_tokens(lib: Any) -> Any:
    nlp = lib.nlp
    e = lib.Example.from_dict(nlp("I can't"), {"words": ["I", "can", "'", "t"], "tags": list("abcd")})
    return (
        e.get_aligned("TAG", as_string=True),
        e.alignment.x2y.data.tolist(),
        e.alignment.x2y.lengths.tolist(),
    )


@snippet
def an_unknown_annotation(lib: Any) -> Any:
    nlp = lib.nlp
    return lib.Example.from_dict(nlp("I"), {"foo": 1})


@snippet
def aligned_parses(lib: Any) -> Any:
    nlp = lib.nlp
    d = apples(lib, nlp)
    e = lib.Example(nlp(d.text), d)
    return (e.get_aligned_parse(), e.get_aligned_sent_starts())


@snippet
def split_sents(lib: Any) -> Any:
    nlp = lib.nlp
    p = nlp("A b. C d.")
    e = lib.Example.from_dict(p, {"words": ["A", "b", ".", "C", "d", "."], "sent_starts": [1, 0, 0, 1, 0, 0]})
    return [x.text for x in e.split_sents()]


@snippet
def biluo_tags(lib: Any) -> Any:
    nlp = lib.nlp
    d = nlp("I like London and Berlin.")
    t = lib.offsets_to_biluo_tags(d, [(7, 13, "LOC"), (18, 24, "LOC")])
    return (
        t,
        lib.biluo_tags_to_offsets(d, t),
        lib.biluo_to_iob(t),
        lib.iob_to_biluo(["B-X", "I-X", "O", "B-Y"]),
        [(x.text, x.label_) for x in lib.biluo_tags_to_spans(d, t)],
    )


@snippet
def misaligned_entities(lib: Any) -> Any:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return lib.offsets_to_biluo_tags(lib.nlp("I like London."), [(8, 13, "LOC")])


@snippet
def score_spans(lib: Any) -> Any:
    nlp = lib.nlp
    p = nlp("I like London and Berlin.")
    p.ents = [lib.Span(p, 2, 3, "LOC"), lib.Span(p, 4, 5, "ORG")]
    e = lib.Example.from_dict(p, {"entities": [(7, 13, "LOC"), (18, 24, "LOC")]})
    return lib.Scorer().score([e]) if False else lib.Scorer.score_spans([e], "ents")


@snippet
def scorer(lib: Any) -> Any:
    nlp = lib.nlp
    d = apples(lib, nlp)
    p = apples(lib, nlp)
    p[0].tag_ = "NN"
    p[3].dep_ = "det"
    e = lib.Example(p, d)
    r = lib.Scorer(nlp=nlp).score([e])
    return (sorted(r), {k: round(v, 4) if isinstance(v, float) else v for k, v in r.items() if k != "speed"})


@snippet
def score_deps(lib: Any) -> Any:
    nlp = lib.nlp
    d = apples(lib, nlp)
    p = apples(lib, nlp)
    p[3].dep_ = "det"
    return lib.Scorer.score_deps([lib.Example(p, d)], "dep", getter=lambda t, a: t.dep_)


@snippet
def score_cats(lib: Any) -> Any:
    nlp = lib.nlp
    out = []
    for multi in (True, False):
        exs = []
        for i, (a, b) in enumerate([(0.9, 0.1), (0.4, 0.6), (0.7, 0.3)]):
            p = nlp("x y")
            p.cats = {"A": a, "B": b}
            exs.append(lib.Example.from_dict(p, {"cats": {"A": float(i != 1), "B": float(i == 1)}}))
        out.append(lib.Scorer.score_cats(exs, "cats", labels=["A", "B"], multi_label=multi))
    return out


@snippet
def alignment(lib: Any) -> Any:
    a = lib.Alignment.from_strings(["a", "bc", "d"], ["ab", "c", "d"])
    return (
        a.x2y.lengths.tolist(),
        a.x2y.data.tolist(),
        a.y2x.lengths.tolist(),
        a.y2x.data.tolist(),
        a.x2y[1].tolist(),
    )


@snippet
def copies_of_examples(lib: Any) -> Any:
    nlp = lib.nlp
    e = lib.Example.from_dict(nlp("I like"), {"tags": ["a", "b"]})
    return e.copy().to_dict()
