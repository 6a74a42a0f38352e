"""Whole programs as people write them: from course notes, blog posts and questions, shortened."""

from __future__ import annotations

import csv
import random
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from parity.everyday import apples, snippet

ANNOTATED = """text,start,end,label
"Apple Inc. was founded by Steve Jobs in Cupertino.",0,10,ORG
"Apple Inc. was founded by Steve Jobs in Cupertino.",26,36,PERSON
"He paid $1,000 for it",8,14,MONEY
"He paid $1,000 for it",9,13,MONEY
"naïve café in Zürich!",14,20,GPE
" leading space Berlin ",14,22,GPE
"e-mail me@x.org",7,99,EMAIL
"""


@snippet
def a_table_of_annotations_becomes_a_corpus(lib: Any) -> Any:
    by_text: dict[str, list[Any]] = {}
    for row in csv.DictReader(ANNOTATED.splitlines()):
        by_text.setdefault(row["text"], []).append((int(row["start"]), int(row["end"]), row["label"]))
    found = []
    for mode in ("strict", "contract", "expand"):
        doc_bin = lib.DocBin(attrs=["ENT_IOB", "ENT_TYPE"])
        for text, given in by_text.items():
            doc = lib.nlp.make_doc(text)
            spans = [doc.char_span(start, end, label, alignment_mode=mode) for start, end, label in given]
            doc.ents = lib.util.filter_spans([span for span in spans if span is not None])
            doc_bin.add(doc)
        for doc in lib.DocBin().from_bytes(doc_bin.to_bytes()).get_docs(lib.Vocab()):
            found.append((mode, doc.text, [(e.text, e.start_char, e.label_) for e in doc.ents]))
    return found


@snippet
def a_component_that_sets_sentences(lib: Any) -> Any:
    def boundaries(doc: Any) -> Any:
        for token in doc[:-1]:
            doc[token.i + 1].is_sent_start = token.text in (";", "...", ".")
        return doc

    nlp = lib.blank("en")
    lib.Language.component("program_boundaries", func=boundaries)
    nlp.add_pipe("program_boundaries", first=True)
    docs = nlp.pipe([("This is one. Another one; more ... end", 7), ("One.", 8)], as_tuples=True)
    return nlp.pipe_names, [([sent.text for sent in doc.sents], context) for doc, context in docs]


@snippet
def a_component_with_settings_is_saved(lib: Any) -> Any:
    words = {"LOL": "laughing out loud", "BRB": "be right back"}

    def make(nlp: Any, name: str, case_sensitive: bool) -> Any:
        def component(doc: Any) -> Any:
            doc._.acronyms = [
                (token.i, words[key])
                for token in doc
                if (key := token.text if case_sensitive else token.text.upper()) in words
            ]
            return doc

        return component

    lib.Language.factory("program_acronyms", default_config={"case_sensitive": False}, func=make)
    lib.Doc.set_extension("acronyms", default=[], force=True)
    nlp = lib.blank("en")
    nlp.add_pipe("program_acronyms", name="short", config={"case_sensitive": True})
    nlp.add_pipe("program_acronyms", name="all")
    nlp.remove_pipe("all")
    nlp.rename_pipe("short", "acronyms")
    with tempfile.TemporaryDirectory() as folder:
        nlp.to_disk(folder)
        again = lib.load(folder)
    return again.pipe_names, again("LOL brb")._.acronyms, nlp("lol BRB")._.acronyms, nlp("x")._.acronyms


@snippet
def entities_are_merged_with_attributes(lib: Any) -> Any:
    doc = apples(lib)
    with doc.retokenize() as retokenizer:
        for ent in doc.ents:
            attrs = {
                "tag": ent.root.tag,
                "dep": ent.root.dep,
                "ent_type": ent.label,
                "LEMMA": ent.text.lower(),
            }
            retokenizer.merge(ent, attrs=attrs)
    # What is not given is taken from the token behind by spaCy's split.
    pieces = {"POS": ["X", "NOUN"], "TAG": ["XX", "NNS"], "DEP": ["dep", "dobj"], "LEMMA": ["a", "les"]}
    with doc.retokenize() as retokenizer:
        retokenizer.split(doc[4], ["app", "les"], heads=[(doc[4], 1), doc[1]], attrs=pieces)
    return [(t.text, t.lemma_, t.pos_, t.tag_, t.dep_, t.head.i, t.ent_type_, t.whitespace_) for t in doc]


