"""A teacher's scores for a corpus, computed once, kept in a folder and mapped into memory from there.

Scores are found by the words of a document, so their order does not matter. The folder holds, for each
component, `N.rows` (float32, little-endian) and `N.starts` (int64, where each document's rows begin), and for
all `words` (16 bytes of hash a document, sorted) and `scores.json`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from ferrule.errors import FerruleError
from ferrule.pipeline.teacher_rows import TeacherRows
from ferrule.storage import reading, saving

if TYPE_CHECKING:
    from ferrule._typing import PathOrStr
    from ferrule.training.teachers import Teacher

__all__ = ["KeptScores", "StaleScoresError", "keep_scores", "load_scores", "words_hash"]

FORMAT = 1
KEY = np.dtype("V16")
T = TypeVar("T")


class StaleScoresError(FerruleError, ValueError):
    """Kept scores are those of another teacher or corpus."""


class KeptScores:
    """The kept scores of one component, as a teacher of it.

    keys: V16 (n_docs,), hashes of words. starts: int64 (n_docs, 2), the first row of each document and the
    one behind its last. rows: float32 (n_rows, n_labels), mapped from the disk.
    """

    def __init__(
        self,
        labels: tuple[str, ...],
        keys: npt.NDArray[Any],
        starts: npt.NDArray[np.int64],
        rows: npt.NDArray[np.float32],
        *,
        name: str,
    ) -> None:
        self.labels = labels
        self.name = name
        self._places = {key.tobytes(): place for place, key in enumerate(keys)}
        self._starts = starts
        self._rows = rows

    def teacher_rows(self, docs: Iterable[Any]) -> TeacherRows:
        """The scores of `docs`. Raises StaleScoresError for a document that the corpus did not have."""
        found = []
        for doc in docs:
            place = self._places.get(words_hash(doc))
            if place is None:
                raise StaleScoresError(
                    f"there are no kept scores of {self.name!r} for the document {doc.text[:40]!r}: the "
                    "corpus gives other documents than when they were computed. An augmenter makes new ones "
                    "each time; leave it out, or train without kept scores."
                )
            first, end = self._starts[place]
            found.append(np.asarray(self._rows[first:end]))
        return TeacherRows(self.labels, found)


def words_hash(doc: Any) -> bytes:
    """16 bytes that stand for the words and spaces of `doc`."""
    digest = hashlib.blake2b(digest_size=16)
    for token in doc:
        digest.update(token.text_with_ws.encode() + b"\0")
    return digest.digest()


def keep_scores(
    folder: PathOrStr,
    teacher: Teacher,
    names: Sequence[str],
    docs: Callable[[], Iterable[Any]],
    *,
    batch_size: int = 256,
    progress: Callable[[int], None] | None = None,
) -> dict[str, KeptScores]:
    """Compute what `teacher` says of `docs`, keep it in `folder`, and give it back by component.

    names: components of the teacher. docs: a function that gives the documents; those with equal words are
    scored once. progress: called with the number of documents done. The folder is whole or absent. Raises
    StaleScoresError if there is a folder of that name, unless it holds scores.
    """
    target = Path(folder)
    if target.exists() and not (target / "scores.json").is_file():
        raise StaleScoresError(f"{target} is there and holds no kept scores; name another folder")
    corpus = hashlib.sha256()
    keys: dict[bytes, int] = {}
    lengths: dict[str, list[int]] = {name: [] for name in names}
    labels: dict[str, tuple[str, ...]] = {}
    with saving(target) as staged:
        files = [(staged / f"{number}.rows").open("wb") for number in range(len(names))]
        try:
            for batch in _batches(_new(docs(), keys, corpus), batch_size):
                for (name, taught), file in zip(teacher.teach(names, batch).items(), files, strict=True):
                    labels[name] = tuple(taught.labels)
                    lengths[name] += [len(block) for block in taught.rows]
                    for block in taught.rows:
                        file.write(np.ascontiguousarray(block, dtype="<f4").tobytes())
                if progress is not None:
                    progress(len(keys))
        finally:
            for file in files:
                file.close()
        order = sorted(range(len(keys)), key=list(keys).__getitem__)
        hashes = np.frombuffer(b"".join(keys), dtype=KEY)
        (staged / "words").write_bytes(hashes[order].tobytes())
        for number, name in enumerate(names):
            ends = np.cumsum(np.asarray(lengths[name], dtype="<i8"))
            starts = np.stack([np.concatenate([[0], ends[:-1]]), ends], axis=1) if len(ends) else _none()
            (staged / f"{number}.starts").write_bytes(starts[order].astype("<i8").tobytes())
        facts = {
            "format": FORMAT,
            "teacher": teacher.fingerprint,
            "corpus": corpus.hexdigest(),
            "components": [{"name": name, "labels": labels.get(name, ())} for name in names],
        }
        (staged / "scores.json").write_text(json.dumps(facts, indent=2), encoding="utf8")
    return _open(target)


def load_scores(
    folder: PathOrStr, teacher: Teacher, names: Sequence[str], docs: Callable[[], Iterable[Any]]
) -> dict[str, KeptScores]:
    """The scores kept in `folder`, for exactly this teacher and this corpus.

    Raises StaleScoresError where they are of another teacher, corpus or set of components, FileNotFoundError
    where there are none, CorruptedFileError for a damaged file.
    """

    def read(source: Path) -> dict[str, KeptScores]:
        facts = json.loads((source / "scores.json").read_text(encoding="utf8"))
        remedy = "Remove the folder to compute them again, or name another one."
        if facts.get("format") != FORMAT:
            raise StaleScoresError(f"{folder}: scores of another format, {facts.get('format')!r}. {remedy}")
        if facts["teacher"] != teacher.fingerprint:
            raise StaleScoresError(f"{folder} holds the scores of another teacher. {remedy}")
        missing = sorted(set(names) - {each["name"] for each in facts["components"]})
        if missing:
            raise StaleScoresError(f"{folder} holds no scores of {', '.join(missing)}. {remedy}")
        corpus = hashlib.sha256()
        for _ in _new(docs(), {}, corpus):
            pass
        if facts["corpus"] != corpus.hexdigest():
            raise StaleScoresError(f"{folder} holds the scores of another corpus. {remedy}")
        return _open(source)

    return reading(folder, read)


def _open(folder: Path) -> dict[str, KeptScores]:
    facts = json.loads((folder / "scores.json").read_text(encoding="utf8"))
    keys = np.frombuffer((folder / "words").read_bytes(), dtype=KEY)
    found = {}
    for number, each in enumerate(facts["components"]):
        starts = np.frombuffer((folder / f"{number}.starts").read_bytes(), dtype="<i8").reshape(-1, 2)
        width = max(1, len(each["labels"]))
        path = folder / f"{number}.rows"
        rows: Any = np.zeros((0, width), np.float32)
        if path.stat().st_size:
            rows = np.memmap(path, dtype="<f4", mode="r").reshape(-1, width)
        found[each["name"]] = KeptScores(tuple(each["labels"]), keys, starts, rows, name=each["name"])
    return found


def _new(docs: Iterable[Any], keys: dict[bytes, int], corpus: Any) -> Iterator[Any]:
    """The documents whose words are new; `keys` gets their hashes, `corpus` those of all."""
    for doc in docs:
        key = words_hash(doc)
        corpus.update(key)
        if key not in keys:
            keys[key] = len(keys)
            yield doc


def _batches(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while batch := list(islice(items, size)):
        yield batch


def _none() -> npt.NDArray[np.int64]:
    return np.zeros((0, 2), dtype="<i8")
