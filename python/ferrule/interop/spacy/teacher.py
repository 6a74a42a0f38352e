"""A spaCy pipeline as the teacher of a Ferrule student."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import spacy
import spacy.pipeline
from spacy.language import Language
from thinc.api import Model

from ferrule.interop.spacy.projection import (
    action_probabilities,
    project_actions,
    project_rows,
    token_bounds,
)
from ferrule.ml.transition import run_as_own
from ferrule.pipeline.ner import EntityRecognizer
from ferrule.pipeline.teacher_rows import TeacherRows
from ferrule.registry import registry

__all__ = ["SpacyTeacher", "spacy_teachers"]

Float32: TypeAlias = npt.NDArray[np.float32]


class SpacyTeacher:
    """One component of a spaCy pipeline, as `TrainablePipe.distill` and ``ferrule distill`` take a teacher.

    labels: what its scores are about; label_data: what ``initialize(labels=…)`` of a student takes.
    """

    def __init__(self, lesson: _Lesson, component: _Taught) -> None:
        self._lesson = lesson
        self._component = component

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the component, in its order."""
        return tuple(self._component.pipe.labels)

    @property
    def label_data(self) -> Any:
        """The labels as a student is initialized with them."""
        return self._component.label_data

    def teacher_rows(self, docs: Iterable[Any]) -> TeacherRows:
        """The scores of the teacher for `docs`, of which only the text and the tokens' places are read.

        spaCy cuts the text by its own rules; where its tokens are others, scores are carried over by
        characters (`ferrule.interop.spacy.projection`).
        """
        docs = list(docs)
        rows = self._lesson.rows(docs)[self._component.name]
        return TeacherRows(tuple(self._component.columns), rows)


def spacy_teachers(nlp: Language, components: Iterable[str] | None = None) -> dict[str, SpacyTeacher]:
    """A teacher for each tagger, text classifier and entity recognizer of a spaCy pipeline, by its name.

    components: only these. The pipeline may contain anything else, transformers too: for each batch it runs
    once, in its order, and is asked for its scores on the way. Give the mapping to ``nlp.distill`` of a
    student; on the command line ``spacy:en_core_web_trf`` names such a teacher.

    >>> import spacy
    >>> spacy_teachers(spacy.blank("en"))
    {}

    Raises TypeError for anything but a spaCy pipeline, ValueError for a component that cannot teach.
    """
    if not isinstance(nlp, Language):
        raise TypeError(f"spacy_teachers: expected a spaCy pipeline, found {type(nlp).__name__}")
    able = {name: kind for name, pipe in nlp.pipeline if (kind := _kind(pipe)) is not None}
    chosen = list(able) if components is None else list(components)
    for name in chosen:
        if name not in able:
            raise ValueError(
                f"spacy_teachers: {name!r} cannot teach; taggers, text classifiers and entity recognizers "
                f"can, which here are {', '.join(able) or 'none'}"
            )
    lesson = _Lesson(nlp, {name: able[name](name, nlp.get_pipe(name)) for name in chosen})
    return {name: SpacyTeacher(lesson, component) for name, component in lesson.taught.items()}


@registry.misc("ferrule.teacher.spacy.v1")
def load_spacy_teachers(name: str) -> dict[str, SpacyTeacher]:
    """The teachers in the spaCy pipeline of that name or folder."""
    return spacy_teachers(spacy.load(name))


class _Taught:
    """A component of spaCy that says what it thinks of documents. `columns`: what its scores stand for."""

    def __init__(self, name: str, pipe: Any) -> None:
        self.name = name
        self.pipe = pipe
        self.columns: list[str] = list(pipe.labels)
        self.label_data: Any = tuple(pipe.labels)

    def scores(self, theirs: list[Any], ours: list[Any]) -> list[Float32]:
        """Scores for the tokens of `ours`, which have the texts of `theirs`."""
        raise NotImplementedError


class _Tags(_Taught):
    def scores(self, theirs: list[Any], ours: list[Any]) -> list[Float32]:
        found = []
        normalized = _is_normalized(self.pipe.model)
        for rows, their_doc, doc in zip(_model_rows(self.pipe.model, theirs), theirs, ours, strict=True):
            rows = rows if normalized else action_probabilities(rows)
            found.append(project_rows(rows, token_bounds(doc), token_bounds(their_doc)))
        return found


