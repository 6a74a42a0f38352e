"""Who a student learns from: a saved pipeline, or functions that score documents."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ferrule.errors import ConfigError
from ferrule.pipeline.teacher_rows import TeacherRows
from ferrule.pipeline.trainable_pipe import TrainablePipe
from ferrule.registry import registry

if TYPE_CHECKING:
    from ferrule._typing import PathOrStr

__all__ = ["ScoringFunction", "Teacher", "load_teacher"]

_SPACY = "spacy:"


class Teacher:
    """What teaches, by the name of its component, and a hash of everything its scores depend on.

    pipes: components, or anything with a method ``teacher_rows``. pipeline: the pipeline they belong to, if
    they do; it stays as it is.
    """

    def __init__(self, pipes: Mapping[str, Any], fingerprint: str, pipeline: Any = None) -> None:
        self.pipes = dict(pipes)
        self.fingerprint = fingerprint
        self.pipeline = pipeline

    def label_data(self, name: str) -> Any:
        """What ``initialize(labels=…)`` of a student of the component `name` takes; None if there is none."""
        return getattr(self.pipes.get(name), "label_data", None) or None

    def gives_rows(self, name: str) -> bool:
        """Whether the component `name` can say what it teaches as arrays, which can be kept."""
        pipe = self.pipes.get(name)
        method = getattr(type(pipe), "teacher_rows", None)
        return method is not None and method is not TrainablePipe.teacher_rows

    def teach(self, names: Iterable[str], docs: Iterable[Any]) -> dict[str, TeacherRows]:
        """What the components `names` say of `docs`, which stay as they are; only words and spaces are read.

        A pipeline sees documents of its own vocabulary, which its encoders have run over.
        """
        docs = [
            type(doc)(
                doc.vocab if self.pipeline is None else self.pipeline.vocab,
                words=[token.text for token in doc],
                spaces=[bool(token.whitespace_) for token in doc],
            )
            for doc in docs
        ]
        for _, pipe in self.pipeline.pipeline if self.pipeline is not None else ():
            if getattr(pipe, "listening_components", None):
                pipe.set_annotations(docs, pipe.predict(docs))
        return {name: self.pipes[name].teacher_rows(docs) for name in names}


class ScoringFunction:
    """A function that scores documents, as a teacher of one component.

    labels: what its columns stand for. score: called with a list of documents, gives for each one float
    scores (n_tokens, n_labels) for `tagger` and `ner`, (n_labels,) for `textcat`: probabilities, whose rows
    sum to 1; for `ner` any scores of the actions, such as logits or logarithms. The documents are read only.

    >>> import numpy as np
    >>> teacher = ScoringFunction(["NN", "VB"], lambda docs: [np.full((len(doc), 2), 0.5) for doc in docs])
    >>> teacher.teacher_rows([["a", "b"]]).rows[0].tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """

    def __init__(self, labels: Iterable[str], score: Callable[[list[Any]], Iterable[Any]]) -> None:
        self.labels = tuple(labels)
        self.score = score

    @property
    def label_data(self) -> tuple[str, ...]:
        """The labels, as a student is initialized with."""
        return self.labels

    def teacher_rows(self, docs: Iterable[Any]) -> TeacherRows:
        """The scores of `docs`. Raises ValueError for another number or shape of arrays than it takes."""
        docs = list(docs)
        rows = [np.asarray(block, dtype=np.float32) for block in self.score(docs)]
        if len(rows) != len(docs):
            raise ValueError(
                f"the scoring function gave {len(rows)} arrays for {len(docs)} documents; expected one each"
            )
        rows = [block[np.newaxis] if block.ndim == 1 else block for block in rows]
        for doc, block in zip(docs, rows, strict=True):
            if block.ndim != 2 or block.shape[1] != len(self.labels) or len(block) not in (1, len(doc)):
                raise ValueError(
                    f"the scoring function gave an array of shape {block.shape} for a document of {len(doc)} "
                    f"tokens; expected ({len(doc)}, {len(self.labels)}), a row a token and a column a label, "
                    f"or ({len(self.labels)},) for the whole document"
                )
            if not np.isfinite(block).all():
                raise ValueError("the scoring function gave scores that are not finite")
        return TeacherRows(self.labels, rows)


def load_teacher(source: PathOrStr, code: PathOrStr | None = None) -> Teacher:
    """The teacher that `source` names: the folder of a saved pipeline, or a function registered as one.

    A folder may be Ferrule's or spaCy's. ``spacy:NAME`` is a folder or package that spaCy runs itself,
    whatever is in it; its tokens may be others (`ferrule.interop.spacy.spacy_teachers`). A function is
    registered in ``registry.misc``; called without arguments it gives a mapping of component names to objects
    with a method ``teacher_rows`` such as `ScoringFunction`. `code` is the file it stands in, which its
    fingerprint covers.

    Raises ConfigError where there is neither, TypeError if the function gives something else.
    """
    folder = Path(source)
    if folder.is_dir():
        import ferrule

        nlp = ferrule.load(folder)
        return Teacher(dict(nlp.pipeline), _folder_hash(folder), nlp)
    name = str(source)
    if name.startswith(_SPACY):
        there = name.removeprefix(_SPACY)
        taught = registry.misc.get("ferrule.teacher.spacy.v1")(there)
        is_folder = Path(there).is_dir()
        return Teacher(taught, _folder_hash(Path(there)) if is_folder else _hash_of_labels(name, taught))
    if name not in registry.misc:
        raise ConfigError(
            f"{name}: no teacher of that name; expected the folder of a saved pipeline, or a function "
            "registered with @ferrule.registry.misc in the file that --code names"
        )
    pipes = registry.misc.get(name)()
    if not isinstance(pipes, Mapping) or not all(hasattr(pipe, "teacher_rows") for pipe in pipes.values()):
        raise TypeError(
            f"the function {name!r} must give a mapping of component names to teachers such as "
            f"ferrule.training.teachers.ScoringFunction, found {type(pipes).__name__}"
        )
    fingerprint = _hash_of_labels(name, pipes)
    if code is not None:
        fingerprint = hashlib.sha256(fingerprint.encode() + Path(code).read_bytes()).hexdigest()
    return Teacher(pipes, fingerprint)


def _hash_of_labels(name: str, pipes: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(name.encode())
    for key, pipe in pipes.items():
        digest.update(f"\0{key}\0{list(getattr(pipe, 'labels', ()))}".encode())
    return digest.hexdigest()


def _folder_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(folder).as_posix()}\0".encode())
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
