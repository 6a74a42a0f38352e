"""Components that Ferrule does not have, run by spaCy as parts of a Ferrule pipeline."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import spacy
import spacy.language
import spacy.training
import spacy.util

from ferrule._typing import Scores
from ferrule.errors import ConfigError, SerializationError
from ferrule.interop.spacy.documents import copy_annotations, to_spacy
from ferrule.language.assembly import ForeignPart
from ferrule.pipeline import Pipe
from ferrule.pipeline.factories import FactoryMeta
from ferrule.pipeline.streams import annotated, batches
from ferrule.registry import registry

__all__ = ["ForeignComponent", "SavedForeignComponent", "foreign_parts"]


class Room:
    """The spaCy pipeline that foreign components live in, which one thread at a time may use.

    settings: those of each component, its factory among them, with all variables replaced. The pipeline's own
    config cannot do that, for they may refer to components that are not in it.
    """

    def __init__(self, nlp: spacy.language.Language, settings: Mapping[str, Mapping[str, Any]]) -> None:
        self.nlp = nlp
        self.settings = settings
        self.lock = threading.RLock()

    def __getstate__(self) -> dict[str, Any]:
        return {"nlp": self.nlp, "settings": self.settings}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["nlp"], state["settings"])  # type: ignore[misc]


class ForeignComponent(Pipe):
    """A spaCy component as a part of a Ferrule pipeline.

    Each document is made a spaCy document, run through the component, and gets everything back that it is
    afterwards: annotations, tokens too where the component merges or splits some. The component cannot be
    trained here. spaCy holds the interpreter while it works, so further threads do not make it faster.
    """

    def __init__(self, room: Room, name: str) -> None:
        self.name = name
        self.room = room
        self.component: Any = room.nlp.get_pipe(name)

    def __call__(self, doc: Any) -> Any:
        """Annotate one document in place and return it; errors are handled as in `TrainablePipe`."""
        try:
            self._annotate([doc])
        except Exception as error:
            self._handle_error([doc], error)
            return None
        return doc

    def pipe(self, stream: Iterable[Any], *, batch_size: int = 128) -> Iterator[Any]:
        """Annotated documents, in order; as `TrainablePipe.pipe`."""
        for docs in batches(stream, batch_size, owner=self._label("pipe")):
            yield from annotated(docs, self._annotate, self._handle_error)

    def _annotate(self, docs: list[Any]) -> list[Any]:
        with self.room.lock:
            theirs = [to_spacy(doc, self.room.nlp.vocab) for doc in docs]
            if hasattr(self.component, "pipe"):
                done = list(self.component.pipe(theirs, batch_size=len(theirs)))
            else:
                done = [self.component(doc) for doc in theirs]
            if len(done) != len(docs):
                raise ValueError(f"{self._label()}: spaCy gave back {len(done)} of {len(docs)} documents")
            for their_doc, doc in zip(done, docs, strict=True):
                copy_annotations(their_doc, doc)
        return docs

    def score(self, examples: Iterable[Any], **kwargs: Any) -> Scores:
        """What the spaCy component says of `examples`; empty if it has no scores."""
        if not hasattr(self.component, "score"):
            return {}
        vocab = self.room.nlp.vocab
        with self.room.lock:
            theirs = [
                spacy.training.Example(to_spacy(example.predicted, vocab), to_spacy(example.reference, vocab))
                for example in examples
            ]
            return dict(self.component.score(theirs, **kwargs))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the component may assign."""
        return tuple(getattr(self.component, "labels", None) or ())

    @property
    def hide_labels(self) -> bool:
        """Whether the labels are internal."""
        return bool(getattr(self.component, "hide_labels", False))


class SavedForeignComponent(ForeignComponent):
    """A foreign component that has something to save, in spaCy's own form."""

    def to_disk(self, path: Any, *, exclude: Iterable[str] = ()) -> None:
        """Let the component write its folder."""
        with self.room.lock:
            self.component.to_disk(path, exclude=list(exclude))

    def from_disk(self, path: Any, *, exclude: Iterable[str] = ()) -> SavedForeignComponent:
        """Let a new component read its folder and take the place of the old one, if it can read it."""
        return self._load("from_disk", path, exclude, str(path))

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """What the component gives as its bytes."""
        with self.room.lock:
            data: bytes = self.component.to_bytes(exclude=list(exclude))
        return data

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> SavedForeignComponent:
        """Let a new component read the bytes and take the place of the old one, if it can read them."""
        return self._load("from_bytes", bytes_data, exclude, "bytes")

    def _load(self, method: str, source: Any, exclude: Iterable[str], where: str) -> SavedForeignComponent:
        with self.room.lock:
            settings = dict(self.room.settings[self.name])
            factory = settings.pop("factory")
            fresh = self.room.nlp.create_pipe(factory, self.name, config=settings)
            try:
                getattr(fresh, method)(source, exclude=list(exclude))
            except Exception as error:  # whatever spaCy says of this data
                raise SerializationError(
                    f"{self._label(method)}: spaCy cannot read the component from {where}: {error}"
                ) from error
            self.component = fresh
        return self


@registry.misc("ferrule.foreign.spacy.v1")
def foreign_parts(
    folder: Path, names: list[str], all_names: list[str], overrides: Mapping[str, Any]
) -> dict[str, ForeignPart]:
    """The components `names` of a saved pipeline, loaded by spaCy; the others, of `all_names`, are left out.

    overrides: settings to change in the config. Raises ConfigError if spaCy cannot load them.
    """
    others = [name for name in all_names if name not in names]
    try:
        nlp = spacy.load(folder, exclude=[*others, "tokenizer"], config=dict(overrides))
        config = spacy.util.load_config(folder / "config.cfg", dict(overrides), interpolate=True)
    except Exception as error:  # whatever spaCy says of this folder
        raise ConfigError(f"{folder}: spaCy cannot load {', '.join(names)}: {error}") from error
    room = Room(nlp, {name: config["components"][name] for name in names})
    return {name: ForeignPart(_component(room, name), _meta(nlp, name)) for name in names}


def _component(room: Room, name: str) -> ForeignComponent:
    saved = hasattr(room.nlp.get_pipe(name), "to_disk")
    return (SavedForeignComponent if saved else ForeignComponent)(room, name)


def _meta(nlp: spacy.language.Language, name: str) -> FactoryMeta:
    theirs = nlp.get_pipe_meta(name)
    return FactoryMeta(
        factory=theirs.factory,
        default_config=dict(theirs.default_config),
        assigns=tuple(theirs.assigns),
        requires=tuple(theirs.requires),
        retokenizes=theirs.retokenizes,
        scores=tuple(theirs.scores),
        default_score_weights=dict(theirs.default_score_weights),
    )