class _Categories(_Taught):
    def scores(self, theirs: list[Any], ours: list[Any]) -> list[Float32]:
        probabilities = np.asarray(self.pipe.predict(theirs), dtype=np.float32)
        return [row[np.newaxis] for row in probabilities]


class _Entities(_Taught):
    """The weights of spaCy's recognizer, decoded by Ferrule, which tells the scores of every step."""

    def __init__(self, name: str, pipe: Any) -> None:
        super().__init__(name, pipe)
        theirs = pipe.model
        model: Model[Any, Any] = Model(
            theirs.name,
            theirs._func,
            layers=theirs.layers,
            refs={ref: theirs.get_ref(ref) for ref in ("tok2vec", "lower", "upper")},
            attrs=dict(theirs.attrs),
        )
        run_as_own(model)
        self._own = EntityRecognizer(pipe.vocab, model, name)
        own_actions = type(self._own.moves).from_bytes(pipe.moves.to_bytes(), f"the spaCy component {name!r}")
        self._own.moves = own_actions
        self.columns = own_actions.output_names
        self.label_data = self._own.label_data

    def scores(self, theirs: list[Any], ours: list[Any]) -> list[Float32]:
        rows = self._own.teacher_rows(theirs).rows
        predicted = self._own.predict(theirs).entities
        entities: list[list[tuple[int, int]]] = [[] for _ in theirs]
        for index, start, end, _ in zip(*(column.tolist() for column in predicted), strict=True):
            span = theirs[index][start:end]
            entities[index].append((span.start_char, span.end_char))
        return [
            project_actions(block, self.columns, spans, token_bounds(doc), token_bounds(their_doc))
            for block, spans, doc, their_doc in zip(rows, entities, ours, theirs, strict=True)
        ]


class _Lesson:
    """One run of the pipeline over a batch, which all its teachers share."""

    def __init__(self, nlp: Language, taught: dict[str, _Taught]) -> None:
        self.nlp = nlp
        self.taught = taught
        self._asked: Any = None
        self._rows: dict[str, list[Float32]] = {}

    def rows(self, docs: list[Any]) -> dict[str, list[Float32]]:
        """What each component says of the batch; kept until another batch is asked for."""
        asked = [(doc.text, token_bounds(doc).tobytes()) for doc in docs]
        if asked != self._asked:
            self._rows = self._run(docs)
            self._asked = asked
        return self._rows

    def _run(self, docs: list[Any]) -> dict[str, list[Float32]]:
        theirs = [self.nlp.make_doc(doc.text) for doc in docs]
        found: dict[str, list[Float32]] = {}
        for name, pipe in self.nlp.pipeline:
            if len(found) == len(self.taught):
                break
            if name in self.taught:
                found[name] = self.taught[name].scores(theirs, docs)
            stream: Callable[..., Iterable[Any]] | None = getattr(pipe, "pipe", None)
            theirs = list(stream(theirs, batch_size=len(theirs)) if stream else map(pipe, theirs))
        return found


def _kind(pipe: Any) -> type[_Taught] | None:
    if isinstance(pipe, spacy.pipeline.EntityRecognizer):
        return _Entities
    if isinstance(pipe, spacy.pipeline.TextCategorizer):
        return _Categories
    # Those that derive from the tagger have other labels than tags.
    others = (spacy.pipeline.Morphologizer, spacy.pipeline.SentenceRecognizer)
    return _Tags if isinstance(pipe, spacy.pipeline.Tagger) and not isinstance(pipe, others) else None


def _is_normalized(model: Model[Any, Any]) -> bool:
    if not model.has_ref("output_layer"):
        return True
    return bool(model.get_ref("output_layer").attrs.get("softmax_normalize", True))


def _model_rows(model: Model[Any, Any], docs: list[Any]) -> list[Float32]:
    width = model.get_dim("nO")
    if not any(len(doc) for doc in docs):
        return [np.zeros((0, width), dtype=np.float32) for _ in docs]
    return [np.asarray(model.ops.to_numpy(rows), dtype=np.float32) for rows in model.predict(docs)]
