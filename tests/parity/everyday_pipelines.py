"""Everyday code with pipelines and tokenizers."""

from __future__ import annotations

import re
from typing import Any

from parity.everyday import snippet


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
def pipe_as_tuples(lib: Any) -> Any:
    return [(d.text, c) for d, c in lib.nlp.pipe([("a b", 1), ("c", 2)], as_tuples=True)]


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
