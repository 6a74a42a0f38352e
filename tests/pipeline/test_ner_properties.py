"""What `ner` predicts keeps to the rules, whatever the weights and whatever was set before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thinc.api import fix_random_seed

import ferrule
from ferrule.tokens import Doc, Span
from ferrule.training.example import Example

LABELS = ("LOC", "PER")
WORDS = ("Anna", "left", "York", " ", "\n")
# Of each token before the prediction: nothing known, inside of, begins an entity, outside, blocked.
KNOWN = st.sampled_from(["-", "-", "-", "I", "B", "O", "blocked"])
TOKENS = st.lists(
    st.tuples(st.sampled_from(WORDS), KNOWN, st.booleans(), st.sampled_from(LABELS)), max_size=8
)


@pytest.fixture(scope="module")
def pipeline() -> Any:
    """A recognizer with weights drawn at random: it begins and ends entities anywhere."""
    fix_random_seed(0)
    nlp = ferrule.blank("en")
    ner = nlp.add_pipe("ner")
    for label in LABELS:
        ner.add_label(label)
    examples = [Example.from_dict(Doc(nlp.vocab, words=list(WORDS)), {})]
    ner.initialize(lambda: examples)
    upper = ner.model.get_ref("upper")
    upper.set_param("W", np.random.default_rng(0).normal(size=upper.get_param("W").shape).astype("f"))
    return nlp


def _doc(vocab: Any, tokens: list[tuple[str, str, bool, str]]) -> Doc:
    """A document in which some entities are set, some tokens outside or blocked, and some sentences begin."""
    doc = Doc(
        vocab, words=[word for word, *_ in tokens], sent_starts=[i == 0 or t[2] for i, t in enumerate(tokens)]
    )
    entities: list[Span] = []
    outside, blocked = [], []
    for i, (_, known, _, label) in enumerate(tokens):
        if known == "B":
            entities.append(Span(doc, i, i + 1, label=label))
        elif known == "I" and entities and entities[-1].end == i:
            entities[-1] = Span(doc, entities[-1].start, i + 1, label=entities[-1].label)
        elif known == "O":
            outside.append(doc[i : i + 1])
        elif known == "blocked":
            blocked.append(doc[i : i + 1])
    doc.set_ents(entities, outside=outside, blocked=blocked, default="missing")
    return doc


@settings(max_examples=80, deadline=None)
@given(tokens=TOKENS, scale=st.sampled_from([-1.0, 1.0]), threshold=st.sampled_from([0.0, 0.05]))
def test_entities_keep_to_the_rules(
    pipeline: Any, tokens: list[tuple[str, str, bool, str]], scale: float, threshold: float
) -> None:
    ner = pipeline.get_pipe("ner")
    upper = ner.model.get_ref("upper")
    upper.set_param("W", np.abs(upper.get_param("W")) * scale)
    ner.threshold = threshold
    doc = _doc(pipeline.vocab, tokens)
    was_set = {(ent.start, ent.end, ent.label_) for ent in doc.ents}
    ner(doc)
    found = {(ent.start, ent.end, ent.label_) for ent in doc.ents}
    assert was_set <= found
    taken = [i for start, end, _ in found for i in range(start, end)]
    assert len(taken) == len(set(taken))
    for start, end, label in found - was_set:
        assert label in LABELS
        assert not doc[start].is_space
        assert not any(doc[i].is_sent_start for i in range(start + 1, end))
        assert not any(tokens[i][1] in ("B", "blocked") for i in range(start, end))
    assert all(token.ent_iob_ in ("B", "I", "O") for token in doc)
