"""`ferrule info`: versions, or what a saved pipeline is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = ["info"]


def info(
    model: Annotated[
        Path | None, typer.Argument(help="Folder of a saved pipeline.", exists=True, file_okay=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show this installation, or a saved pipeline: languages, components, labels, scores."""
    facts = installation() if model is None else pipeline(model)
    if as_json:
        import srsly

        typer.echo(srsly.json_dumps(facts, indent=2))
        return
    for name, value in facts.items():
        typer.echo(f"{name:<14}{_readable(value)}")


def installation() -> dict[str, Any]:
    """Versions, threads and the instruction set in use."""
    import platform
    from importlib.metadata import version

    import ferrule
    from ferrule import _core

    return {
        "ferrule": ferrule.__version__,
        "location": str(Path(ferrule.__file__).parent),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "numpy": version("numpy"),
        "thinc": version("thinc"),
        "threads": ferrule.get_num_threads(),
        "instructions": f"{_core.active_isa()}, for bytes {_core.byte_isa()}",
    }


def pipeline(folder: Path) -> dict[str, Any]:
    """What the folder's meta.json says, without loading the pipeline.

    Raises SerializationError if there is none.
    """
    from ferrule.language.saved_folder import read_meta

    meta = read_meta(folder)
    labels = {name: len(values) for name, values in (meta.get("labels") or {}).items() if values}
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    performance = meta.get("performance") or {}
    return {
        "lang": meta.get("lang"),
        "name": meta.get("name"),
        "pipeline": meta.get("pipeline", []),
        "labels": labels,
        **({"int8": meta["quantized"]} if meta.get("quantized") else {}),
        "size": f"{size / 1e6:.1f} MB",
        "performance": {
            name: value for name, value in performance.items() if isinstance(value, (int, float))
        },
    }


def _readable(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(
            f"{name} {v:.4g}" if isinstance(v, float) else f"{name} {v}" for name, v in value.items()
        )
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
