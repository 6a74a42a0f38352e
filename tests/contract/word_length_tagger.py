"""A page-long component as a user would write it: it learns whether a word is short or long.

It uses only what `ferrule.pipeline.TrainablePipe` documents, and spaCy's public names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy
from thinc.api import Model, Softmax, chain, with_array

from ferrule.pipeline import TrainablePipe


def words_as_numbers(n_features: int = 4) -> Model[list[Any], list[Any]]:
    """One row a token: its length, capped, as a one-hot row."""

    def forward(model: Model[Any, Any], docs: list[Any], is_train: bool) -> tuple[Any, Callable[[Any], Any]]:
        rows = []
        for doc in docs:
            row = model.ops.alloc2f(len(doc), n_features)
            for token in doc:
                row[token.i, min(len(token.text), n_features) - 1] = 1.0
            rows.append(row)
        return rows, lambda d_rows: []

    return Model("words_as_numbers", forward, dims={"nO": n_features})


def length_model(n_features: int = 4) -> Model[Any, Any]:
    head = Softmax(2, n_features)
    model = chain(words_as_numbers(n_features), with_array(head))
    model.set_ref("output_layer", head)
    return model


class WordLengthTagger(TrainablePipe):
    """Writes `SHORT` or `LONG` to `token.tag_`."""

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.cfg.get("labels", ()))

    @property
    def label_data(self) -> tuple[str, ...]:
        return self.labels

    def add_label(self, label: str) -> int:
        if label in self.labels:
            return 0
        self.cfg["labels"] = [*self.labels, label]
        return 1

    def initialize(
        self, get_examples: Callable[[], Iterable[Any]], *, nlp: Any = None, labels: Any = None
    ) -> None:
        for label in labels or ("SHORT", "LONG"):
            self.add_label(label)
        super().initialize(get_examples, nlp=nlp)

    def predict(self, docs: Iterable[Any]) -> Any:
        return self.model.predict(list(docs))

    def set_annotations(self, docs: Iterable[Any], scores: Any) -> None:
        for doc, rows in zip(docs, scores, strict=True):
            for token, row in zip(doc, rows, strict=True):
                token.tag_ = self.labels[int(row.argmax())]

    def get_loss(self, examples: Iterable[Any], scores: Any) -> tuple[float, Any]:
        gradients = []
        for example, rows in zip(examples, scores, strict=True):
            truth = numpy.zeros_like(rows)
            for index, tag in enumerate(example.get_aligned("TAG", as_string=True)):
                truth[index] = rows[index] if tag is None else [tag == label for label in self.labels]
            gradients.append(rows - truth)
        return float(sum((rows**2).sum() for rows in gradients)), gradients

    def get_teacher_student_loss(self, teacher_scores: Any, student_scores: Any) -> tuple[float, Any]:
        gradients = [
            student - teacher for teacher, student in zip(teacher_scores, student_scores, strict=True)
        ]
        return float(sum((rows**2).sum() for rows in gradients)), gradients
