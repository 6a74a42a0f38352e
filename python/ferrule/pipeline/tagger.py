"""`tagger`: a part-of-speech tag for each token."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from thinc.api import Model

from ferrule import _core
from ferrule._typing import Scores
from ferrule.attrs import TAG
from ferrule.ml.best_labels import best_labels
from ferrule.ml.class_loss import gold_class_loss, teacher_loss
from ferrule.ml.feature_extractor import all_native
from ferrule.ml.rows import join_rows, split_rows
from ferrule.pipeline import examples as check
from ferrule.pipeline.default_models import DEFAULT_TAGGER_MODEL
from ferrule.pipeline.factories import factory
from ferrule.pipeline.gold_labels import distinct_labels, gold_classes
from ferrule.pipeline.labelled_pipe import LabelledPipe
from ferrule.pipeline.teacher_rows import TeacherRows
from ferrule.pipeline.token_scores import TokenScores
from ferrule.scorer.registered import tagger_score

__all__ = ["DEFAULT_TAGGER_MODEL", "Tagger", "make_tagger", "tagger_score"]

Ints = npt.NDArray[np.int32]
UInt64s = npt.NDArray[np.uint64]


@factory(
    "tagger",
    assigns=["token.tag"],
    default_config={
        "model": DEFAULT_TAGGER_MODEL,
        "overwrite": False,
        "scorer": {"@scorers": "spacy.tagger_scorer.v1"},
        "neg_prefix": "!",
        "label_smoothing": 0.0,
        "save_activations": False,
    },
    default_score_weights={"tag_acc": 1.0},
)
def make_tagger(
    nlp: Any,
    name: str,
    model: Model[Any, Any],
    overwrite: bool,
    scorer: Callable[..., Scores] | None,
    neg_prefix: str,
    label_smoothing: float,
    save_activations: bool,
) -> Tagger:
    """Return a tagger component; the arguments are those of `Tagger`."""
    return Tagger(
        nlp.vocab,
        model,
        name,
        overwrite=overwrite,
        scorer=scorer,
        neg_prefix=neg_prefix,
        label_smoothing=label_smoothing,
        save_activations=save_activations,
    )


class Tagger(LabelledPipe):
    """Predicts ``token.tag`` for each token.

    model: documents to float32 (n_tokens, n_labels) for each document, as `spacy.Tagger.v2` makes it.
    overwrite: replace tags that are set already. scorer: the function behind `score`.
    neg_prefix: a gold tag that starts with it says what the tag is not (``"!NN"``); "" for none.
    label_smoothing: share of the gold probability given to the other labels, at least 0 and below 1.
    save_activations: keep ``"probabilities"`` and ``"label_ids"`` in ``doc.activations[name]``.
    """

    # So that `Language.update` need not copy them.
    update_leaves_documents = True

    def __init__(
        self,
        vocab: Any,
        model: Model[Any, Any],
        name: str = "tagger",
        *,
        overwrite: bool = False,
        scorer: Callable[..., Scores] | None = tagger_score,
        neg_prefix: str = "!",
        label_smoothing: float = 0.0,
        save_activations: bool = False,
    ) -> None:
        if not 0.0 <= label_smoothing < 1.0:
            raise ValueError(
                f"Tagger {name!r}: label_smoothing must be at least 0 and below 1, found {label_smoothing!r}"
            )
        super().__init__(
            vocab,
            model,
            name,
            label_smoothing=label_smoothing,
            labels=[],
            neg_prefix=neg_prefix,
            overwrite=overwrite,
        )
        self.scorer = scorer
        self.save_activations = save_activations

    # Annotating

    def predict(self, docs: Iterable[Any]) -> TokenScores:
        """Return the scores of `docs`, which stay as they are: ``"probabilities"`` and ``"label_ids"``.

        Label ids are indices into `labels`.
        """
        with self._needing_weights("predict"):
            return self._scores(self.model, list(docs))

    def set_annotations(self, docs: Iterable[Any], scores: TokenScores) -> None:
        """Write the best tag of each token of `docs` into ``token.tag``.

        A token that has a tag keeps it unless ``cfg["overwrite"]``. With `save_activations`, also
        ``doc.activations[name]`` is set, to ``{"probabilities": …, "label_ids": …}``.
        """
        docs = list(docs)
        self._write(docs, scores.best_labels)
        if self.save_activations:
            saved = zip(docs, scores["probabilities"], scores["label_ids"], strict=True)
            for doc, probabilities, best in saved:
                # Copies, so that one document does not keep the arrays of its whole batch alive.
                doc.activations[self.name] = {"probabilities": probabilities.copy(), "label_ids": best.copy()}

    def _annotate(self, docs: list[Any]) -> list[Any]:
        best = self._best_labels(docs)
        if best is None:
            return super()._annotate(docs)
        self._write(docs, best)
        return docs

    def _best_labels(self, docs: list[Any]) -> Ints | None:
        """The best label of each token where nobody sees the scores; None where somebody may."""
        replaced = {"predict", "set_annotations"} & self.__dict__.keys()
        usual = type(self).predict is Tagger.predict and type(self).set_annotations is Tagger.set_annotations
        if replaced or not usual or self.save_activations or not isinstance(self.model, Model):
            return None
        check.are_documents(docs, owner=self._label())
        with self._needing_weights("predict"):
            return best_labels(self.model, docs)

    def _write(self, docs: list[Any], best: Ints) -> None:
        label_ids = np.array([self.vocab.strings.add(label) for label in self.labels], dtype=np.uint64)
        _write_tags(docs, best, label_ids, overwrite=bool(self.cfg["overwrite"]))

    def _scores(self, model: Model[Any, Any], docs: list[Any]) -> TokenScores:
        n_labels = len(self.labels)
        if any(len(doc) for doc in docs):
            rows = model.predict(docs)
        else:
            rows = [model.ops.alloc2f(0, n_labels) for _ in docs]
        return TokenScores(rows, n_labels=n_labels, normalized=_gives_probabilities(model))

    # Learning

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Any]],
        *,
        nlp: Any = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        """Set up the labels and the model's first weights.

        The labels are `labels` in their order, or else all gold tags of all examples, sorted. A sample
        of the examples gives the model its sizes. Raises LabelError when no label is found.
        """
        sample = check.sample_examples(get_examples, owner=self._label("initialize"))
        for label in labels if labels is not None else self._labels_of(get_examples()):
            self.add_label(label)
        self._require_labels()
        docs = [example.x for example in sample if len(example.x)]
        n_labels = len(self.labels)
        rows = [self.model.ops.alloc2f(len(doc), n_labels) for doc in docs]
        if self.model.has_dim("nO") is None:
            self.model.initialize(X=docs or None, Y=rows or None)
        else:
            self.model.initialize(X=docs or None)

    def get_loss(self, examples: Iterable[Any], scores: Any) -> tuple[float, list[Any]]:
        """Return the cross-entropy, summed over the batch in nats, and its gradient for each document.

        scores: probabilities for each document, from ``model.begin_update`` or `predict`. A token
        without a gold tag, or whose gold tokens do not align, has no loss and no gradient.

        Raises LabelError when a gold tag is not among the labels.
        """
        examples = list(examples)
        probabilities = _probabilities(scores)
        lengths = [len(rows) for rows in probabilities]
        classes, negative = gold_classes(
            examples, "TAG", self.labels, neg_prefix=self.cfg["neg_prefix"], owner=self._label()
        )
        if sum(lengths) != len(classes):
            raise ValueError(
                f"{self._label('get_loss')}: the scores are for {sum(lengths)} tokens in {len(lengths)} "
                f"documents, the examples have {len(classes)} tokens in {len(examples)} documents."
            )
        if not probabilities:
            return 0.0, []
        smoothing = self.cfg["label_smoothing"]
        block = join_rows(probabilities)
        loss, d_scores = gold_class_loss(block, classes, negative=negative, label_smoothing=smoothing)
        return loss, split_rows(d_scores, lengths)

    def get_teacher_student_loss(
        self, teacher_scores: Any, student_scores: Any, *, temperature: float = 1.0
    ) -> tuple[float, list[Any]]:
        """Return KL(teacher ‖ student), summed over the batch in nats, and its gradient for each document.

        Both are probabilities for each document, from ``model.begin_update`` or `predict`, over the same
        labels. temperature: flattens both distributions first.
        """
        teacher, student = _probabilities(teacher_scores), _probabilities(student_scores)
        if not student:
            return 0.0, []
        loss, d_scores = teacher_loss(join_rows(teacher), join_rows(student), temperature=temperature)
        return loss, split_rows(d_scores, [len(rows) for rows in student])

    def _scores_to_learn_from(self, model: Model[Any, Any], docs: list[Any]) -> TokenScores:
        return self._scores(model, docs)

    def teacher_rows(self, docs: Iterable[Any]) -> TeacherRows:
        """The probabilities of `docs`, a row a token and a column a label."""
        return TeacherRows(self.labels, self.predict(docs)["probabilities"])

    def _scores_from_rows(self, taught: TeacherRows) -> list[Any]:
        return self._in_label_order(
            {"probabilities": taught.rows}, taught.columns_of(self.labels, self._label("distill"))
        )

    def _in_label_order(self, scores: Mapping[str, list[Any]], order: list[int]) -> list[Any]:
        return [rows[:, order] for rows in scores["probabilities"]]

    def _labels_of(self, examples: Iterable[Any]) -> list[str]:
        """All gold tags, sorted; negative ones are no labels."""
        prefix = self.cfg["neg_prefix"]
        tags = distinct_labels(examples, "TAG")
        return sorted(tag for tag in tags if not (prefix and tag.startswith(prefix)))


def _gives_probabilities(model: Model[Any, Any]) -> bool:
    """Whether `model.predict` gives probabilities, or scores that a softmax would turn into some."""
    if not model.has_ref("output_layer"):
        return True
    return bool(model.get_ref("output_layer").attrs.get("softmax_normalize", True))


def _probabilities(scores: Any) -> list[Any]:
    """The probabilities for each document, from what `predict` or ``model.begin_update`` returned."""
    return list(scores["probabilities"] if isinstance(scores, Mapping) else scores)


def _write_tags(docs: list[Any], best: Ints, label_ids: UInt64s, *, overwrite: bool) -> None:
    """Set the tag of token `i` of the batch to ``label_ids[best[i]]``."""
    if all_native(docs):
        _core.set_tags(docs, best, label_ids, overwrite)
        return
    first = 0
    for doc in docs:
        tags = label_ids[best[first : (first := first + len(doc))]]
        if not overwrite and doc.has_annotation("TAG"):
            known = np.asarray(doc.to_array([TAG]), dtype=np.uint64).reshape(len(doc))
            tags = np.where(known != 0, known, tags)
        doc.from_array([TAG], tags)
