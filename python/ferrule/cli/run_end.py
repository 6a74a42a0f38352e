"""What `train` and `distill` say when a run is over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from ferrule.training.report import RunFigures

__all__ = ["say_end"]

AFTER_INTERRUPT = 130


def say_end(figures: RunFigures, output: Path | None) -> None:
    """Say where the models are and how good the best is; exit with 130 if Ctrl-C ended the run."""
    best = figures.best
    if best is not None:
        typer.echo(f"Best score: {best['score']:.4f}, at step {best['step']}")
    if output is None:
        typer.echo("Nothing was saved: name a folder with --output")
    else:
        typer.echo(f"Saved: {output / 'model-best'} (best score), {output / 'model-last'} (end of the run)")
        typer.echo(f"Report: {output / 'report.html'}")
    if figures.stopped:
        raise typer.Exit(AFTER_INTERRUPT)
