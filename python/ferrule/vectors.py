"""Word vectors: a row a word, or rows of character n-grams (floret)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import srsly

from ferrule import _core
from ferrule._typing import PathOrStr
from ferrule.attrs import ORTH, intify_attr
from ferrule.registry import registry
from ferrule.strings import StringStore, get_string_id

__all__ = ["Vectors"]

_MODES = ("default", "floret")
_SETTINGS = ("minn", "maxn", "hash_count", "hash_seed", "bow", "eow")


class Vectors:
    """A table of vectors, and which row belongs to which string id (`key2row`).

    data: float array `(rows, width)`; shape: of a table of zeros in its place.
    keys: strings or ids of the first rows, in order.
    mode: `default`, or `floret`, where a word's vector is the mean of the rows that its character n-grams
        from `minn` to `maxn` hash to, `hash_count` (1 to 4) rows each, and nothing can be added.
    attr: the attribute of tokens that keys are values of.

    >>> vectors = Vectors(data=np.eye(2, dtype="float32"), keys=["cat", "dog"])
    >>> vectors["dog"].tolist(), "cow" in vectors, vectors.shape
    ([0.0, 1.0], False, (2, 2))
    """

    def __init__(
        self,
        *,
        strings: StringStore | None = None,
        shape: tuple[int, int] | None = None,
        data: np.ndarray | None = None,
        keys: Iterable[str | int] | None = None,
        name: str | None = None,
        mode: str = "default",
        minn: int = 0,
        maxn: int = 0,
        hash_count: int = 1,
        hash_seed: int = 0,
        bow: str = "<",
        eow: str = ">",
        attr: str | int = ORTH,
    ) -> None:
        self.strings = StringStore() if strings is None else strings
        self.name = name
        self.attr = intify_attr(attr)
        # As in spaCy, rows that are given are taken, also those without a key.
        self._free: list[int] = [] if data is not None else list(range((shape or (0, 0))[0]))[::-1]
        self.data = np.zeros(shape or (0, 0), dtype="float32") if data is None else data
        self.key2row: dict[int, int] = {}
        settings = (mode, minn, maxn, hash_count, hash_seed, bow, eow)
        self.mode, self.minn, self.maxn, self.hash_count, self.hash_seed, self.bow, self.eow = settings
        self._check_settings()
        for row, key in enumerate(keys or ()):
            self.add(key, row=row)

    def _check_settings(self) -> None:
        if self.mode not in _MODES:
            raise ValueError(f"Vectors: expected mode 'default' or 'floret', found {self.mode!r}.")
        if self.data.ndim != 2:
            raise ValueError(f"Vectors: expected data of two dimensions, found shape {self.data.shape}.")
        if self.mode == "floret" and not (1 <= self.minn <= self.maxn and 1 <= self.hash_count <= 4):
            found = f"minn={self.minn}, maxn={self.maxn}, hash_count={self.hash_count}"
            raise ValueError(
                f"Vectors: floret needs 1 <= minn <= maxn and hash_count from 1 to 4, found {found}."
            )

    # -- size

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and width."""
        return self.data.shape[0], self.data.shape[1]

    @property
    def size(self) -> int:
        """Rows times width."""
        return int(self.data.size)

    @property
    def vectors_length(self) -> int:
        """The width."""
        return int(self.data.shape[1])

    @property
    def is_full(self) -> bool:
        """Whether no row is free for another key. Floret tables always are."""
        return self.mode == "floret" or not self._free

    @property
    def n_keys(self) -> int:
        """How many keys there are; -1 for floret, where every string has a vector."""
        return -1 if self.mode == "floret" else len(self.key2row)

    def __len__(self) -> int:
        return len(self.data)

    def __eq__(self, other: object) -> bool:
        """Whether settings, keys and rows are the same, the name aside."""
        if not isinstance(other, Vectors):
            return NotImplemented
        same = self._get_cfg() == other._get_cfg() and self.key2row == other.key2row
        return same and bool(np.array_equal(self.data, other.data))

    # -- look-up

    def __contains__(self, key: str | int) -> bool:
        """Whether the key has a vector; in floret mode every key does where there are rows."""
        return len(self.data) > 0 if self.mode == "floret" else get_string_id(key) in self.key2row

    def __iter__(self) -> Iterator[int]:
        return iter(self.key2row)

    def __getitem__(self, key: str | int) -> np.ndarray:
        """The vector of a key. Raises KeyError where it has none."""
        if self.mode == "floret":
            return self._floret_vector(self.strings.as_string(key))
        row = self.key2row.get(get_string_id(key))
        if row is None:
            raise KeyError(f"Vectors: no vector for {key!r}. Ask with `in` first, or use `Vocab.get_vector`.")
        return self.data[row]

    def __setitem__(self, key: str | int, vector: np.ndarray) -> None:
        """Changes the vector of a key that has one."""
        self._must_be_default("[key] =")
        self.data[self.key2row[get_string_id(key)]] = vector
        self._take(self.key2row[get_string_id(key)])

    def keys(self) -> Iterable[int]:
        """String ids with a vector."""
        return self.key2row.keys()

    def values(self) -> Iterator[np.ndarray]:
        """Vectors of the keys' rows, each row once; in floret mode of all rows."""
        rows = range(len(self.data)) if self.mode == "floret" else sorted(set(self.key2row.values()))
        return (self.data[row] for row in rows)

    def items(self) -> Iterator[tuple[int, np.ndarray]]:
        """String ids with their vectors."""
        return ((key, self.data[row]) for key, row in self.key2row.items())

    def find(
        self,
        *,
        key: str | int | None = None,
        keys: Iterable[str | int] | None = None,
        row: int | None = None,
        rows: Iterable[int] | None = None,
    ) -> Any:
        """The row of one key (-1 for none) or of several (int32), or the keys of one row or several (uint64).

        Raises ValueError in floret mode, and where not exactly one argument is given.
        """
        self._must_be_default("find")
        if sum(given is not None for given in (key, keys, row, rows)) != 1:
            raise ValueError("Vectors.find: expected exactly one of key, keys, row and rows.")
        if key is not None:
            return self.key2row.get(get_string_id(key), -1)
        if keys is not None:
            found = [self.key2row.get(get_string_id(one), -1) for one in keys]
            return np.asarray(found, dtype="int32")
        by_row = {own_row: own_key for own_key, own_row in self.key2row.items()}
        if row is not None:
            return by_row.get(row, -1)
        return np.asarray([by_row[one] for one in rows or () if one in by_row], dtype="uint64")

    def get_batch(self, keys: Sequence[str | int]) -> np.ndarray:
        """Vectors of several keys, `(keys, width)`. A key without a vector gets zeros."""
        batch = np.zeros((len(keys), self.vectors_length), dtype=self.data.dtype)
        for at, key in enumerate(keys):
            if key in self:
                batch[at] = self[key]
        return batch

    # -- change

    def add(self, key: str | int, *, vector: np.ndarray | None = None, row: int | None = None) -> int:
        """Gives a key a row, the given one or the next free one, and the row a vector; returns the row, or -1
        in floret mode, which changes nothing.

        Raises ValueError where no row is free or the given one is out of range.
        """
        if self.mode == "floret":
            return -1
        key = self.strings.add(key) if isinstance(key, str) else int(key)
        if row is None:
            row = self.key2row.get(key)
        if row is None:
            if not self._free:
                raise ValueError(f"Vectors.add: all {len(self.data)} rows are taken. Call resize first.")
            row = self._free[-1]
        elif not 0 <= row < len(self.data):
            raise ValueError(f"Vectors.add: expected a row from 0 to {len(self.data) - 1}, found {row}.")
        if vector is not None:
            self.data[row] = vector
        self.key2row[key] = row
        self._take(row)
        return row

    def _take(self, row: int) -> None:
        if self._free and self._free[-1] == row:
            self._free.pop()
        elif row in self._free:
            self._free.remove(row)

    def clear(self) -> None:
        """Forgets all keys; rows stay as they are."""
        self._must_be_default("clear")
        self.key2row = {}
        self._free = list(range(len(self.data)))[::-1]

    def resize(self, shape: tuple[int, int], inplace: bool = False) -> list[tuple[int, int]]:
        """Gives the table another size, new rows as zeros; returns keys that lost their row, with the row."""
        self._must_be_default("resize")
        resized = np.zeros(shape, dtype=self.data.dtype)
        rows, width = min(shape[0], len(self.data)), min(shape[1], self.vectors_length)
        resized[:rows, :width] = self.data[:rows, :width]
        self.data = resized
        lost = [(key, row) for key, row in self.key2row.items() if row >= shape[0]]
        for key, _ in lost:
            del self.key2row[key]
        taken = set(self.key2row.values())
        self._free = [row for row in range(shape[0]) if row not in taken][::-1]
        return lost

    def _must_be_default(self, what: str) -> None:
        if self.mode == "floret":
            raise ValueError(
                f"Vectors.{what}: a floret table cannot do this; look vectors up with vectors[key]."
            )

    # -- floret

    def _get_ngrams(self, word: str) -> list[str]:
        word = f"{self.bow}{word}{self.eow}"
        grams = [
            word[start : start + length]
            for length in range(self.minn, self.maxn + 1)
            for start in range(len(word) - length + 1)
        ]
        return [word, *grams]

    def _get_ngram_hashes(self, ngram: str) -> list[int]:
        return list(_core.murmur_hash_3_128(ngram, self.hash_seed))[: self.hash_count]

    def _floret_vector(self, word: str) -> np.ndarray:
        rows = [
            number % len(self.data)
            for gram in self._get_ngrams(word)
            for number in self._get_ngram_hashes(gram)
        ]
        mean: np.ndarray = self.data[rows].mean(axis=0, dtype=self.data.dtype)
        return mean

    # -- nearest

    def most_similar(
        self, queries: np.ndarray, *, batch_size: int = 1024, n: int = 1, sort: bool = True
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The keys of the n rows nearest each query by cosine: keys (uint64), rows (int32) and scores, each
        `(queries, n)`, the nearest first.

        Raises ValueError in floret mode.
        """
        self._must_be_default("most_similar")
        by_row = {row: key for key, row in self.key2row.items()}
        rows = np.asarray(sorted(by_row), dtype="int32")
        n = min(n, len(rows))
        table = _unit(self.data[rows])
        best_rows, best_scores = [], []
        for start in range(0, len(queries), batch_size):
            scores = _unit(queries[start : start + batch_size]) @ table.T
            best = np.argsort(-scores, axis=1, kind="stable")[:, :n]
            best_rows.append(rows[best])
            best_scores.append(np.take_along_axis(scores, best, axis=1))
        found = np.vstack(best_rows) if best_rows else np.zeros((0, n), dtype="int32")
        scores = np.vstack(best_scores) if best_scores else np.zeros((0, n), dtype="float32")
        keys = np.asarray([[by_row[int(row)] for row in line] for line in found], dtype="uint64").reshape(
            found.shape
        )
        return keys, found, np.clip(np.around(scores, decimals=4), -1, 1)

    # -- whole tables

    def _get_cfg(self) -> dict[str, Any]:
        settings = {name: getattr(self, name) for name in _SETTINGS} if self.mode == "floret" else {}
        return {"mode": self.mode, **settings}

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """The table as the bytes spaCy writes; `exclude`: `strings`, `vectors`, `key2row`, `vectors.cfg`."""
        parts: dict[str, Callable[[], Any]] = {
            "strings": lambda: self.strings.to_bytes().decode("utf8"),
            "key2row": lambda: srsly.msgpack_dumps(self.key2row),
            "vectors": lambda: srsly.msgpack_dumps(self.data),
            "vectors.cfg": lambda: srsly.json_dumps(self._get_cfg()),
        }
        data: bytes = srsly.msgpack_dumps(
            {name: part() for name, part in parts.items() if name not in set(exclude)}
        )
        return data

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> Vectors:
        """Takes a saved table in place of its own and returns itself; nothing is changed on an error.

        Raises ValueError where the parts do not fit together.
        """
        message = srsly.msgpack_loads(data)
        if not isinstance(message, dict):
            raise ValueError(f"Vectors.from_bytes: expected a saved table, found a {type(message).__name__}.")
        parts = {name: part for name, part in message.items() if name not in set(exclude)}
        strings = parts.get("strings")
        self._take_over(
            cfg=srsly.json_loads(parts["vectors.cfg"]) if "vectors.cfg" in parts else {},
            data=srsly.msgpack_loads(parts["vectors"]) if "vectors" in parts else self.data,
            key2row=srsly.msgpack_loads(parts["key2row"]) if "key2row" in parts else {},
        )
        if strings:
            self.strings.from_bytes(strings.encode("utf8") if isinstance(strings, str) else strings)
        return self

    def to_disk(self, path: PathOrStr, *, exclude: Iterable[str] = ()) -> None:
        """Writes `vectors`, `key2row`, `vectors.cfg` and `strings.json` to a folder, as spaCy does."""
        folder, excluded = Path(path), set(exclude)
        folder.mkdir(parents=True, exist_ok=True)
        if "strings" not in excluded:
            self.strings.to_disk(folder / "strings.json")
        if "vectors" not in excluded:
            buffer = BytesIO()
            np.save(buffer, self.data, allow_pickle=False)
            (folder / "vectors").write_bytes(buffer.getvalue())
        if "key2row" not in excluded:
            (folder / "key2row").write_bytes(srsly.msgpack_dumps(self.key2row))
        if "vectors.cfg" not in excluded:
            srsly.write_json(folder / "vectors.cfg", self._get_cfg())

    def from_disk(self, path: PathOrStr, *, exclude: Iterable[str] = ()) -> Vectors:
        """Takes the table of a folder that `to_disk` wrote, ours or spaCy's, and returns itself.

        Missing files leave their part as it is. Raises ValueError where parts do not fit together; nothing
        is changed then. Pickled arrays are refused.
        """
        folder, excluded = Path(path), set(exclude)
        present = {
            name: folder / name
            for name in ("vectors.cfg", "vectors", "key2row")
            if name not in excluded and (folder / name).exists()
        }
        cfg = srsly.read_json(present["vectors.cfg"]) if "vectors.cfg" in present else {}
        data = np.load(present["vectors"], allow_pickle=False) if "vectors" in present else self.data
        key2row = srsly.msgpack_loads(present["key2row"].read_bytes()) if "key2row" in present else {}
        self._take_over(cfg=cfg, data=data, key2row=key2row)
        if "strings" not in excluded and (folder / "strings.json").exists():
            self.strings.from_disk(folder / "strings.json")
        return self

    def _take_over(self, *, cfg: dict[str, Any], data: np.ndarray, key2row: dict[int, int]) -> None:
        settings = {name: cfg[name] for name in _SETTINGS if name in cfg}
        loaded = Vectors(data=np.array(data), mode=cfg.get("mode", "default"), **settings)
        for key, row in key2row.items():
            if row != -1 and not 0 <= row < len(data):
                raise ValueError(
                    f"Vectors: the saved key {key} has row {row}, but there are {len(data)} rows."
                )
        loaded.key2row = {key: row for key, row in key2row.items() if row != -1}
        taken = set(loaded.key2row.values())
        loaded._free = [row for row in range(len(data)) if row not in taken][::-1]
        kept = {"strings": self.strings, "name": self.name, "attr": self.attr}
        self.__dict__.update({**loaded.__dict__, **kept})

    def to_ops(self, ops: Any) -> None:
        """Moves the table to the arrays of a thinc backend."""
        self.data = ops.asarray(self.data)


def _unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    lengths[lengths == 0] = 1
    scaled: np.ndarray = rows / lengths
    return scaled


@registry.vectors("spacy.Vectors.v1")
def create_vectors() -> Callable[[Any], Vectors]:
    """A function that makes the empty table of a vocabulary."""
    return lambda vocab: Vectors(strings=vocab.strings)
