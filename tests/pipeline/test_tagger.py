"""The tagger: its labels, predictions, losses, and what changes when labels do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from thinc.api import Adam, fix_random_seed

from ferrule.errors import LabelError, NotInitializedError, SerializationError
from ferrule.pipeline.tagger import Tagger

from .conftest import SENTENCES, SMALL_ENCODER, Library, build

# float32 sums over a few tokens, once in a batch and once by hand.
TOLERANCE = 1e-5


def _tagger(library: Library, **settings: Any) -> Tagger:
    model = build({"@architectures": "spacy.Tagger.v2", "tok2vec": SMALL_ENCODER})
    return Tagger(library.vocab, model, **settings)


@pytest.fixture
def tagger(library: Library, examples: list[Any]) -> Tagger:
    fix_random_seed(0)
    tagger = _tagger(library)
    tagger.initialize(lambda: examples)
    return tagger


def _train(tagger: Tagger, examples: list[Any], steps: int = 60) -> None:
    optimizer = Adam(0.01)
    for _ in range(steps):
        tagger.update(examples, sgd=optimizer)


def _tags(tagger: Tagger, library: Library, words: list[str]) -> list[str]:
    return [token.tag_ for token in tagger(library.doc(library.vocab, words=words))]


def _scores(tagger: Tagger, examples: list[Any]) -> Any:
    return np.concatenate(tagger.model.predict([example.x for example in examples]))


def test_labels_are_the_sorted_gold_tags(tagger: Tagger) -> None:
    assert tagger.labels == ("ADV", "N", "PRON", "V")
    assert tagger.label_data == tagger.labels
    assert tagger.cfg["labels"] == list(tagger.labels)


def test_given_labels_keep_their_order(library: Library, examples: list[Any]) -> None:
    tagger = _tagger(library)
    tagger.initialize(lambda: examples, labels=["V", "N", "X", "PRON", "ADV"])
    assert tagger.labels == ("V", "N", "X", "PRON", "ADV")
    assert tagger.model.get_dim("nO") == 5


def test_no_labels_are_refused_with_the_remedy(library: Library) -> None:
    with pytest.raises(LabelError, match="add_label"):
        _tagger(library).initialize(lambda: [library.make(["a"])])


def test_training_learns_the_examples(tagger: Tagger, examples: list[Any], library: Library) -> None:
    before = tagger.update(examples, sgd=None)["tagger"]
    _train(tagger, examples)
    assert tagger.update(examples, sgd=None)["tagger"] < before / 10
    for words, tags in SENTENCES:
        assert _tags(tagger, library, words) == tags


def test_predictions_are_the_same_for_every_batch(tagger: Tagger, examples: list[Any]) -> None:
    _train(tagger, examples, steps=5)
    docs = [example.x for example in examples]
    together = tagger.predict(docs)["label_ids"]
    for doc, label_ids in zip(docs, together, strict=True):
        np.testing.assert_array_equal(tagger.predict([doc])["label_ids"][0], label_ids)


def test_empty_documents_take_part(tagger: Tagger, examples: list[Any], library: Library) -> None:
    empty = library.doc(library.vocab, words=[])
    assert len(tagger(empty)) == 0
    predicted = tagger.predict([empty, examples[0].x, empty])
    assert [len(ids) for ids in predicted["label_ids"]] == [0, 2, 0]
    assert tagger.predict([empty])["probabilities"][0].shape == (0, 4)
    assert tagger.predict([])["label_ids"] == []
    losses = tagger.update([library.make([], tags=[])])
    assert losses == {"tagger": 0.0}


def test_probabilities_sum_to_one_and_their_best_is_the_label(tagger: Tagger, examples: list[Any]) -> None:
    _train(tagger, examples, steps=5)
    predicted = tagger.predict([example.x for example in examples])
    for probabilities, label_ids in zip(predicted["probabilities"], predicted["label_ids"], strict=True):
        np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=TOLERANCE)
        np.testing.assert_array_equal(probabilities.argmax(axis=1), label_ids)


def test_prediction_leaves_documents_alone(tagger: Tagger, examples: list[Any]) -> None:
    tagger.predict([examples[0].x])
    assert not examples[0].x.has_annotation("TAG")


@pytest.mark.parametrize("overwrite", [False, True])
def test_tags_that_are_set_are_overwritten_on_request_only(
    library: Library, examples: list[Any], overwrite: bool
) -> None:
    tagger = _tagger(library, overwrite=overwrite)
    tagger.initialize(lambda: examples)
    doc = library.doc(library.vocab, words=["Dogs", "bark"], tags=["SET", ""])
    tagger(doc)
    assert (doc[0].tag_ == "SET") is not overwrite
    assert doc[1].tag_ in tagger.labels


def test_tags_are_those_of_the_scores(tagger: Tagger, library: Library, examples: list[Any]) -> None:
    _train(tagger, examples, steps=5)
    docs = [
        library.doc(library.vocab, words=words) for words in (["Dogs", "bark"], [], ["They", "often", "eat"])
    ]
    best = tagger.predict(docs)["label_ids"]
    for doc, labels in zip(tagger.pipe(docs), best, strict=True):
        assert [token.tag_ for token in doc] == [tagger.labels[label] for label in labels]


def test_what_stands_for_predict_or_set_annotations_is_called(tagger: Tagger, library: Library) -> None:
    class Counting(Tagger):
        def predict(self, docs: Any) -> Any:
            calls.append("predict")
            return super().predict(docs)

        def set_annotations(self, docs: Any, scores: Any) -> None:
            calls.append("set")
            super().set_annotations(docs, scores)

    calls: list[str] = []
    doc = library.doc(library.vocab, words=["Dogs", "bark"])
    counting = Counting(library.vocab, tagger.model)
    counting.cfg = tagger.cfg
    counting(doc)
    assert calls == ["predict", "set"]
    plain = tagger.predict
    tagger.predict = lambda docs: calls.append("instance") or plain(docs)  # type: ignore[method-assign]
    tagger(doc)
    assert calls[2:] == ["instance"]


def test_activations_are_saved_on_request(tagger: Tagger, library: Library) -> None:
    if library.doc.__module__.startswith("spacy"):
        pytest.skip("spaCy 3.8's Doc has no activations")
    doc = library.doc(library.vocab, words=["Dogs", "bark"])
    assert not tagger(doc).activations
    tagger.save_activations = True
    saved = tagger(doc).activations["tagger"]
    assert sorted(saved) == ["label_ids", "probabilities"]
    assert saved["probabilities"].shape == (2, 4)
    assert [tagger.labels[index] for index in saved["label_ids"]] == [token.tag_ for token in doc]


def test_tokens_without_a_gold_tag_have_no_gradient(tagger: Tagger, library: Library) -> None:
    example = library.make(["Dogs", "bark", "often"], tags=["N", "", "ADV"])
    scores, _ = tagger.model.begin_update([example.x])
    loss, d_scores = tagger.get_loss([example], scores)
    assert not d_scores[0][1].any()
    assert d_scores[0][0].any()
    assert loss == pytest.approx(-np.log(scores[0][0, 1]) - np.log(scores[0][2, 0]), abs=TOLERANCE)


def test_misaligned_tokens_have_no_gradient(tagger: Tagger, library: Library) -> None:
    predicted = library.doc(library.vocab, words=["Dogsbark", "often"], spaces=[True, False])
    reference = library.doc(
        library.vocab, words=["Dogs", "bark", "often"], spaces=[False, True, False], tags=["N", "V", "ADV"]
    )
    example = library.example(predicted, reference)
    scores, _ = tagger.model.begin_update([example.x])
    _, d_scores = tagger.get_loss([example], scores)
    assert not d_scores[0][0].any()
    assert d_scores[0][1].any()


def test_negative_tags_push_one_label_down(tagger: Tagger, library: Library) -> None:
    example = library.make(["Dogs", "bark"], tags=["!N", "V"])
    scores, _ = tagger.model.begin_update([example.x])
    _, d_scores = tagger.get_loss([example], scores)
    assert np.flatnonzero(d_scores[0][0]).tolist() == [tagger.labels.index("N")]


def test_an_unknown_gold_tag_is_refused_with_the_remedy(tagger: Tagger, library: Library) -> None:
    with pytest.raises(LabelError, match=r"'NEW'.*add_label"):
        tagger.update([library.make(["Dogs"], tags=["NEW"])])


def test_loss_of_predictions_can_be_asked_for(tagger: Tagger, examples: list[Any]) -> None:
    predicted = tagger.predict([example.x for example in examples])
    trained, _ = tagger.model.begin_update([example.x for example in examples])
    assert tagger.get_loss(examples, predicted)[0] == pytest.approx(
        tagger.get_loss(examples, trained)[0], abs=TOLERANCE
    )


def test_scores_of_another_batch_are_refused(tagger: Tagger, examples: list[Any]) -> None:
    with pytest.raises(ValueError, match="2 tokens in 1 documents"):
        tagger.get_loss(examples, tagger.predict([examples[0].x]))


def test_prediction_without_weights_names_the_remedy(library: Library) -> None:
    doc = library.doc(library.vocab, words=["a"])
    with pytest.raises(NotInitializedError, match="initialize"):
        _tagger(library)(doc)
    with pytest.raises(NotInitializedError, match="initialize"):
        _tagger(library).predict([doc])


@pytest.mark.parametrize("smoothing", [-0.1, 1.0])
def test_smoothing_out_of_range_is_refused(library: Library, smoothing: float) -> None:
    with pytest.raises(ValueError, match="label_smoothing"):
        _tagger(library, label_smoothing=smoothing)


def test_bytes_bring_labels_and_tags_back(tagger: Tagger, examples: list[Any], library: Library) -> None:
    _train(tagger, examples)
    again = _tagger(library).from_bytes(tagger.to_bytes(exclude=["vocab"]), exclude=["vocab"])
    assert again.labels == tagger.labels
    np.testing.assert_array_equal(_scores(again, examples), _scores(tagger, examples))


def test_a_model_with_another_number_of_labels_is_not_loaded(tagger: Tagger, library: Library) -> None:
    other = _tagger(library)
    other.add_label("N")
    other.add_label("V")
    with pytest.raises(SerializationError, match=r"4 outputs.*2 labels"):
        other.from_bytes(tagger.to_bytes(exclude=["vocab", "cfg"]), exclude=["vocab", "cfg"])
    assert other.labels == ("N", "V")
    assert not other.model.get_ref("output_layer").has_param("W")


def test_an_added_label_leaves_the_scores_of_the_old_ones(tagger: Tagger, examples: list[Any]) -> None:
    _train(tagger, examples)
    before = _scores(tagger, examples)
    assert tagger.add_label("NEW") == 1
    assert tagger.add_label("NEW") == 0
    after = _scores(tagger, examples)
    np.testing.assert_array_equal(after[:, :4], before)
    np.testing.assert_array_equal(after.argmax(axis=1), before.argmax(axis=1))


def test_an_added_label_can_be_learnt(tagger: Tagger, examples: list[Any], library: Library) -> None:
    _train(tagger, examples)
    tagger.add_label("INTJ")
    more = [*examples, library.make(["Wow", "dogs", "bark"], tags=["INTJ", "N", "V"])]
    _train(tagger, more, steps=150)
    assert _tags(tagger, library, ["Wow", "dogs", "bark"]) == ["INTJ", "N", "V"]
    assert _tags(tagger, library, *[SENTENCES[3][0]]) == SENTENCES[3][1]


def test_a_renamed_label_is_predicted_under_its_new_name(
    tagger: Tagger, examples: list[Any], library: Library
) -> None:
    _train(tagger, examples)
    tagger.rename_label("N", "NOUN")
    assert _tags(tagger, library, ["Dogs", "bark"]) == ["NOUN", "V"]


def test_a_removed_label_leaves_the_scores_of_the_others(tagger: Tagger, examples: list[Any]) -> None:
    _train(tagger, examples)
    before = _scores(tagger, examples)
    tagger.remove_label("N")
    assert tagger.labels == ("ADV", "PRON", "V")
    np.testing.assert_array_equal(_scores(tagger, examples), before[:, [0, 2, 3]])


def test_merged_labels_are_predicted_under_one_name(
    tagger: Tagger, examples: list[Any], library: Library
) -> None:
    _train(tagger, examples)
    tagger.merge_labels(["N", "PRON"], into="NOMINAL")
    assert tagger.labels == ("ADV", "NOMINAL", "V")
    nominal = {"N": "NOMINAL", "PRON": "NOMINAL"}
    for words, tags in SENTENCES:
        assert _tags(tagger, library, words) == [nominal.get(tag, tag) for tag in tags]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tagger: tagger.add_label(3), "non-empty string, found int 3"),
        (lambda tagger: tagger.add_label(""), "found an empty string"),
        (lambda tagger: tagger.rename_label("PRO", "X"), "did you mean 'PRON'"),
        (lambda tagger: tagger.rename_label("N", "V"), "merge_labels"),
        (lambda tagger: tagger.remove_label("NOPE"), "no label 'NOPE'"),
        (lambda tagger: tagger.merge_labels(["N"], into="X"), "two labels or more, found 1"),
        (lambda tagger: tagger.merge_labels(["N", "V"], into="ADV"), "'ADV' is another label"),
    ],
)
def test_label_changes_that_make_no_sense_are_refused(tagger: Tagger, change: Any, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        change(tagger)
    assert tagger.labels == ("ADV", "N", "PRON", "V")


def test_the_last_label_stays(library: Library, examples: list[Any]) -> None:
    tagger = _tagger(library)
    tagger.add_label("ONE")
    with pytest.raises(LabelError, match="only label"):
        tagger.remove_label("ONE")


@pytest.mark.parametrize("rehearse", [False, True], ids=["update only", "update and rehearse"])
def test_rehearsing_keeps_old_tags_while_new_ones_are_learnt(
    library: Library, examples: list[Any], rehearse: bool
) -> None:
    fix_random_seed(0)
    tagger = _tagger(library)
    old, new = examples[:2], [library.make(["They", "cooed"], tags=["PRON", "X"])] * 4
    tagger.initialize(lambda: examples, labels=["ADV", "N", "PRON", "V", "X"])
    _train(tagger, old)
    tagger._start_rehearsing()
    optimizer = Adam(0.02)
    for _ in range(60):
        tagger.update(new, sgd=optimizer)
        if rehearse:
            tagger.rehearse(old, sgd=optimizer)
    assert _tags(tagger, library, ["They", "cooed"]) == ["PRON", "X"]
    kept = all(_tags(tagger, library, words) == tags for words, tags in SENTENCES[:2])
    assert kept is rehearse


def test_distilling_maps_labels_by_name(tagger: Tagger, examples: list[Any], library: Library) -> None:
    _train(tagger, examples)
    student = _tagger(library)
    student.initialize(lambda: examples, labels=["V", "PRON", "N", "ADV"])
    unlabelled = [library.make(words) for words, _ in SENTENCES]
    optimizer, teacher_before = Adam(0.01), tagger.to_bytes(exclude=["vocab"])
    for _ in range(60):
        student.distill(tagger, unlabelled, sgd=optimizer, temperature=2.0)
    for words, tags in SENTENCES:
        assert _tags(student, library, words) == tags
    assert tagger.to_bytes(exclude=["vocab"]) == teacher_before


def test_distilling_from_other_labels_is_refused(
    tagger: Tagger, examples: list[Any], library: Library
) -> None:
    student = _tagger(library)
    student.initialize(lambda: examples, labels=["V", "PRON", "N", "OTHER"])
    with pytest.raises(LabelError, match=r"\['ADV'\].*\['OTHER'\]"):
        student.distill(tagger, examples)


def test_teacher_loss_is_zero_between_equals(tagger: Tagger, examples: list[Any]) -> None:
    predicted = tagger.predict([example.x for example in examples])
    loss, d_scores = tagger.get_teacher_student_loss(predicted, predicted)
    assert loss == pytest.approx(0.0, abs=TOLERANCE)
    assert all(not gradient.any() for gradient in d_scores)
