"""Arguments and options that several commands have, each with its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Code",
    "Exclude",
    "Force",
    "Foreign",
    "Resume",
    "RunFolder",
    "SavedPipeline",
    "TextKey",
    "TextSource",
    "Texts",
]

SavedPipeline = Annotated[
    Path, typer.Argument(help="Folder of a saved pipeline.", exists=True, file_okay=False)
]
Code = Annotated[Path | None, typer.Option("--code", "-c", help="Python file to import first.")]
Exclude = Annotated[
    list[str] | None, typer.Option("--exclude", help="Component not to load; can be repeated.")
]
Foreign = Annotated[
    str | None,
    typer.Option("--foreign", help='Who runs components that Ferrule does not have: "spacy", if installed.'),
]
Texts = Annotated[list[str] | None, typer.Option("--text", "-t", help="A text; can be repeated.")]
TextSource = Annotated[
    Path | None,
    typer.Argument(
        help="Text, one document a line, .jsonl (.gz too) or .parquet; - or nothing: standard input."
    ),
]
TextKey = Annotated[str, typer.Option(help="Key of the text in JSON lines, column in Parquet.")]
RunFolder = Annotated[
    Path | None, typer.Option("--output", "-o", help="Folder for model-best and model-last.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in the output folder.")]
Force = Annotated[
    bool, typer.Option("--force", "-F", help="Replace a run in the output folder that is not done.")
]
