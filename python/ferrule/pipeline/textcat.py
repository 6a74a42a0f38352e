"""`textcat`: exactly one of several categories for each document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from thinc.api import Config, Model

from ferrule._typing import Losses, Scores
from ferrule.errors import LabelError
from ferrule.pipeline import examples as check
from ferrule.pipeline.factories import factory
from ferrule.pipeline.labelled_pipe import LabelledPipe
from ferrule.pipeline.teacher_rows import TeacherRows
from ferrule.registry import registry

__all__ = ["TextCategorizer", "make_textcat", "textcat_score"]

Floats = npt.NDArray[np.float32]

_MODEL = """
[model]
@architectures = "spacy.TextCatEnsemble.v2"

[model.tok2vec]
@architectures = "spacy.Tok2Vec.v2"

[model.tok2vec.embed]
@architectures = "spacy.MultiHashEmbed.v2"
width = 64
rows = [2000, 2000, 500, 1000, 500]
attrs = ["NORM", "LOWER", "PREFIX", "SUFFIX", "SHAPE"]
include_static_vectors = false

[model.tok2vec.encode]
@architectures = "spacy.MaxoutWindowEncoder.v2"
width = 64
window_size = 1
maxout_pieces = 3
depth = 2

[model.linear_model]
@architectures = "spacy.TextCatBOW.v3"
exclusive_classes = true
length = 262144
ngram_size = 1
no_output_layer = false
"""
DEFAULT_TEXTCAT_MODEL = Config().from_str(_MODEL)["model"]

CATEGORY_SCORES: dict[str, float | None] = {
    "cats_score": 1.0,
    "cats_score_desc": None,
    "cats_micro_p": None,
    "cats_micro_r": None,
    "cats_micro_f": None,
    "cats_macro_p": None,
    "cats_macro_r": None,
    "cats_macro_f": None,
    "cats_macro_auc": None,
    "cats_f_per_type": None,
}


@factory(
    "textcat",
    assigns=["doc.cats"],
    default_config={
        "threshold": 0.0,
        "model": DEFAULT_TEXTCAT_MODEL,
        "scorer": {"@scorers": "spacy.textcat_scorer.v2"},
        "save_activations": False,
    },
    default_score_weights=CATEGORY_SCORES,
)
def make_textcat(
    nlp: Any,
    name: str,
    model: Model[Any, Any],
    threshold: float,
    scorer: Callable[..., Scores] | None,
    save_activations: bool,
) -> TextCategorizer:
    """Return a text classifier for categories that exclude each other."""
    return TextCategorizer(
        nlp.vocab, model, name, threshold=threshold, scorer=scorer, save_activations=save_activations
    )


def textcat_score(examples: Iterable[Any], **kwargs: Any) -> Scores:
    """Return the scores of ``doc.cats``, as `Scorer.score_cats` computes them for exclusive categories."""
    from ferrule.scorer import Scorer

    return dict(Scorer.score_cats(examples, "cats", multi_label=False, **kwargs))


@registry.scorers("spacy.textcat_scorer.v2")
def make_textcat_scorer() -> Callable[..., Scores]:
    """Return `textcat_score`."""
    return textcat_score


class TextCategorizer(LabelledPipe):
    """Predicts ``doc.cats``: a probability for each category, one of which is true.

    model: documents to float32 (n_docs, n_labels), as `spacy.TextCatEnsemble.v2` makes it.
    threshold: kept in ``cfg`` for the scorer. save_activations: keep ``"probabilities"`` in
    ``doc.activations[name]``.
    """

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
    ) -> None:
        super().__init__(vocab, model, name, labels=[], threshold=threshold, positive_label=None)
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
            return self._probabilities(self.model, list(docs))

    def set_annotations(self, docs: Iterable[Any], scores: Floats) -> None:
        """Write the probabilities into ``doc.cats``, beside what is there under other names."""
        labels = self.labels
        for doc, probabilities in zip(docs, scores, strict=True):
            doc.cats.update(zip(labels, probabilities.tolist(), strict=True))
            if self.save_activations:
                doc.activations[self.name] = {"probabilities": np.array(probabilities)}

    def _probabilities(self, model: Model[Any, Any], docs: list[Any]) -> Floats:
        """The model's scores, run over the documents that have tokens."""
        with_tokens = [index for index, doc in enumerate(docs) if len(doc)]
        probabilities = np.zeros((len(docs), len(self.labels)), dtype=np.float32)
        if with_tokens:
            probabilities[with_tokens] = model.predict([docs[index] for index in with_tokens])
        return probabilities

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
        """Return the mean squared error of `scores`, and the gradient that trains the model.

        As in spaCy the gradient is scores minus truths, whichever layer comes last. Raises LabelError when an
        example has a category that is not among the labels.
        """
        examples = list(examples)
        truths, known = self._truths(examples)
        d_scores = (scores - truths) * known
        return float(np.square(d_scores).mean()) if d_scores.size else 0.0, d_scores

    def get_teacher_student_loss(
        self, teacher_scores: Floats, student_scores: Floats
    ) -> tuple[float, Floats]:
        """Return the mean squared difference of probabilities, and the student's gradient."""
        d_scores = student_scores - teacher_scores
        return float(np.square(d_scores).mean()) if d_scores.size else 0.0, d_scores

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

    def _truths(self, examples: Sequence[Any]) -> tuple[Floats, Floats]:
        """Return float32 (n_docs, n_labels) of gold values, and of 1 where they are known, else 0."""
        index = {label: position for position, label in enumerate(self.labels)}
        truths = np.zeros((len(examples), len(index)), dtype=np.float32)
        known = np.zeros_like(truths) if self._missing_is_unknown else np.ones_like(truths)
        in_order = list(index)
        for row, example in enumerate(examples):
            cats = example.reference.cats
            if list(cats) == in_order:  # all of them, as converted corpora have them: one assignment
                truths[row] = list(cats.values())
                known[row] = 1.0
                continue
            for label, value in cats.items():
                if label not in index:
                    raise LabelError(
                        f"{self._label()}: the gold category {label!r} is not among the {len(index)} "
                        f"labels. Call add_label({label!r}), or initialize with examples or labels that "
                        f"include it."
                    )
                truths[row, index[label]] = value
                known[row, index[label]] = 1.0
        return truths, known

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
