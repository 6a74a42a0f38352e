"""Components as users write them, registered the way users do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy
from thinc.api import Model
from word_length_tagger import WordLengthTagger, length_model

from ferrule.language import Language
from ferrule.pipeline import TrainablePipe
from ferrule.tokens import Doc
from ferrule.training.example import Example


@Language.factory("word_length_tagger")
def make_word_length_tagger(nlp: Language, name: str) -> WordLengthTagger:
    return WordLengthTagger(nlp.vocab, length_model(), name, labels=["SHORT", "LONG"])


class NumpyCounter(TrainablePipe):
    """Guesses from the number of tokens whether a text is about food; its model is two NumPy numbers."""

    def predict(self, docs: Iterable[Any]) -> Any:
        return self.model.predict(list(docs))

    def set_annotations(self, docs: Iterable[Any], scores: Any) -> None:
        for doc, score in zip(docs, scores, strict=True):
            doc.cats["food"] = float(score)

    def get_loss(self, examples: Iterable[Any], scores: Any) -> tuple[float, Any]:
        truth = numpy.array([example.reference.cats.get("food", 0.0) for example in examples], dtype="f")
        return float(((scores - truth) ** 2).sum()), scores - truth


def number_model() -> Model[Any, Any]:
    def forward(model: Model[Any, Any], docs: list[Any], is_train: bool) -> tuple[Any, Callable[[Any], Any]]:
        lengths = numpy.array([len(doc) for doc in docs], dtype="f")
        weights = model.get_param("W")

        def backprop(d_scores: Any) -> Any:
            model.inc_grad("W", numpy.array([(d_scores * lengths).sum(), d_scores.sum()], dtype="f"))
            return []

        return weights[0] * lengths + weights[1], backprop

    def init(model: Model[Any, Any], X: Any = None, Y: Any = None) -> None:
        model.set_param("W", numpy.zeros(2, dtype="f"))

    return Model("number", forward, init=init, params={"W": None})


@Language.factory("numpy_counter")
def make_numpy_counter(nlp: Language, name: str) -> NumpyCounter:
    return NumpyCounter(nlp.vocab, number_model(), name)


def short_and_long_words(nlp: Language) -> list[Example]:
    examples = []
    for text in ("an elephant saw me .", "to be or not to be", "another giraffe", "of mice and gentlemen ."):
        words = text.split()
        tags = ["LONG" if len(word) > 3 else "SHORT" for word in words]
        examples.append(Example.from_dict(Doc(nlp.vocab, words=words), {"tags": tags}))
    return examples


class ForgetfulCounter(NumpyCounter):
    """Breaks three rules, to see that they are noticed."""

    def predict(self, docs: Iterable[Any]) -> Any:
        for doc in docs:
            doc.cats["seen"] = 1.0
        return super().predict(docs)

    def update(self, examples: Any, *, drop: float = 0.0, sgd: Any = None, losses: Any = None) -> Any:
        return {}

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> Any:
        return self


@Language.factory("forgetful_counter")
def make_forgetful_counter(nlp: Language, name: str) -> ForgetfulCounter:
    return ForgetfulCounter(nlp.vocab, number_model(), name)