@snippet
def subjects_verbs_and_objects(lib: Any) -> Any:
    doc = apples(lib)

    def tree(token: Any) -> Any:
        below = [tree(child) for child in token.children]
        return (token.orth_, below) if token.n_lefts + token.n_rights else token.orth_

    triples = [
        (
            token.lemma_,
            [left.text for left in token.lefts if left.dep_ == "nsubj"],
            [
                doc[right.left_edge.i : right.right_edge.i + 1].text
                for right in token.rights
                if right.dep_ == "dobj"
            ],
        )
        for token in doc
        if token.pos_ == "VERB"
    ]
    return triples, [tree(sent.root) for sent in doc.sents], [token.dep_ for token in doc[4].ancestors]


@snippet
def overlapping_spans_in_groups(lib: Any) -> Any:
    doc = lib.nlp("Their goi ng home to the big red house")
    doc.spans["errors"] = [doc[0:1], doc[1:3], doc[0:3]]
    doc.spans["x"] = lib.SpanGroup(
        doc, name="other", attrs={"a": 1}, spans=[lib.Span(doc, 6, 9, "NP", kb_id="Q")]
    )
    group = doc.spans["errors"]
    group.append(doc[3:4])
    group.extend([doc[4:5]])
    both = group + doc.spans["x"]
    kept = lib.Doc(doc.vocab).from_bytes(doc.to_bytes()).spans
    return (
        [(span.text, span.label_) for span in sorted(both)],
        (both.name, both.attrs, group.has_overlap, len(group)),
        {key: (spans.name, spans.attrs, [(s.text, s.kb_id_) for s in spans]) for key, spans in kept.items()},
    )


@snippet
def binary_files_are_merged(lib: Any) -> Any:
    lib.Doc.set_extension("page", default=None, force=True)
    merged = lib.DocBin(store_user_data=True)
    for number, texts in enumerate((["one", "two three"], ["four"], [""])):
        part = lib.DocBin(store_user_data=True)
        for text in texts:
            doc = lib.nlp(text)
            doc._.page = {"number": number}
            doc.cats = {"LONG": float(len(doc) > 1)}
            part.add(doc)
        merged.merge(part)
    docs = lib.DocBin(store_user_data=True).from_bytes(merged.to_bytes()).get_docs(lib.Vocab())
    return [(doc.text, doc._.page, doc.cats) for doc in docs]


@snippet
def examples_of_other_tokens_links_and_spans(lib: Any) -> Any:
    text = "Apple's 5-year deal with U.K. start-up"
    given: list[dict[str, Any]] = [
        {
            "words": text.split(),
            "tags": list("abcdef"),
            "entities": ["U-ORG", "O", "O", "O", "B-GPE", "L-GPE"],
        },
        {"entities": [(0, 5, "ORG"), (25, 29, "GPE")], "links": {(0, 5): {"Q1": 1.0, "Q2": 0.0}}},
        {"entities": [(0, 4, "ORG"), (25, 29, "")], "cats": {"A": True, "B": 0.0}},
        {"spans": {"sc": [(0, 5, "ORG"), (0, 7, "X"), (25, 29, "GPE", "Q84")], "none": []}},
        {
            "words": text.split(),
            "heads": [2, 2, 2, 2, 3, 4],
            "deps": list("uvwxyz"),
            "lemmas": list("abcdef"),
        },
    ]
    found = []
    for each in given:
        example = lib.Example.from_dict(lib.nlp.make_doc(text), each)
        spans = {key: [(s.text, s.label_, s.kb_id_) for s in group] for key, group in example.y.spans.items()}
        aligned = [example.get_aligned(field, as_string=True) for field in ("TAG", "LEMMA", "DEP")]
        found.append(
            (example.get_aligned_ner(), aligned, example.get_aligned_parse(), spans, example.to_dict())
        )
    return found


