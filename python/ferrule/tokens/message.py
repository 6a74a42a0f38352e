"""Reading msgpack that nobody vouches for: bounded, without objects that run code."""

from __future__ import annotations

from typing import Any

import numpy as np
from srsly import msgpack

__all__ = ["decode_array", "unpack", "unpack_any"]

#: No message may be longer, in bytes.
MAX_MESSAGE = 2**31 - 1
#: What an array may be made of: numbers and booleans, never objects.
_KINDS = frozenset("biufc")


def unpack_any(data: bytes, what: str) -> Any:
    """The msgpack message in `data`, with its NumPy arrays; ValueError where it is malformed.

    Lengths that the message declares are bounded by its own size, so a forged one cannot claim memory.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"{what}.from_bytes: expected bytes, found {type(data).__name__}")
    size = len(data)
    if size > MAX_MESSAGE:
        raise ValueError(f"{what}.from_bytes: a message of {size} bytes is over the limit of {MAX_MESSAGE}")
    try:
        unpacker = msgpack._Unpacker(
            raw=False,
            use_list=True,
            strict_map_key=False,
            object_hook=decode_array,
            max_buffer_size=max(size, 1),
            max_str_len=size,
            max_bin_len=size,
            max_array_len=size,
            max_map_len=size,
            max_ext_len=size,
        )
        unpacker.feed(data)
        message = unpacker.unpack()
        rest = unpacker.tell() - size
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(f"{what}.from_bytes: the bytes are no msgpack message ({error})") from error
    if rest:
        raise ValueError(
            f"{what}.from_bytes: {-rest} bytes follow the message; the data is not what to_bytes gave"
        )
    return message


def unpack(data: bytes, what: str) -> dict[str, Any]:
    """The same for a message that must be a dict."""
    message = unpack_any(data, what)
    if not isinstance(message, dict):
        raise ValueError(f"{what}.from_bytes: expected a message with fields, found {type(message).__name__}")
    return message


def decode_array(record: dict[Any, Any]) -> Any:
    """A NumPy array from srsly's record of it; other dicts as they are. Arrays of objects are refused."""
    if not ("nd" in record or b"nd" in record):
        return record
    fields = {key.decode() if isinstance(key, bytes) else key: value for key, value in record.items()}
    if fields.get("nd") not in (True, False) or "data" not in fields:
        return record
    kind, shape = fields.get("type"), fields.get("shape", ())
    if not isinstance(kind, str) or fields.get("kind") not in (None, "", b""):
        raise ValueError("msgpack: an array of objects or records; only arrays of numbers are read")
    try:
        dtype = np.dtype(kind)
    except TypeError as error:
        raise ValueError(f"msgpack: {kind!r} is no dtype") from error
    if dtype.kind not in _KINDS or not isinstance(fields["data"], bytes):
        raise ValueError(f"msgpack: an array of dtype {kind!r}; only arrays of numbers are read")
    values = np.frombuffer(fields["data"], dtype=dtype)
    return values.reshape(shape) if fields["nd"] else values[0]
