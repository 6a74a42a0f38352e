"""`ferrule train`: train a pipeline from a config."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from ferrule.cli.options import Code, Force, Resume, RunFolder

__all__ = ["train"]


def train(
    context: typer.Context,
    config: Annotated[Path, typer.Argument(help="The config file.", exists=True, dir_okay=False)],
    output: RunFolder = None,
    code: Code = None,
    resume: Resume = False,
    force: Force = False,
    gpu_id: Annotated[
        int, typer.Option("--gpu-id", "-g", help="Read and ignored: Ferrule runs on CPUs.")
    ] = -1,
) -> None:
    """Train a pipeline. Any setting of the config can be given as an option: --training.max_steps 200"""
    from ferrule.cli.debug_config import all_problems_named
    from ferrule.cli.overrides import parse_overrides, read_config, run_code
    from ferrule.cli.run_folder import check_folder, say_end

    check_folder(output, resume=resume, force=force)
    run_code(code)
    overrides = parse_overrides(context.args)
    settings = read_config(config, overrides)
    from ferrule.training.initialize import init_nlp
    from ferrule.training.loop import train_from_config

    if gpu_id >= 0:
        typer.echo("--gpu-id is ignored: Ferrule trains on the CPU", err=True)
    with all_problems_named(config, settings, overrides):
        nlp = init_nlp(settings)
    typer.echo(f"Pipeline: {', '.join(nlp.pipe_names)}")
    started = time.monotonic()
    figures = train_from_config(nlp, output, resume=resume)
    typer.echo(f"Trained in {time.monotonic() - started:.1f} s, evaluations and saves included")
    say_end(figures, output)
