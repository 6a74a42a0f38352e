"""Text classifiers: categories, losses, and what changes when categories do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from thinc.api import Adam, fix_random_seed

from ferrule import _core
from ferrule.errors import LabelError
from ferrule.pipeline.textcat import TextCategorizer
from ferrule.pipeline.textcat_multilabel import MultiLabelTextCategorizer

from .conftest import LIBRARIES, SMALL_ENCODER, Library, build

TEXTS = [
    (["good", "film"], {"POS": 1.0, "NEG": 0.0}),
    (["bad", "film"], {"POS": 0.0, "NEG": 1.0}),
    (["very", "good"], {"POS": 1.0, "NEG": 0.0}),
    (["so", "bad", "!"], {"POS": 0.0, "NEG": 1.0}),
]


def _architectures(exclusive: bool) -> dict[str, dict[str, Any]]:
    bag = {
        "@architectures": "spacy.TextCatBOW.v3",
        "exclusive_classes": exclusive,
        "ngram_size": 2,
        "no_output_layer": False,
        "length": 256,
    }
    with_encoder = {"tok2vec": SMALL_ENCODER, "exclusive_classes": exclusive}
    return {
        "bag": bag,
        "ngrams": {
            "@architectures": "ferrule.TextCatNgrams.v1",
            "exclusive_classes": exclusive,
            "length": 4096,
        },
        "mean": {"@architectures": "spacy.TextCatCNN.v2", **with_encoder},
        "reduce": {
            "@architectures": "spacy.TextCatReduce.v1",
            **with_encoder,
            "use_reduce_first": True,
            "use_reduce_last": True,
            "use_reduce_max": True,
            "use_reduce_mean": True,
        },
        "attention": {"@architectures": "spacy.TextCatParametricAttention.v1", **with_encoder},
        "ensemble": {
            "@architectures": "spacy.TextCatEnsemble.v2",
            "tok2vec": SMALL_ENCODER,
            "linear_model": {**bag, "ngram_size": 1},
        },
    }


# Each architecture with the documents it takes: n-grams of characters with Ferrule's own only.
PAIRS = [
    pytest.param(make, name, id=f"{library}-{name}")
    for library, make in LIBRARIES.items()
    for name in _architectures(True)
    if (library, name) != ("spacy", "ngrams")
]
each_architecture = pytest.mark.parametrize(("library", "architecture"), PAIRS, indirect=["library"])


def _make(library: Library, exclusive: bool, architecture: str) -> TextCategorizer:
    fix_random_seed(0)
    model = build(_architectures(exclusive)[architecture])
    kind = TextCategorizer if exclusive else MultiLabelTextCategorizer
    return kind(library.vocab, model, threshold=0.5)


@pytest.fixture
def cats(library: Library) -> list[Any]:
    return [library.make(words, cats=values) for words, values in TEXTS]


@pytest.fixture(params=[True, False], ids=["exclusive", "multilabel"])
def exclusive(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def textcat(library: Library, cats: list[Any], exclusive: bool, architecture: str) -> TextCategorizer:
    textcat = _make(library, exclusive, architecture)
    textcat.initialize(lambda: cats)
    return textcat


def _train(textcat: TextCategorizer, examples: list[Any], steps: int = 60) -> None:
    optimizer = Adam(0.01)
    for _ in range(steps):
        textcat.update(examples, sgd=optimizer)


def _best(textcat: TextCategorizer, library: Library, words: list[str]) -> str:
    cats = textcat(library.doc(library.vocab, words=words)).cats
    return str(max(cats, key=cats.get))


@each_architecture
def test_training_learns_the_examples(textcat: TextCategorizer, cats: list[Any], library: Library) -> None:
    assert textcat.labels == ("NEG", "POS")
    _train(textcat, cats)
    assert [_best(textcat, library, words) for words, _ in TEXTS] == ["POS", "NEG", "POS", "NEG"]


@each_architecture
def test_documents_without_tokens_take_part(
    textcat: TextCategorizer, cats: list[Any], library: Library
) -> None:
    empty = library.doc(library.vocab, words=[])
    predicted = textcat.predict([empty, cats[0].x])
    assert not predicted[0].any()
    assert predicted[1].any()
    assert textcat.predict([]).shape == (0, 2)
    losses = textcat.update([library.make([], cats={"POS": 1.0}), *cats])
    assert losses[textcat.name] > 0
    assert textcat.update([library.make([], cats={"POS": 1.0})]) == {textcat.name: 0.0}


@each_architecture
def test_an_added_category_leaves_the_old_ones_and_can_be_learnt(
    textcat: TextCategorizer, cats: list[Any], library: Library
) -> None:
    _train(textcat, cats)
    docs = [example.x for example in cats]
    before = textcat.predict(docs)
    assert textcat.add_label("ODD") == 1
    np.testing.assert_array_equal(textcat.predict(docs)[:, :2], before)
    odd = library.make(["queer", "stuff"], cats={"POS": 0.0, "NEG": 0.0, "ODD": 1.0})
    more = [*(library.make(words, cats={**values, "ODD": 0.0}) for words, values in TEXTS), odd]
    _train(textcat, more, steps=250)
    assert _best(textcat, library, ["queer", "stuff"]) == "ODD"
    assert _best(textcat, library, ["bad", "film"]) == "NEG"


@each_architecture
def test_bytes_bring_the_categories_back(
    textcat: TextCategorizer, cats: list[Any], library: Library, exclusive: bool, architecture: str
) -> None:
    _train(textcat, cats, steps=5)
    again = _make(library, exclusive, architecture)
    again.from_bytes(textcat.to_bytes(exclude=["vocab"]), exclude=["vocab"])
    docs = [example.x for example in cats]
    assert again.labels == textcat.labels
    np.testing.assert_array_equal(again.predict(docs), textcat.predict(docs))


def test_unmentioned_categories_are_false_or_unknown(library: Library, cats: list[Any]) -> None:
    example = library.make(["good"], cats={"POS": 1.0})
    scores = np.full((1, 2), 0.5, dtype="float32")
    gradients = []
    for exclusive in (True, False):
        textcat = _make(library, exclusive, "bag")
        textcat.initialize(lambda: cats)
        gradients.append(textcat.get_loss([example], scores)[1].tolist())
    assert gradients == [[[0.5, -0.5]], [[0.0, -0.5]]]


def test_distilling_maps_categories_by_name(library: Library, cats: list[Any]) -> None:
    teacher, student = _make(library, True, "mean"), _make(library, True, "bag")
    teacher.initialize(lambda: cats)
    _train(teacher, cats)
    student.initialize(lambda: cats, labels=["POS", "NEG"])
    optimizer = Adam(0.01)
    for _ in range(60):
        student.distill(teacher, cats, sgd=optimizer)
    assert [_best(student, library, words) for words, _ in TEXTS] == ["POS", "NEG", "POS", "NEG"]


@pytest.mark.parametrize(
    ("values", "settings", "message"),
    [
        ([{"A": 1.0, "B": 1.0}], {}, "2 true categories, A, B.*textcat_multilabel"),
        ([{"A": 0.5, "B": 0.5}], {}, "'A' of an example has the value 0.5"),
        ([{"A": 1.0}], {}, "two categories or more, found 1"),
        ([{}], {}, "two categories or more, found 0"),
        ([{"A": 1.0, "B": 0.0}], {"positive_label": "C"}, "'C' must be one of two"),
    ],
)
def test_examples_that_make_no_sense_are_refused(
    library: Library, values: list[dict[str, float]], settings: dict[str, Any], message: str
) -> None:
    examples = [library.make(["a"], cats=each) for each in values]
    with pytest.raises(LabelError, match=message):
        _make(library, True, "bag").initialize(lambda: examples, **settings)


def test_an_unknown_category_is_refused_with_the_remedy(library: Library, cats: list[Any]) -> None:
    textcat = _make(library, False, "bag")
    textcat.initialize(lambda: cats)
    with pytest.raises(LabelError, match=r"'NEW'.*add_label"):
        textcat.update([library.make(["a"], cats={"NEW": 1.0})])


CROSS_ENTROPY = {"loss": "cross_entropy", "label_smoothing": 0.1, "ngram_dropout": 0.2}


@each_architecture
def test_cross_entropy_learns_the_examples(
    library: Library, cats: list[Any], exclusive: bool, architecture: str
) -> None:
    textcat = _make(library, exclusive, architecture)
    textcat.cfg.update(CROSS_ENTROPY)
    textcat.initialize(lambda: cats)
    _train(textcat, cats)
    assert [_best(textcat, library, words) for words, _ in TEXTS] == ["POS", "NEG", "POS", "NEG"]


def test_weights_of_classes_and_examples_scale_the_gradient(library: Library) -> None:
    examples = [
        library.make(["a"], cats={"A": 1.0, "B": 0.0}),
        library.make(["b"], cats={"A": 0.0, "B": 1.0}),
    ]
    examples[1].reference.user_data["example_weight"] = 0.5
    scores = np.full((2, 2), 0.5, dtype="float32")
    expected = {True: [[-1.5, 1.5], [0.25, -0.25]], False: [[-1.5, 0.5], [0.75, -0.25]]}
    for exclusive, gradient in expected.items():
        textcat = _make(library, exclusive, "bag")
        textcat.cfg["class_weights"] = {"A": 3.0}
        textcat.initialize(lambda: examples)
        assert textcat.get_loss(examples, scores)[1].tolist() == gradient


def test_an_example_without_a_true_category_has_no_cross_entropy(library: Library, cats: list[Any]) -> None:
    textcat = _make(library, True, "bag")
    textcat.cfg["loss"] = "cross_entropy"
    textcat.initialize(lambda: cats)
    empty = library.make(["good"], cats={"POS": 0.0, "NEG": 0.0})
    loss, d_scores = textcat.get_loss([empty], np.full((1, 2), 0.5, dtype="float32"))
    assert loss == 0.0
    assert not d_scores.any()


def test_dropped_ngrams_are_drawn_only_while_training(library: Library, cats: list[Any]) -> None:
    textcat = _make(library, True, "bag")
    textcat.cfg["ngram_dropout"] = 0.9
    textcat.initialize(lambda: cats)
    _train(textcat, cats, steps=10)
    docs = [example.x for example in cats]
    np.testing.assert_array_equal(textcat.predict(docs), textcat.predict(docs))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "hinge"}, "loss must be one of 'squared_error', 'cross_entropy', found 'hinge'"),
        ({"label_smoothing": 1.0}, "label_smoothing must be at least 0 and below 1, found 1.0"),
        ({"ngram_dropout": -0.1}, "ngram_dropout must be at least 0"),
        ({"class_weights": {"A": -1.0}}, r"class_weights\['A'\] must be a finite number"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    library: Library, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        TextCategorizer(library.vocab, build(_architectures(True)["bag"]), threshold=0.5, **settings)


def test_a_weight_of_an_unknown_class_or_a_negative_one_of_an_example_is_refused(
    library: Library, cats: list[Any]
) -> None:
    textcat = _make(library, True, "bag")
    textcat.initialize(lambda: cats)
    textcat.cfg["class_weights"] = {"ODD": 2.0}
    with pytest.raises(LabelError, match="class_weights has 'ODD'"):
        textcat.update(cats)
    textcat.cfg["class_weights"] = {}
    odd = library.make(["a"], cats={"POS": 1.0})
    odd.reference.user_data["example_weight"] = -1.0
    with pytest.raises(ValueError, match="example_weight"):
        textcat.update([odd])


def test_scores_are_written_beside_other_categories_or_not_at_all() -> None:
    scores = np.array([[0.5, 0.25], [1.0, 0.0]], dtype="f")
    cats: list[dict[str, float]] = [{}, {"b": 1.0, "c": 1.0}]
    with pytest.raises(ValueError, match=r"shape \[2, 2\]; expected \(2, 1\)"):
        _core.write_categories(cats, ["a"], scores)
    assert cats == [{}, {"b": 1.0, "c": 1.0}]
    _core.write_categories(cats, ["a", "b"], scores[::-1])
    assert cats == [{"a": 1.0, "b": 0.0}, {"a": 0.5, "b": 0.25, "c": 1.0}]
