"""N-grams of native documents beside the plain path, and the architecture with character n-grams."""

from __future__ import annotations

import numpy as np
import pytest

import ferrule
from ferrule.ml.extract_ngrams import ExtractNgrams
from ferrule.ml.textcat_ngrams import TextCatNgrams
from ferrule.training import Example

TEXTS = ["my card is lost", "is", "the the the card card", "Ünïcode, naïve; my card"]


class Foreign:
    """Only what a document of another library has."""

    def __init__(self, doc) -> None:
        self.doc = doc

    def __len__(self) -> int:
        return len(self.doc)

    def to_array(self, attrs):
        return self.doc.to_array(attrs)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_native_documents_have_the_ngrams_of_the_plain_path(size: int) -> None:
    nlp = ferrule.blank("en")
    docs = [nlp.make_doc(text) for text in TEXTS]
    layer = ExtractNgrams(size, "LOWER")
    found, expected = layer.predict(docs), layer.predict([Foreign(doc) for doc in docs])
    for ours, plain in zip(found, expected, strict=True):
        assert ours.dtype == plain.dtype
        np.testing.assert_array_equal(ours, plain)


def examples(nlp, texts: dict[str, str]) -> list[Example]:
    return [
        Example.from_dict(nlp.make_doc(text), {"cats": {name: float(name == label) for name in ("a", "b")}})
        for text, label in texts.items()
    ]


def test_character_ngrams_tell_words_apart_that_were_never_seen() -> None:
    nlp = ferrule.blank("en")
    nlp.add_pipe(
        "textcat", config={"model": {"@architectures": "ferrule.TextCatNgrams.v1", "exclusive_classes": True}}
    )
    data = examples(nlp, {"exchanged": "a", "exchange": "a", "topped": "b", "topping": "b"})
    sgd = nlp.initialize(lambda: data)
    sgd.learn_rate = 0.05
    for _ in range(20):
        nlp.update(data, sgd=sgd)
    assert nlp("exchanging").cats["a"] > 0.5
    assert nlp("topper").cats["b"] > 0.5


def test_each_document_has_a_vector_of_length_one() -> None:
    nlp = ferrule.blank("en")
    features = TextCatNgrams(True).layers[0]
    _, values, lengths = features.predict([nlp.make_doc(text) for text in ["", *TEXTS]])
    assert lengths[0] == 0
    ends = np.cumsum(lengths)
    squares = [
        float(np.square(values[end - n : end]).sum()) for n, end in zip(lengths[1:], ends[1:], strict=True)
    ]
    assert squares == pytest.approx([1.0] * len(TEXTS), abs=1e-5)


@pytest.mark.parametrize("sizes", [(0, 3), (4, 3), (-1, 2)])
def test_sizes_that_make_no_sense_are_refused(sizes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="min_characters"):
        TextCatNgrams(True, min_characters=sizes[0], max_characters=sizes[1])


def test_documents_of_others_are_refused_with_the_remedy() -> None:
    with pytest.raises(TypeError, match=r"spacy\.TextCatBOW\.v3"):
        TextCatNgrams(True).layers[0].predict([Foreign(ferrule.blank("en").make_doc("a"))])
