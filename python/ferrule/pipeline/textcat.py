"""`textcat`: exactly one of several categories for each document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from thinc.api import Model

from ferrule import _core
from ferrule._typing import Losses, Scores
from ferrule.errors import LabelError, SerializationError
from ferrule.ml.category_loss import activation_of, category_loss, smoothed, through
from ferrule.ml.class_loss import teacher_loss
from ferrule.ml.extract_ngrams import ngrams_dropped
from ferrule.pipeline import examples as check
from ferrule.pipeline.category_decisions import CategoryDecisions
from ferrule.pipeline.category_truths import (
    LEARNING_SETTINGS,
    check_settings,
    document_weights,
    gold_categories,
    weights_of_classes,
)
from ferrule.pipeline.labelled_pipe import LabelledPipe
from ferrule.pipeline.teacher_rows import TeacherRows
from ferrule.scorer.registered import textcat_score

__all__ = ["TextCategorizer", "textcat_score"]

Floats = npt.NDArray[np.float32]


class TextCategorizer(CategoryDecisions, LabelledPipe):
    """Predicts ``doc.cats``: a probability for each category, one of which is true.

    model: documents to float32 (n_docs, n_labels), as `spacy.TextCatEnsemble.v2` makes it.
    threshold: kept in ``cfg`` for the scorer. save_activations: keep ``"probabilities"`` in
    ``doc.activations[name]``.

    loss: ``"squared_error"``, as in spaCy, or ``"cross_entropy"``, which teaches faster and better under
    every architecture whose last layer is a softmax activation or a logistic (under the others both are the
    same).
    label_smoothing: share of the truth that goes to the other categories, at least 0 and below 1.
    class_weights: how much documents of a category count, by its name; 1 for those not named. A single
    example counts ``reference.user_data["example_weight"]`` times that, if it is there.
    ngram_dropout: share of a document's n-grams that a bag of words does not see in an update; the dropout
    rate does not reach it, as in spaCy.
    """

    # So that `Language.update` need not copy them.
    update_leaves_documents = True

    # Whether a category that an example does not mention is unknown; otherwise it is false.
    _missing_is_unknown = False

    def __init__(
        self,
        vocab: Any,
        model: Model[Any, Any],
        name: str = "textcat",
        *,
        threshold: float,
        scorer: Callable[..., Scores] | None = textcat_score,
        save_activations: bool = False,
        loss: str = "squared_error",
        label_smoothing: float = 0.0,
        class_weights: Mapping[str, float] | None = None,
        ngram_dropout: float = 0.0,
    ) -> None:
        settings = {
            "loss": loss,
            "label_smoothing": label_smoothing,
            "class_weights": dict(class_weights or {}),
            "ngram_dropout": ngram_dropout,
        }
        check_settings(settings, f"{type(self).__name__} {name!r}")
        super().__init__(vocab, model, name, labels=[], threshold=threshold, positive_label=None, **settings)
        self.scorer = scorer
        self.save_activations = save_activations

    @property
    def support_missing_values(self) -> bool:
        """Whether a category that an example does not mention is unknown, not false."""
        return self._missing_is_unknown

    # Annotating

    def predict(self, docs: Iterable[Any]) -> Floats:
        """Return float32 (n_docs, n_labels), a probability for each category; `docs` stay as they are.

        A document without tokens has zeros.
        """
        with self._needing_weights("predict"):
            return self._calibrated(self._probabilities(self.model, list(docs)))

    def set_annotations(self, docs: Iterable[Any], scores: Floats) -> None:
        """Write the probabilities into ``doc.cats``, beside what is there under other names."""
        docs = list(docs)
        scores = np.asarray(scores, dtype=np.float32)
        _core.write_categories([doc.cats for doc in docs], list(self.labels), scores)
        if self.save_activations:
            for doc, probabilities in zip(docs, scores, strict=True):
                doc.activations[self.name] = {"probabilities": np.array(probabilities)}

    def _probabilities(self, model: Model[Any, Any], docs: list[Any]) -> Floats:
        """The model's scores, run over the documents that have tokens."""
        if docs and all(map(len, docs)):
            return np.asarray(model.predict(docs), dtype=np.float32)
        with_tokens = [index for index, doc in enumerate(docs) if len(doc)]
        probabilities = np.zeros((len(docs), len(self.labels)), dtype=np.float32)
        if with_tokens:
            probabilities[with_tokens] = model.predict([docs[index] for index in with_tokens])
        return probabilities

    def score(self, examples: Iterable[Any], **kwargs: Any) -> Scores:
        """The scores of the scorer and, once something was fitted, those of the decisions."""
        examples = list(examples)
        scores = super().score(examples, **kwargs)
        return {**scores, **self.decision_scores(examples)} if self.scorer is not None else scores

    def rename_label(self, old: str, new: str) -> None:
        """Call `old` `new` from here on, and so its threshold; see `LabelledPipe.rename_label`."""
        super().rename_label(old, new)
        for by_label in (self.cfg.get("thresholds", {}), self.cfg.get("class_weights", {})):
            if old in by_label:
                by_label[new] = by_label.pop(old)

    def _set_cfg(self, saved: dict[str, Any]) -> None:
        temperature = saved.get("temperature", 1.0)
        if not isinstance(temperature, int | float) or not temperature > 0.0:
            raise SerializationError(
                f"{self._label()}: the saved temperature must be a number above 0, found {temperature!r}"
            )
        super()._set_cfg(saved)
        self._keep(saved)

    # Learning
    #
    # A document without tokens has nothing to learn from, and the layers that reduce tokens to one vector
    # cannot take it: it is left out before the shared skeleton runs.

    def update(self, examples: Iterable[Any], **settings: Any) -> Losses:
        """Learn from a batch of examples; as `TrainablePipe.update`."""
        return super().update(self._with_tokens(examples, "update"), **settings)

    def distill(self, teacher_pipe: Any, examples: Iterable[Any], **settings: Any) -> Losses:
        """Learn from a teacher's probabilities; as `TrainablePipe.distill`."""
        return super().distill(teacher_pipe, self._with_tokens(examples, "distill"), **settings)

    def rehearse(self, examples: Iterable[Any], **settings: Any) -> Losses:
        """Practise what the component knew; as `TrainablePipe.rehearse`."""
        return super().rehearse(self._with_tokens(examples, "rehearse"), **settings)

    def _with_tokens(self, examples: Iterable[Any], method: str) -> list[Any]:
        listed = check.all_examples(examples, owner=self._label(method))
        return [example for example in listed if len(example.predicted)]

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Any]],
        *,
        nlp: Any = None,
        labels: Sequence[str] | None = None,
        positive_label: str | None = None,
    ) -> None:
        """Set up the categories and the model's first weights.

        The categories are `labels` in their order, or else all that the examples mention, sorted.
        positive_label: of two categories, the one that precision and recall are about.

        Raises LabelError when there are fewer than two categories, `positive_label` is none of them or
        they are more than two, or an example has a value other than 0 and 1, or several true categories.
        """
        sample = check.sample_examples(get_examples, owner=self._label("initialize"))
        self._check_truths(get_examples())
        found = sorted({label for example in get_examples() for label in example.reference.cats})
        for label in labels if labels is not None else found:
            self.add_label(label)
        self._check_labels(positive_label)
        self.cfg["positive_label"] = positive_label
        docs = [example.x for example in sample if len(example.x)]
        truths = np.zeros((len(docs), len(self.labels)), dtype=np.float32)
        self.model.initialize(X=docs or None, Y=truths if docs else None)

    def get_loss(self, examples: Iterable[Any], scores: Floats) -> tuple[float, Floats]:
        """Return the loss of `scores`, and the gradient that trains the model; see `category_loss`.

        Without settings that say otherwise both are spaCy's: the mean squared error, and scores minus truths
        whichever layer comes last. Raises LabelError when an example has a category that is not among the
        labels.
        """
        examples = list(examples)
        exclusive = not self._missing_is_unknown
        owner = self._label()
        truths, weights = gold_categories(examples, self.labels, exclusive=exclusive, owner=owner)
        class_weights = self._setting("class_weights")
        weights = weights * document_weights(examples, owner=owner)
        if class_weights:
            weights = weights * weights_of_classes(
                truths, self.labels, class_weights, exclusive=exclusive, owner=owner
            )
        if exclusive and self._setting("loss") == "cross_entropy":
            # A document without a true category has no cross-entropy.
            weights = weights * truths.any(axis=1, keepdims=True)
        truths = smoothed(truths, self._setting("label_smoothing"), exclusive=exclusive)
        return category_loss(
            scores, truths, weights, kind=self._setting("loss"), activation=activation_of(self.model)
        )

    def get_teacher_student_loss(
        self, teacher_scores: Floats, student_scores: Floats, *, temperature: float = 1.0
    ) -> tuple[float, Floats]:
        """Return the loss of the student's probabilities, and its gradient.

        With ``loss = "squared_error"`` the mean squared difference; otherwise the cross-entropy less that of
        a student that agrees, summed in nats. temperature: flattens both first, for categories that exclude
        each other and a cross-entropy only.
        """
        activation = activation_of(self.model)
        if self._setting("loss") == "cross_entropy" and activation in ("softmax", "softmax layer"):
            loss, d_scores = teacher_loss(teacher_scores, student_scores, temperature=temperature)
            return loss, through(activation, student_scores, d_scores)
        ones = np.ones_like(student_scores)
        kind = self._setting("loss")
        loss, d_scores = category_loss(student_scores, teacher_scores, ones, kind=kind, activation=activation)
        if kind == "cross_entropy":
            loss -= category_loss(teacher_scores, teacher_scores, ones, kind=kind, activation=activation)[0]
        return loss, d_scores

    def _scores_to_learn_from(self, model: Model[Any, Any], docs: list[Any]) -> Floats:
        return self._probabilities(model, docs)

    def teacher_rows(self, docs: Iterable[Any]) -> TeacherRows:
        """The probabilities of `docs`, one row each and a column a category."""
        return TeacherRows(self.labels, list(self.predict(docs)[:, np.newaxis]))

    def _scores_from_rows(self, taught: TeacherRows) -> Floats:
        order = taught.columns_of(self.labels, self._label("distill"))
        return self._in_label_order(np.concatenate(taught.rows), order)

    def _in_label_order(self, scores: Floats, order: list[int]) -> Floats:
        return scores[:, order]

    def _accumulate(self, docs: list[Any], loss_and_gradient: Any, drop: float) -> float:
        with ngrams_dropped(self._setting("ngram_dropout")):
            return super()._accumulate(docs, loss_and_gradient, drop)

    def _setting(self, name: str) -> Any:
        # A folder that spaCy saved has none of them.
        return self.cfg.get(name, LEARNING_SETTINGS[name])

    def _check_truths(self, examples: Iterable[Any]) -> None:
        for example in examples:
            cats = example.reference.cats
            for label, value in cats.items():
                if value not in (0.0, 1.0):
                    raise LabelError(
                        f"{self._label()}: the category {label!r} of an example has the value {value!r}; "
                        f"expected 1 for true or 0 for false."
                    )
            self._check_exclusive(cats)

    def _check_exclusive(self, cats: dict[str, float]) -> None:
        true = sorted(label for label, value in cats.items() if value)
        if len(true) > 1:
            raise LabelError(
                f"{self._label()}: an example has {len(true)} true categories, {', '.join(true)}; expected "
                f"one. Use the component 'textcat_multilabel' for categories that do not exclude each other."
            )

    def _check_labels(self, positive_label: str | None) -> None:
        if len(self.labels) < 2:
            raise LabelError(
                f"{self._label('initialize')}: expected two categories or more, found "
                f"{len(self.labels)}. Give both answers a category, or use "
                f"'textcat_multilabel', which can do with one."
            )
        if positive_label is not None and (positive_label not in self.labels or len(self.labels) != 2):
            raise LabelError(
                f"{self._label('initialize')}: positive_label {positive_label!r} must be one of two "
                f"categories, found {', '.join(self.labels)}."
            )
