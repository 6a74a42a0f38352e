"""CoNLL-U, the format of Universal Dependencies: https://universaldependencies.org/format.html"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ferrule._typing import PathOrStr
from ferrule.training.converters.sentences import Sentence
from ferrule.training.converters.source import malformed, numbered_lines

__all__ = ["conllu_sentences"]

_CATEGORY = re.compile(r"#\s*category\s*=\s*(.+?)\s*$")
_ENTITY = re.compile(r"(?:NE|NER|name)=([BILUES]-.+|O|-)$")


@dataclass
class _Row:
    line: int
    form: str
    lemma: str
    upos: str
    xpos: str
    feats: str
    head: str
    deprel: str
    misc: str


@dataclass
class _Block:
    """The lines of one sentence."""

    rows: list[_Row]
    ids: dict[str, int]  # the id of a word -> its place in `rows`
    ranges: list[tuple[int, int, _Row]]  # multiword tokens: places from, to (included), and the surface row
    category: str = ""
    starts_document: bool = False


def conllu_sentences(
    path: PathOrStr, *, merge_subtokens: bool = False, append_morphology: bool = False
) -> Iterator[Sentence]:
    """The sentences of a CoNLL-U file (gzip too), streaming.

    Words of a multiword token stand without spaces between them or, with `merge_subtokens`, become one token:
    tags joined by `_`, lemmas by spaces, features united, the rest from the word that governs the others.
    Empty nodes (`8.1`) are left out. `SpaceAfter=No` is kept; `NE=B-X`, `NER=B-X` or `name=B-X` in MISC give
    entities. A comment `# category = x` gives the sentence that category and not the file's others.
    Where XPOS is `_`, the tag is UPOS; with `append_morphology` features are appended to the tag. The
    relation `root` is written `ROOT`, as spaCy has it; other `_` mean: not annotated.

    Raises CorpusError with file and line for anything that is not CoNLL-U.
    """
    categories = _categories(path)
    for block in _blocks(path):
        if merge_subtokens and block.ranges:
            _merge(block)
        sentence = _sentence(path, block, append_morphology)
        if categories:
            sentence.cats = {label: float(label == block.category) for label in categories}
        yield sentence


def _categories(path: PathOrStr) -> list[str]:
    """Every category that a comment of the file names."""
    found = (_CATEGORY.match(line) for _, line in numbered_lines(path) if line.startswith("#"))
    return sorted({match[1] for match in found if match})


def _blocks(path: PathOrStr) -> Iterator[_Block]:
    block = _Block([], {}, [])
    pending: list[tuple[str, _Row]] = []
    number = 0
    for number, line in numbered_lines(path):
        if not line.strip():
            if block.rows:
                yield _with_ranges(path, block, pending)
                block, pending = _Block([], {}, []), []
        elif line.startswith("#"):
            block.starts_document |= line[1:].lstrip().startswith("newdoc")
            if match := _CATEGORY.match(line):
                block.category = match[1]
        else:
            _read_row(path, number, line, block, pending)
    if block.rows:
        yield _with_ranges(path, block, pending)


def _read_row(
    path: PathOrStr, number: int, line: str, block: _Block, pending: list[tuple[str, _Row]]
) -> None:
    columns = line.split("\t")
    if len(columns) != 10:
        raise malformed(
            path, number, f"expected 10 columns with tabs between them, found {len(columns)}: {line[:60]!r}"
        )
    id_, form, lemma, upos, xpos, feats, head, deprel, _, misc = columns
    row = _Row(number, form, lemma, upos, xpos, feats, head, deprel, misc)
    if id_.isdecimal():
        if int(id_) != len(block.rows) + 1:
            raise malformed(path, number, f"expected the word id {len(block.rows) + 1}, found {id_}")
        block.ids[id_] = len(block.rows)
        block.rows.append(row)
    elif re.fullmatch(r"\d+-\d+", id_):
        pending.append((id_, row))
    elif not re.fullmatch(r"\d+\.\d+", id_):
        raise malformed(path, number, f"expected an id such as 3, 3-4 or 3.1, found {id_!r}")


def _with_ranges(path: PathOrStr, block: _Block, pending: list[tuple[str, _Row]]) -> _Block:
    for id_, row in pending:
        first, last = id_.split("-")
        if first not in block.ids or last not in block.ids or block.ids[first] > block.ids[last]:
            raise malformed(path, row.line, f"the multiword token {id_} has no words of those ids")
        block.ranges.append((block.ids[first], block.ids[last], row))
    return block


def _sentence(path: PathOrStr, block: _Block, append_morphology: bool) -> Sentence:
    rows = block.rows
    spaces = ["SpaceAfter=No" not in row.misc.split("|") for row in rows]
    for first, last, surface in block.ranges:
        spaces[first:last] = [False] * (last - first)
        spaces[last] = "SpaceAfter=No" not in surface.misc.split("|")
    tags = [_known(row.xpos) or _known(row.upos) for row in rows]
    if append_morphology:
        tags = [
            f"{tag}__{row.feats}" if _known(row.feats) else tag for tag, row in zip(tags, rows, strict=True)
        ]
    has_heads = any(_known(row.head) for row in rows)
    found = [_entity(row) for row in rows]
    return Sentence(
        words=[row.form for row in rows],
        spaces=spaces,
        tags=tags,
        pos=[_known(row.upos) for row in rows],
        morphs=[_known(row.feats) for row in rows],
        lemmas=[row.lemma if row.form == "_" else _known(row.lemma) for row in rows],
        heads=[_head(path, row, place, block) for place, row in enumerate(rows)] if has_heads else None,
        deps=["ROOT" if row.deprel == "root" else _known(row.deprel) for row in rows] if has_heads else None,
        ents=found if any(tag is not None for tag in found) else None,
        starts_document=block.starts_document,
    )


def _known(value: str) -> str:
    return "" if value == "_" else value


def _head(path: PathOrStr, row: _Row, place: int, block: _Block) -> int:
    if row.head in ("0", "_"):
        return place
    if row.head not in block.ids:
        raise malformed(path, row.line, f"the head is {row.head!r}, which is no word of this sentence")
    return block.ids[row.head]


def _entity(row: _Row) -> str | None:
    for item in row.misc.split("|"):
        if match := _ENTITY.match(item):
            return match.group(1)
    return None


def _merge(block: _Block) -> None:
    """Replace the words of each multiword token by one, and point heads at it."""
    for first, last, surface in sorted(block.ranges, key=lambda found: -found[0]):
        words = block.rows[first : last + 1]
        inside = {id_ for id_, place in block.ids.items() if first <= place <= last}
        governor = next((word for word in words if word.head not in inside), words[0])
        merged = _Row(
            surface.line,
            surface.form,
            " ".join(word.lemma for word in words),
            governor.upos,
            "_".join(word.xpos for word in words),
            _united([word.feats for word in words]),
            governor.head,
            governor.deprel,
            surface.misc,
        )
        block.rows[first : last + 1] = [merged]
        for id_, place in block.ids.items():
            if place > first:
                block.ids[id_] = max(first, place - (last - first))
    block.ranges = []


def _united(feats: list[str]) -> str:
    values: dict[str, set[str]] = {}
    for feat in "|".join(feats).split("|"):
        name, equals, value = feat.partition("=")
        if equals:
            values.setdefault(name, set()).update(value.split(","))
    return "|".join(f"{name}={','.join(sorted(values[name]))}" for name in sorted(values)) or "_"
