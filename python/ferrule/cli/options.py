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


def _folder_of(name: Path) -> Path:
    """The folder itself, or that of the installed package of this name; a wrong use if there is neither."""
    if not name.is_dir():
        from ferrule.language.saved_folder import find_folder

        try:
            name = find_folder(str(name))
        except FileNotFoundError as error:
            raise typer.BadParameter(str(error)) from error
        if name.is_file():
            raise typer.BadParameter(f"{name} is a file; expected the folder of a saved pipeline")
    return name


SavedPipeline = Annotated[
    Path,
    typer.Argument(help="Folder of a saved pipeline, or name of an installed package.", callback=_folder_of),
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
