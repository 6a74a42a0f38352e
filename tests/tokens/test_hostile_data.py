"""Data that nobody vouches for: damaged, forged or oversized bytes cost a ValueError, and change nothing."""

from __future__ import annotations

import random
import subprocess
import sys
import zlib
from typing import Any

import numpy as np
import pytest
import srsly

from ferrule.tokens import Doc, DocBin, Span, SpanGroup
from ferrule.vocab import Vocab

N_FLIPS = 300


def make_doc() -> Doc:
    doc = Doc(
        Vocab(),
        words=["I", "like", "New", "York"],
        spaces=[True, True, True, False],
        tags=list("abcd"),
        heads=[1, 1, 3, 1],
        deps=list("xyzw"),
        ents=["O", "O", "B-GPE", "I-GPE"],
    )
    doc.spans["s"] = [Span(doc, 0, 2, "A"), Span(doc, 1, 4, "B")]
    doc.user_data["key"] = [1, 2]
    doc.tensor = np.ones((4, 2), dtype="float32")
    doc.activations["tagger"] = {"scores": np.ones((4, 3), dtype="float32")}
    return doc


def use(doc: Doc) -> None:
    """Touch everything that a forged value could break."""
    for token in doc:
        _ = (
            token.text,
            token.head.i,
            [t.i for t in token.subtree],
            [t.i for t in token.ancestors],
            token.idx,
        )
    try:
        _ = (doc.ents, list(doc.sents), doc.to_array(["TAG", "MORPH"]), [list(g) for g in doc.spans.values()])
    except ValueError:
        pass  # such as an inside token without a begin, which is said when entities are asked for
    assert sum(len(token.text_with_ws) for token in doc) == len(doc.text)


def flipped(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed[: rng.randint(1, len(changed))] if rng.random() < 0.2 else changed)


def test_flipped_document_bytes_load_or_are_refused() -> None:
    rng, data = random.Random(0), make_doc().to_bytes()
    for _ in range(N_FLIPS):
        doc = Doc(Vocab())
        try:
            doc.from_bytes(flipped(data, rng))
        except ValueError:
            assert len(doc) == 0 and not doc.spans and not doc.user_data
        else:
            use(doc)


def test_flipped_docbin_messages_load_or_are_refused() -> None:
    rng = random.Random(0)
    message = zlib.decompress(DocBin(docs=[make_doc(), make_doc()], store_user_data=True).to_bytes())
    for _ in range(N_FLIPS):
        try:
            docs = list(DocBin().from_bytes(zlib.compress(flipped(message, rng))).get_docs(Vocab()))
        except ValueError:
            continue
        for doc in docs:
            use(doc)


def test_a_damaged_docbin_is_refused_as_a_whole() -> None:
    good = DocBin(docs=[make_doc()])
    data = good.to_bytes()
    for bad in (
        b"",
        b"abc",
        data[:-5],
        data[:50],
        data + b"x",
        zlib.compress(b"\xc1"),
        zlib.compress(b"\x80"),
    ):
        target = DocBin(docs=[make_doc(), make_doc()])
        with pytest.raises(ValueError, match="DocBin"):
            target.from_bytes(bad)
        assert len(target) == 2


def change(data: bytes, **fields: Any) -> bytes:
    message = srsly.msgpack_loads(zlib.decompress(data))
    message.update(fields)
    return zlib.compress(srsly.msgpack_dumps(message))


@pytest.mark.parametrize(
    "fields",
    [
        {"lengths": np.asarray([2**31 - 1], dtype="<i4").tobytes()},
        {"lengths": np.asarray([-1], dtype="<i4").tobytes()},
        {"lengths": b"123"},
        {"tokens": b""},
        {"spaces": b""},
        {"attrs": [75]},
        {"attrs": "TAG"},
        {"attrs": []},
        {"cats": []},
        {"flags": [1]},
        {"strings": [1]},
        {"strings": "abc"},
        {"span_groups": []},
        {"user_data": [1]},
        {"activations": [[]]},
    ],
)
def test_inconsistent_docbins_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"DocBin\.from_bytes"):
        DocBin().from_bytes(change(DocBin(docs=[make_doc()]).to_bytes(), **fields))


def forged_heads(heads: list[int]) -> bytes:
    message = srsly.msgpack_loads(make_doc().to_bytes())
    body = message["array_body"].copy()
    body[:, message["array_head"].index(79)] = np.asarray(heads).astype("uint64")
    message["array_body"] = body
    return srsly.msgpack_dumps(message)


@pytest.mark.parametrize(
    "heads", [[1, -1, 0, 0], [0, 0, 0, 1], [-1, 0, 0, 0], [2**62, 0, 0, 0], [1, 1, 1, -3]]
)
def test_forged_trees_are_refused(heads: list[int]) -> None:
    with pytest.raises(ValueError, match="HEAD"):
        Doc(Vocab()).from_bytes(forged_heads(heads))


@pytest.mark.parametrize("record", [b"", b"x" * 39, (2**63).to_bytes(8, "big") * 5])
def test_forged_span_records_are_refused(record: bytes) -> None:
    doc = make_doc()
    data = srsly.msgpack_dumps({"name": "x", "attrs": {}, "spans": [record]})
    group = SpanGroup(doc, name="old", spans=[doc[0:1]])
    with pytest.raises(ValueError, match="SpanGroup"):
        group.from_bytes(data)
    assert group.name == "old" and len(group) == 1


def test_arrays_of_objects_are_refused() -> None:
    array = {b"nd": True, b"type": "|O", b"kind": b"O", b"shape": [1], b"data": b"\x80\x04K\x01."}
    message = srsly.msgpack_loads(make_doc().to_bytes())
    message["tensor"] = array
    with pytest.raises(ValueError, match=r"object|array"):
        Doc(Vocab()).from_bytes(srsly.msgpack_dumps(message))


# Maps and lists stay below what any message may grow to, so that it is their number that is refused.
BOMBS = {
    "zeros": "zlib.compress(bytes(2_000_000_000), 9)",
    "maps": "zlib.compress(b'\\xdd\\x01\\xff\\xff\\xf0' + b'\\x80' * 0x1FFFFF0, 9)",
    "lists": "zlib.compress(b'\\xdd\\x01\\xff\\xff\\xf0' + b'\\x90' * 0x1FFFFF0, 9)",
    "nested": "zlib.compress(b'\\x91' * 30_000_000, 9)",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_are_refused_in_little_memory(bomb: str) -> None:
    code = f"""
import resource, zlib
from ferrule.tokens import DocBin
data = {BOMBS[bomb]}
used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
import os
now = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
resource.setrlimit(resource.RLIMIT_AS, (now + 600_000_000,) * 2)
try:
    DocBin().from_bytes(data)
except ValueError as error:
    print("refused:", error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.startswith("refused:"), done.stderr[-500:]
