"""Where a saved pipeline is, and the files by which its folder is known."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

from ferrule._typing import PathOrStr
from ferrule.errors import SerializationError
from ferrule.storage import parse_object

__all__ = ["find_folder", "read_meta", "saved_file"]


def find_folder(name: PathOrStr) -> Path:
    """The folder `name` itself, or the one inside the installed package, or package's folder, of that name.

    Raises FileNotFoundError if there is none.
    """
    path = Path(name)
    if path.exists() or not isinstance(name, str):
        return _inside(path) or path
    if re.fullmatch(r"\w+", name):
        spec = importlib.util.find_spec(name)
        for location in (spec.submodule_search_locations or []) if spec is not None else []:
            package = Path(location)
            if (package / "meta.json").is_file():
                return _inside(package) or package
    if path.parent.is_dir() and (path.parent / f".{path.name}.ferrule-previous").is_dir():
        return path
    raise FileNotFoundError(
        f"There is no pipeline {name!r}: neither a folder nor an installed package has that name"
    )


def _inside(package: Path) -> Path | None:
    """The pipeline's folder inside that of a package, which has a meta.json but no config.cfg."""
    if (package / "config.cfg").exists() or not (package / "meta.json").is_file():
        return None
    meta = read_meta(package)
    inner = package / f"{meta.get('lang')}_{meta.get('name')}-{meta.get('version')}"
    return inner if inner.is_dir() else None


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
