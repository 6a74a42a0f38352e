"""Components whose model has one output a label: the labels, and changing them before and after training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ferrule.errors import LabelError, SerializationError, nearest_names
from ferrule.ml.resize import select_outputs
from ferrule.pipeline import examples as check
from ferrule.pipeline.trainable_pipe import TrainablePipe

__all__ = ["LabelledPipe"]


class LabelledPipe(TrainablePipe):
    """A trainable component with its labels in ``cfg["labels"]``, output `i` of the model scoring label `i`.

    After training, labels are added, renamed, merged and removed through the methods here; the model
    needs a ref ``output_layer`` with parameters ``W`` and ``b`` for it, as all built-in ones have.
    An optimizer that was used before such a change must not be used after it, since its moments have
    the old shape.
    """

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the model's outputs."""
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> tuple[str, ...]:
        """What ``initialize(labels=…)`` takes to set up the same labels again."""
        return self.labels

    def add_label(self, label: str) -> int:
        """Add a label: returns 1, or 0 if it is there already.

        A model that has its outputs already gets one more; the scores of the old labels stay as they
        are, to the last bit. Raises LabelError when the label is no string or is empty, or when the
        model cannot be resized.
        """
        self._check_label(label, "add_label")
        if label in self.cfg["labels"]:
            return 0
        self._allow_extra_label()
        self.cfg["labels"].append(label)
        self.vocab.strings.add(label)
        if self._has_outputs():
            self.set_output(len(self.labels))
        return 1

    def rename_label(self, old: str, new: str) -> None:
        """Call `old` `new` from here on; the model stays as it is.

        Raises LabelError when there is no label `old`, or there is a label `new`: see `merge_labels`.
        """
        self._check_label(new, "rename_label")
        index = self._index_of(old, "rename_label")
        if new in self.labels:
            raise LabelError(
                f"{self._label('rename_label')}: there is a label {new!r} already. To make one label of "
                f"both, call merge_labels([{old!r}, {new!r}], into={new!r})."
            )
        self.vocab.strings.add(new)
        self.cfg["labels"][index] = new

    def remove_label(self, label: str) -> None:
        """Take a label away; the others keep their scores to the last bit, and share its probability.

        Only in an ensemble (`spacy.TextCatEnsemble.v2`), which reads what its linear half says about all
        labels, can they change a little.
        Raises LabelError when there is no such label, or no other.
        """
        removed = self._index_of(label, "remove_label")
        if len(self.labels) == 1:
            raise LabelError(f"{self._label('remove_label')}: {label!r} is the only label; one has to stay.")
        kept = [index for index in range(len(self.labels)) if index != removed]
        self._select([self.labels[index] for index in kept], [(index,) for index in kept])

    def merge_labels(self, labels: Iterable[str], into: str) -> None:
        """Make one label of several; it stands where the first of them stood, and is called `into`.

        Its score is a linear stand-in for the sum of their probabilities (see
        `ferrule.ml.resize.select_outputs`), so some training afterwards helps. Raises LabelError when
        a label is unknown, fewer than two are given, or `into` names a label that is not among them.
        """
        self._check_label(into, "merge_labels")
        merged = sorted({self._index_of(label, "merge_labels") for label in labels})
        if len(merged) < 2:
            raise LabelError(
                f"{self._label('merge_labels')}: expected two labels or more, found {len(merged)}."
            )
        if into in self.labels and self.labels.index(into) not in merged:
            raise LabelError(
                f"{self._label('merge_labels')}: {into!r} is another label already; name it among the "
                f"labels to merge, or choose a new name."
            )
        names, sources = [], []
        for index, label in enumerate(self.labels):
            if index == merged[0]:
                names.append(into)
                sources.append(tuple(merged))
            elif index not in merged:
                names.append(label)
                sources.append((index,))
        self.vocab.strings.add(into)
        self._select(names, sources)

    def _scores_of_teacher(self, teacher_pipe: Any, docs: list[Any]) -> Any:
        teachers = tuple(teacher_pipe.labels)
        check.same_labels(sorted(teachers), sorted(self.labels), owner=self._label("distill"))
        scores = self._scores_to_learn_from(teacher_pipe.model, docs)
        return self._in_label_order(scores, [teachers.index(label) for label in self.labels])

    def _in_label_order(self, scores: Any, order: list[int]) -> Any:
        """`scores` with column ``order[i]`` in place of column `i`; needed to be distilled."""
        raise self._not_implemented("_in_label_order")

    def _select(self, labels: list[str], sources: Sequence[tuple[int, ...]]) -> None:
        if self._has_outputs():
            for model in (self.model, self._rehearsal_model):
                if model is not None:
                    model.attrs.get("select_outputs", select_outputs)(model, sources)
        self.cfg["labels"] = labels

    def _after_step(self) -> None:
        wake = self.model.attrs.get("wake_outputs")
        if wake is not None:
            wake(self.model)

    def _set_cfg(self, saved: dict[str, Any]) -> None:
        labels = saved.get("labels", [])
        strings = isinstance(labels, list) and all(isinstance(label, str) and label for label in labels)
        if not strings or len(set(labels)) != len(labels):
            raise SerializationError(
                f"{self._label()}: the saved labels must be a list of different strings, found {labels!r}"
            )
        super()._set_cfg(saved)

    def _load_model(self, data: bytes) -> None:
        super()._load_model(data)
        if not self._has_outputs():
            return
        n_outputs = self.model.get_ref("output_layer").get_dim("nO")
        if n_outputs != len(self.labels):
            raise SerializationError(
                f"{self._label()}: the saved model has {n_outputs} outputs, but there are {len(self.labels)} "
                f"labels; each needs the other. Load a cfg and a model that were saved together."
            )

    def _has_outputs(self) -> bool:
        model = self.model
        return bool(model.has_ref("output_layer") and model.get_ref("output_layer").has_dim("nO"))

    def _check_label(self, label: Any, method: str) -> None:
        if not isinstance(label, str) or not label:
            what = "an empty string" if label == "" else f"{type(label).__name__} {label!r}"
            raise LabelError(f"{self._label(method)}: a label must be a non-empty string, found {what}.")

    def _index_of(self, label: str, method: str) -> int:
        if label not in self.labels:
            near = nearest_names(str(label), self.labels)
            hint = (
                f"did you mean {near[0]!r}?"
                if near
                else f"the labels are {', '.join(self.labels) or 'none'}."
            )
            raise LabelError(f"{self._label(method)}: there is no label {label!r}; {hint}")
        return self.labels.index(label)
