"""`ner`: constraints, learning, labels added later, a teacher with more labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from thinc.api import fix_random_seed

import ferrule
from ferrule.errors import LabelError
from ferrule.tokens import Doc, Span
from ferrule.training.example import Example

SENTENCES = [
    ("Anna lives in Rome", ["U-PER", "O", "O", "U-LOC"]),
    ("Ben Hur left New York", ["B-PER", "L-PER", "O", "B-LOC", "L-LOC"]),
    ("nobody left", ["O", "O"]),
]


def _pipeline(**config: Any) -> tuple[Any, Any, list[Example]]:
    fix_random_seed(0)
    nlp = ferrule.blank("en")
    ner = nlp.add_pipe("ner", config=config)
    examples = [
        Example.from_dict(Doc(nlp.vocab, words=text.split()), {"entities": tags}) for text, tags in SENTENCES
    ]
    nlp.initialize(lambda: examples)
    return nlp, ner, examples


def _train(nlp: Any, examples: list[Example], steps: int = 80) -> None:
    optimizer = nlp.create_optimizer()
    optimizer.learn_rate = 0.003
    for _ in range(steps):
        nlp.update(examples, sgd=optimizer)


def _found(ner: Any, doc: Doc) -> list[tuple[str, str]]:
    return [(ent.text, ent.label_) for ent in ner(doc).ents]


@pytest.fixture(scope="module")
def trained() -> Any:
    nlp, ner, examples = _pipeline()
    _train(nlp, examples)
    return nlp, ner, examples


def test_a_few_sentences_are_learned_by_heart(trained: Any) -> None:
    nlp, ner, examples = trained
    assert ner.score([Example(nlp(e.reference.text), e.reference) for e in examples])["ents_f"] == 1.0


def test_an_entity_that_is_set_is_kept_even_with_an_unknown_label(trained: Any) -> None:
    nlp, ner, _ = trained
    doc = Doc(nlp.vocab, words=["Anna", "lives", "in", "Rome"])
    doc.set_ents([Span(doc, 1, 3, label="ODD")], default="missing")
    assert ("lives in", "ODD") in _found(ner, doc)
    assert "ODD" not in ner.labels


def test_blocked_tokens_stay_out_of_entities(trained: Any) -> None:
    nlp, ner, _ = trained
    doc = Doc(nlp.vocab, words=["Anna", "lives", "in", "Rome"])
    doc.set_ents([], blocked=[doc[0:1]], default="missing")
    assert _found(ner, doc) == [("Rome", "LOC")]


def test_no_entity_crosses_a_sentence_start(trained: Any) -> None:
    nlp, ner, _ = trained
    words = ["Ben", "Hur", "left"]
    assert ("Ben Hur", "PER") in _found(ner, Doc(nlp.vocab, words=words))
    doc = Doc(nlp.vocab, words=words, sent_starts=[True, True, False])
    assert all(ent.start != 0 or ent.end == 1 for ent in ner(doc).ents)


def test_old_scores_stay_when_a_label_is_added() -> None:
    nlp, ner, examples = _pipeline()
    _train(nlp, examples, 10)
    doc = Doc(nlp.vocab, words=["Anna", "lives", "in", "Rome"])
    before = ner.predict([doc])
    n_old = len(before.actions)
    old = before.steps.network.decode_with_scores(before.batch.core)[1]
    assert ner.add_label("ORG") == 1
    after = ner.predict([doc])
    actions, new = after.steps.network.decode_with_scores(after.batch.core)
    assert np.array_equal(old, new[:, :n_old])
    assert (actions < n_old).all()


def test_a_gold_label_that_is_unknown_is_an_error_that_names_it() -> None:
    nlp, ner, _ = _pipeline()
    example = Example.from_dict(Doc(nlp.vocab, words=["Acme"]), {"entities": ["U-ORG"]})
    with pytest.raises(LabelError, match="ORG"):
        ner.update([example])


def test_spans_known_to_be_wrong_are_unlearned() -> None:
    nlp, ner, examples = _pipeline(incorrect_spans_key="wrong")
    _train(nlp, examples)
    words = ["Anna", "lives", "in", "Rome"]
    assert ("Rome", "LOC") in _found(ner, Doc(nlp.vocab, words=words))
    reference = Doc(nlp.vocab, words=words)
    reference.spans["wrong"] = [Span(reference, 3, 4, label="LOC")]
    _train(nlp, [Example(Doc(nlp.vocab, words=words), reference)], 30)
    assert ("Rome", "LOC") not in _found(ner, Doc(nlp.vocab, words=words))


def test_a_student_learns_from_a_teacher_whose_actions_have_another_order(trained: Any) -> None:
    _, teacher, _ = trained
    fix_random_seed(1)
    nlp = ferrule.blank("en")
    student = nlp.add_pipe("ner")
    docs = [Doc(nlp.vocab, words=text.split()) for text, _ in SENTENCES]
    examples = [Example(doc, doc.copy()) for doc in docs]
    student.add_label("LOC")
    student.add_label("PER")
    student.initialize(lambda: examples, nlp=nlp)
    assert student.move_names != teacher.move_names
    optimizer = nlp.create_optimizer()
    optimizer.learn_rate = 0.01
    for _ in range(60):
        student.distill(teacher, examples, sgd=optimizer)
    found = _found(student, Doc(nlp.vocab, words=["Anna", "lives", "in", "Rome"]))
    assert found == [("Anna", "PER"), ("Rome", "LOC")]


def test_a_teacher_may_know_more_labels_but_not_fewer(trained: Any) -> None:
    _, teacher, _ = trained
    fix_random_seed(1)
    nlp = ferrule.blank("en")
    student = nlp.add_pipe("ner")
    docs = [Doc(nlp.vocab, words=text.split()) for text, _ in SENTENCES]
    examples = [Example(doc, doc.copy()) for doc in docs]
    student.add_label("PER")
    student.initialize(lambda: examples, nlp=nlp)
    optimizer = nlp.create_optimizer()
    optimizer.learn_rate = 0.01
    for _ in range(60):
        student.distill(teacher, examples, sgd=optimizer)
    # What the teacher calls LOC is outside for the student.
    assert _found(student, Doc(nlp.vocab, words=["Anna", "lives", "in", "Rome"])) == [("Anna", "PER")]
    student.add_label("ORG")
    with pytest.raises(LabelError, match="ORG"):
        student.distill(teacher, examples)


def test_rehearsing_keeps_what_was_known_when_a_label_is_added() -> None:
    nlp, ner, examples = _pipeline()
    _train(nlp, examples)
    words = ["Anna", "lives", "in", "Rome"]
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    ner.add_label("ORG")
    text = ["the", "company", "Acme", "left", "our", "town"]
    new = [Example.from_dict(Doc(nlp.vocab, words=text), {"entities": ["O", "O", "U-ORG", "O", "O", "O"]})]
    for _ in range(40):
        nlp.update(new, sgd=optimizer)
        nlp.rehearse(examples, sgd=optimizer)
    assert _found(ner, Doc(nlp.vocab, words=text)) == [("Acme", "ORG")]
    assert _found(ner, Doc(nlp.vocab, words=words)) == [("Anna", "PER"), ("Rome", "LOC")]


def test_any_number_of_threads_and_any_batch_give_the_same_bits() -> None:
    def state(n_threads: int) -> tuple[bytes, list[Any]]:
        ferrule.set_num_threads(n_threads)
        nlp, ner, examples = _pipeline(scores_key="sure")
        _train(nlp, examples * 12, 3)
        docs = [Doc(nlp.vocab, words=text.split()) for text, _ in SENTENCES * 12]
        whole = [doc.spans["sure"].attrs["scores"] for doc in ner.pipe(docs, batch_size=36)]
        docs = [Doc(nlp.vocab, words=text.split()) for text, _ in SENTENCES * 12]
        assert whole == [doc.spans["sure"].attrs["scores"] for doc in ner.pipe(docs, batch_size=5)]
        return ner.to_bytes(exclude=["vocab"]), whole

    before = ferrule.get_num_threads()
    try:
        assert state(1) == state(3)
    finally:
        ferrule.set_num_threads(before)


def test_activations_hold_a_row_for_each_token() -> None:
    nlp, ner, _ = _pipeline(save_activations=True)
    doc = ner(Doc(nlp.vocab, words=["Anna", "left"]))
    kept = doc.activations["ner"]
    assert kept["probabilities"].shape == (2, len(ner.moves.actions))
    assert np.allclose(kept["probabilities"].sum(axis=1), 1.0)
    assert kept["label_ids"].shape == (2,)
    assert kept["entity_scores"].shape == (len(doc.ents),)
