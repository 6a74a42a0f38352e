"""Options that commands share: which components of a saved pipeline are loaded, and who runs them."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["Exclude", "Foreign"]

Exclude = Annotated[
    list[str] | None, typer.Option("--exclude", help="Component not to load; can be repeated.")
]
Foreign = Annotated[
    str | None,
    typer.Option("--foreign", help='Who runs components that Ferrule does not have: "spacy", if installed.'),
]
