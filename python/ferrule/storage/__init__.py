"""Saving and loading that is whole or absent; the room every `to_disk`, `from_disk`, `to_bytes` goes through.

`docs/decisions/0007-whole-saves.md` says how and why.
"""

from __future__ import annotations

from ferrule.storage.fields import (
    dump_fields,
    field_names,
    load_fields,
    load_folder,
    parse_object,
    save_folder,
    unpack,
)
from ferrule.storage.files import write_whole
from ferrule.storage.folders import saving
from ferrule.storage.models import load_model
from ferrule.storage.paths import checked_name
from ferrule.storage.reading import reading
from ferrule.storage.snapshots import unchanged_on_error

__all__ = [
    "checked_name",
    "dump_fields",
    "field_names",
    "load_fields",
    "load_folder",
    "load_model",
    "parse_object",
    "reading",
    "save_folder",
    "saving",
    "unchanged_on_error",
    "unpack",
    "write_whole",
]
