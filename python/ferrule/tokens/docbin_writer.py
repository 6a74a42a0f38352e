"""Writing a corpus of any size: documents go to numbered `.spacy` files as they come."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ferrule.tokens.docbin import DocBin

if TYPE_CHECKING:
    from ferrule.tokens.doc import Doc

__all__ = ["DocBinWriter"]


class DocBinWriter:
    """Writes documents to `path` and, each time a file is full, to a further file beside it.

    The files are `corpus.spacy`, `corpus-2.spacy`, `corpus-3.spacy`, …; a `Corpus` on their folder reads them
    one at a time. Memory holds what is kept of the documents of one file. `**settings` go to each `DocBin`
    (`attrs`, `store_user_data`).

    The files get their names when all are whole; until then the names end in `.partial`. Where the `with`
    block raises, old files stay as they were and the partial ones are removed, unless `keep_partial` was
    called.

    ValueError at the end where the next file of this row exists: it is an earlier corpus's, and a reader of
    the folder would take it for part of this one.

    >>> import tempfile
    >>> from ferrule.tokens import Doc
    >>> from ferrule.vocab import Vocab
    >>> doc = Doc(Vocab(), words=["Hello"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with DocBinWriter(Path(folder) / "a.spacy", docs_per_file=2) as writer:
    ...         for _ in range(3):
    ...             writer.add(doc)
    ...     [(path.name, n_docs) for path, n_docs in writer.files]
    [('a.spacy', 2), ('a-2.spacy', 1)]
    """

    def __init__(
        self,
        path: str | Path,
        *,
        docs_per_file: int = 20_000,
        tokens_per_file: int | None = None,
        **settings: Any,
    ) -> None:
        """A file is full with `docs_per_file` documents or `tokens_per_file` tokens. Both at least 1, else
        ValueError.
        """
        for name, bound in (("docs_per_file", docs_per_file), ("tokens_per_file", tokens_per_file)):
            if bound is not None and bound < 1:
                raise ValueError(f"DocBinWriter: {name} is {bound}; expected at least 1")
        self.path = Path(path)
        self.docs_per_file = docs_per_file
        self.tokens_per_file = tokens_per_file
        self.settings = settings
        #: The files written so far, each with its number of documents.
        self.files: list[tuple[Path, int]] = []
        self._keep_partial = False
        self._begin()

    def add(self, doc: Doc) -> None:
        """Take a copy of the document's data, and write a file when it is full."""
        self._waiting.add(doc)
        self._n_tokens += len(doc)
        enough_tokens = self.tokens_per_file is not None and self._n_tokens >= self.tokens_per_file
        if enough_tokens or len(self._waiting) == self.docs_per_file:
            self._write()

    def close(self) -> None:
        """Write what is left and give the files their names; a corpus without documents is one empty file."""
        if len(self._waiting) or not self.files:
            self._write()
        stale = self._next_path()
        if stale.exists():
            raise ValueError(
                f"{stale} is of an earlier corpus; a reader of the folder would take it for the next file "
                f"of {self.path.name}; remove it and those after it"
            )
        for path, _ in self.files:
            os.replace(_partial(path), path)

    def keep_partial(self) -> list[tuple[Path, int]]:
        """Write what is left under names that end in `.partial`, which then stay there. Returns each of them
        with its number of documents.
        """
        if len(self._waiting):
            self._write()
        self._keep_partial = True
        return [(_partial(path), n_docs) for path, n_docs in self.files]

    def __enter__(self) -> DocBinWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.close()
        finally:
            if not self._keep_partial:
                for path, _ in self.files:
                    _partial(path).unlink(missing_ok=True)

    def _next_path(self) -> Path:
        number = len(self.files) + 1
        return self.path if number == 1 else self.path.with_stem(f"{self.path.stem}-{number}")

    def _begin(self) -> None:
        self._waiting = DocBin(**self.settings)
        self._n_tokens = 0

    def _write(self) -> None:
        path = self._next_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._waiting.to_disk(_partial(path))
        self.files.append((path, len(self._waiting)))
        self._begin()


def _partial(path: Path) -> Path:
    return path.with_name(f"{path.name}.partial")
