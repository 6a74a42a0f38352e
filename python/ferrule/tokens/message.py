"""Reading msgpack that nobody vouches for: bounded, and without objects that run code."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from srsly import msgpack

__all__ = ["inflate", "unpack", "unpack_any"]

#: A compressed message may grow to this many bytes whatever its size ...
FREE_BYTES = 2**25
#: ... and to this many times its size beyond; documents with annotation reach about 40.
MAX_EXPANSION = 100
#: Dicts and lists in a message: this many, and one for each 16 bytes of it.
FREE_CONTAINERS = 100_000

# What an array may be made of: numbers, booleans, text; never objects.
_KINDS = frozenset("biufcSU")


def inflate(data: bytes, what: str, *, max_expansion: int = MAX_EXPANSION) -> bytes:
    """The bytes that zlib compressed to `data`; ValueError where they are too many or the data is damaged."""
    limit = max(FREE_BYTES, max_expansion * len(data))
    decompressor = zlib.decompressobj()
    try:
        message = decompressor.decompress(data, limit)
    except zlib.error as error:
        raise ValueError(f"{what}: the data is not compressed as expected, or damaged ({error})") from error
    if decompressor.unconsumed_tail:
        raise ValueError(
            f"{what}: {len(data)} bytes decompress to more than the limit of {limit}; if you trust them, "
            "raise max_expansion"
        )
    if not decompressor.eof:
        raise ValueError(f"{what}: the data is cut short")
    if decompressor.unused_data:
        raise ValueError(f"{what}: {len(decompressor.unused_data)} bytes follow the end of the data")
    return message


def unpack_any(data: bytes, what: str, *, use_list: bool = True) -> Any:
    """The msgpack message in `data`, its NumPy arrays included; ValueError where it is malformed.

    Lengths that the message declares are bounded by its own size, and so is the number of dicts and lists.
    `use_list=False` gives tuples for lists.
    """
    if not isinstance(data, bytes):
        raise TypeError(f"{what}: expected bytes, found {type(data).__name__}")
    left = FREE_CONTAINERS + len(data) // 16

    def spend() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise ValueError(f"{what}: more dicts and lists than a message of {len(data)} bytes may have")

    def make_dict(pairs: list[tuple[Any, Any]]) -> Any:
        spend()
        return _decode_array(dict(pairs))

    def make_list(items: Any) -> Any:
        spend()
        return items

    try:
        return msgpack.unpackb(
            data,
            raw=False,
            use_list=use_list,
            strict_map_key=False,
            object_pairs_hook=make_dict,
            list_hook=make_list,
        )
    except (ValueError, TypeError, LookupError, RecursionError, msgpack.UnpackException) as error:
        raise ValueError(f"{what}: the bytes are no message that to_bytes gave ({error})") from error


def unpack(data: bytes, what: str) -> dict[str, Any]:
    """The same for a message that must be a dict."""
    message = unpack_any(data, what)
    if not isinstance(message, dict):
        raise ValueError(f"{what}: expected a message with fields, found {type(message).__name__}")
    return message


def _decode_array(record: dict[Any, Any]) -> Any:
    """A NumPy array or scalar from srsly's record of it; other dicts as they are. Objects are refused."""
    if b"nd" not in record:
        return record
    dtype = np.dtype(record.get(b"type"))
    if dtype.kind not in _KINDS or record.get(b"kind", b"") != b"":
        raise ValueError(f"an array of dtype {dtype}; only arrays of numbers or text are read")
    values = np.frombuffer(record[b"data"], dtype=dtype) if record[b"data"] else np.zeros(0, dtype)
    if not record[b"nd"]:
        return values[0]
    return values.reshape(record[b"shape"])
