"""The output folder of `train` and `distill`: what may be in it before a run, what is in it afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from ferrule.training.report import RunFigures

__all__ = ["check_folder", "say_end"]

AFTER_INTERRUPT = 130


def check_folder(output: Path | None, *, resume: bool, force: bool) -> None:
    """Raise ValueError where `--resume` finds nothing, a new run would replace one that is not done, or
    `output` is a file.
    """
    from ferrule.training.outputs import CHECKPOINT, unfinished_step

    if output is not None and output.exists() and not output.is_dir():
        raise ValueError(f"--output {output} is a file; name a folder for the models")
    if resume and output is None:
        raise ValueError("--resume needs --output, the folder of the run that is to go on")
    if output is None:
        return
    if resume and not (output / CHECKPOINT).is_dir():
        raise ValueError(f"{output} holds no checkpoint to resume from; without --resume a run begins there")
    step = None if resume or force else unfinished_step(output)
    if step is not None:
        raise ValueError(
            f"{output} holds a run that is not done: it was stopped after step {step}, or is still going on. "
            "--resume goes on with it, --force replaces it, another --output leaves it alone."
        )


def say_end(figures: RunFigures, output: Path | None) -> None:
    """Say where the models are and how good the best is; exit with 130 if Ctrl-C ended the run."""
    best = figures.best
    scored = best is not None and best["score"] != 0
    if best is not None and scored:
        typer.echo(f"Best score: {best['score']:.4f}, at step {best['step']}")
    if output is None:
        typer.echo("Nothing was saved: name a folder with --output")
    else:
        which = "best score" if scored else "latest evaluation"
        typer.echo(f"Saved: {output / 'model-best'} ({which}), {output / 'model-last'} (end of the run)")
        typer.echo(f"Report: {output / 'report.html'}")
    if figures.stopped:
        raise typer.Exit(AFTER_INTERRUPT)
