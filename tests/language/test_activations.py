"""What components keep in `doc.activations` goes with the document: through bytes, DocBin and workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from thinc.api import fix_random_seed

import ferrule
from ferrule.language import Language
from ferrule.pipeline import TrainablePipe
from ferrule.testing import default_examples
from ferrule.tokens import Doc, DocBin
from networks import encoder, ner, tagger

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")

ENCODER = encoder()
MODELS: dict[str, dict[str, Any]] = {
    "tagger": tagger(ENCODER),
    "textcat": {"@architectures": "spacy.TextCatCNN.v2", "tok2vec": ENCODER, "exclusive_classes": True},
    "ner": ner(ENCODER),
}
TEXTS = ["Anna sees the small boat .", "Ben bakes bread .", "", "They eat ."] * 2


@pytest.fixture(scope="module")
def nlp() -> Language:
    fix_random_seed(0)
    pipeline = ferrule.blank("en")
    for name, model in MODELS.items():
        pipeline.add_pipe(name, config={"model": model, "save_activations": True})
    examples = default_examples(pipeline)
    pipeline.initialize(lambda: examples)
    pipeline.update(examples)
    return pipeline


def content(doc: Doc) -> dict[str, dict[str, Any]]:
    return {
        name: {key: np.asarray(array).tolist() for key, array in kept.items()}
        for name, kept in doc.activations.items()
    }


def through_doc_bin(doc: Doc) -> Doc:
    data = DocBin(docs=[doc], store_user_data=True).to_bytes()
    return next(iter(DocBin().from_bytes(data).get_docs(doc.vocab)))


WAYS: dict[str, Callable[[Doc], Doc]] = {
    "bytes": lambda doc: Doc(doc.vocab).from_bytes(doc.to_bytes()),
    "DocBin": through_doc_bin,
    "copy": lambda doc: doc.copy(),
}


@pytest.mark.parametrize("way", WAYS)
def test_activations_go_with_the_document(nlp: Language, way: str) -> None:
    for text in TEXTS[:3]:
        doc = nlp(text)
        assert doc.activations.keys() == MODELS.keys()
        assert content(WAYS[way](doc)) == content(doc)


@pytest.mark.parametrize("way", [{"n_threads": 2}, {"n_process": 2}], ids=["threads", "processes"])
def test_activations_come_from_every_way_of_running(nlp: Language, way: dict[str, int]) -> None:
    expected = [content(doc) for doc in nlp.pipe(TEXTS, batch_size=3)]
    found = [content(doc) for doc in nlp.pipe(TEXTS, batch_size=3, **way)]  # type: ignore[arg-type]
    assert found == expected


class Counter(TrainablePipe):
    """The least a component may be: it says nothing about activations."""

    def predict(self, docs: Iterable[Any]) -> Any:
        return self.cfg["scores"](list(docs))

    def set_annotations(self, docs: Iterable[Any], scores: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("scores", "kept"),
    [
        (lambda docs: np.array([[len(doc), 1.0] for doc in docs], dtype="f"), [[3.0, 1.0], [1.0, 1.0]]),
        (lambda docs: [np.ones((len(doc), 1), dtype="f") for doc in docs], [[[1.0]] * 3, [[1.0]]]),
        (lambda docs: np.array([len(doc) for doc in docs]), [[3], [1]]),
    ],
    ids=["a row a document", "an array a document", "a number a document"],
)
def test_a_component_of_ones_own_need_do_nothing_for_it(scores: Any, kept: Any) -> None:
    nlp = ferrule.blank("en")
    pipe = Counter(nlp.vocab, None, "counter", scores=scores)
    docs = [nlp.make_doc("Anna sees boats"), nlp.make_doc("Yes")]
    list(pipe.pipe(docs))
    assert all(not doc.activations for doc in docs)
    pipe.save_activations = True
    list(pipe.pipe(docs))
    assert [doc.activations["counter"]["scores"].tolist() for doc in docs] == kept
    again = Doc(nlp.vocab).from_bytes(docs[0].to_bytes())
    assert again.activations["counter"]["scores"].tolist() == kept[0]


@pytest.mark.parametrize("scores", [None, {"a": 1}, [1.0, 2.0], np.ones((3, 2))], ids=str)
def test_scores_of_another_form_are_left_to_the_component(scores: Any) -> None:
    nlp = ferrule.blank("en")
    pipe = Counter(nlp.vocab, None, "counter", scores=lambda docs: scores)
    pipe.save_activations = True
    (doc,) = pipe.pipe([nlp.make_doc("Yes")])
    assert not doc.activations