@snippet
def scores_with_getters_of_ones_own(lib: Any) -> Any:
    text = "Welcome to the Bank of China"
    predicted = lib.nlp(text)
    predicted.spans["sc"] = [predicted[2:6], predicted[3:6]]
    predicted.ents = [lib.Span(predicted, 3, 6, "ORG")]
    gold = {"spans": {"sc": [(15, 28, ""), (23, 28, "")]}, "entities": [(15, 28, "ORG"), (0, 7, "X")]}
    examples = [lib.Example.from_dict(predicted, gold)]

    def in_group(doc: Any, key: str) -> Any:
        return doc.spans.get(key.removeprefix("spans_"), [])

    return (
        lib.Scorer.score_spans(examples, "spans_sc", getter=in_group, allow_overlap=True),
        lib.Scorer.score_spans(
            examples, "ents", getter=lambda doc, _: [e for e in doc.ents if e.label_ != "X"]
        ),
        lib.Scorer.score_spans(examples, "ents", labeled=False),
        lib.Scorer.score_spans(examples, "nope", has_annotation=lambda doc: False, getter=lambda doc, _: []),
    )


@snippet
def vectors_by_hand(lib: Any) -> Any:
    vocab = lib.Vocab()
    for word, vector in {"dog": [1, 0, 0], "cat": [0.9, 0.1, 0], "orange": [0, 0, 1]}.items():
        vocab.set_vector(word, np.asarray(vector, dtype="f"))
    doc = lib.Doc(vocab, words=["dog", "cat", "orange", "zzz"])
    keys, rows, scores = vocab.vectors.most_similar(np.asarray([[1.0, 0.0, 0.0]], dtype="f"), n=2)
    return (
        [[round(float(one.similarity(other)), 4) for other in doc] for one in doc],
        [token.has_vector for token in doc],
        [vocab.strings[key] for key in keys[0]],
        (rows.tolist(), scores.round(3).tolist()),
        round(float(doc[:2].similarity(vocab["orange"])), 4),
    )


@snippet
def a_tokenizer_from_character_classes(lib: Any) -> Any:
    nlp = lib.blank("en")
    classes = lib.char_classes
    infixes = [
        *(classes.LIST_ELLIPSES + classes.LIST_ICONS),
        r"(?<=[0-9])[+\-\*^](?=[0-9-])",
        rf"(?<=[{classes.ALPHA_LOWER}{classes.CONCAT_QUOTES}])\.(?=[{classes.ALPHA_UPPER}])",
        rf"(?<=[{classes.ALPHA}]),(?=[{classes.ALPHA}])",
    ]
    nlp.tokenizer.infix_finditer = lib.util.compile_infix_regex(infixes).finditer
    return [token.text for token in nlp("mother-in-law's end.Begin a,b 1-2 wait...what É.u")]


@snippet
def attributes_go_through_arrays(lib: Any) -> Any:
    doc, attrs = apples(lib), ["TAG", "POS", "DEP", "HEAD", "ENT_TYPE", "ENT_IOB", "LEMMA", "MORPH"]
    found = []
    for names in (attrs, attrs[:1], attrs[2:4], attrs[4:6], attrs[5:6]):
        other = lib.Doc(doc.vocab, words=[token.text for token in doc])
        other.from_array(names, doc.to_array(names))
        sents = [sent.text for sent in other.sents] if other.has_annotation("SENT_START") else None
        columns = [(t.tag_, t.pos_, t.dep_, t.head.i, t.ent_type_, t.lemma_, str(t.morph)) for t in other]
        found.append((columns, [(ent.text, ent.label_) for ent in other.ents], sents))
    return found


@snippet
def corpora_are_read_cut_and_augmented(lib: Any) -> Any:
    def doc(n_sents: int) -> Any:
        words = ["The", "Cat", "sat", "."] * n_sents
        starts = [True, False, False, False] * n_sents
        made = lib.Doc(lib.nlp.vocab, words=words, sent_starts=starts, tags=["DT", "NN", "VB", "."] * n_sents)
        made.ents = [lib.Span(made, 0, 2, "E")]
        return made

    variants = {"single": [{"tags": ["NN"], "variants": ["Cat", "Dog"]}], "paired": []}
    found = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.spacy"
        lib.DocBin(docs=[doc(1), doc(3), doc(2)]).to_disk(path)
        augmenters = [None, lib.augment.create_lower_casing_augmenter(0.5)]
        augmenters.append(lib.augment.create_orth_variants_augmenter(0.5, 0.5, orth_variants=variants))
        for augmenter in augmenters:
            for settings in ({}, {"gold_preproc": True}, {"limit": 2}, {"max_length": 5}, {"max_length": 3}):
                random.seed(0)
                read = lib.Corpus(path, augmenter=augmenter, **settings)(lib.nlp)
                found.append([(e.text, [t.text for t in e.y], [x.text for x in e.y.ents]) for e in read])
    return found
