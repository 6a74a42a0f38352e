"""The files by which the folder of a saved pipeline is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ferrule.errors import SerializationError
from ferrule.storage import parse_object

__all__ = ["read_meta", "saved_file"]


def saved_file(folder: Path, name: str) -> Path:
    """The path of ``config.cfg`` or ``meta.json`` in the folder of a saved pipeline.

    Raises SerializationError if it is not there, and names the pipeline inside the folder of a training run.
    """
    file = folder / name
    if not file.is_file():
        inside = [folder / each for each in ("model-best", "model-last") if (folder / each / name).is_file()]
        hint = f", such as {inside[0]}" if inside else " that nlp.to_disk wrote"
        raise SerializationError(
            f"{folder} holds no {name}, so it is no saved pipeline; expected a folder{hint}"
        )
    return file


def read_meta(folder: Path) -> dict[str, Any]:
    """The meta data of the pipeline that is saved in `folder`; the pipeline is not loaded.

    Raises SerializationError if there is no meta.json, or no JSON object in it.
    """
    file = saved_file(folder, "meta.json")
    return parse_object(file.read_bytes(), str(file))
