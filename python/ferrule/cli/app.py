"""Which commands there are."""

from __future__ import annotations

from typing import Annotated

import typer

from ferrule.cli.annotate import annotate
from ferrule.cli.benchmark import benchmark
from ferrule.cli.calibrate import calibrate
from ferrule.cli.compare import compare
from ferrule.cli.convert import convert
from ferrule.cli.debug_config import debug_config
from ferrule.cli.debug_data import debug_data
from ferrule.cli.distill import distill
from ferrule.cli.evaluate import evaluate
from ferrule.cli.info import info
from ferrule.cli.init_config import init_config
from ferrule.cli.quantize import quantize
from ferrule.cli.train import train
from ferrule.cli.visualize import visualize

__all__ = ["app"]


def _show_version(wanted: bool) -> None:
    if wanted:
        import ferrule

        typer.echo(f"ferrule {ferrule.__version__}")
        raise typer.Exit


# Commands that take the config's own settings as options: --training.max_steps 200
WITH_OVERRIDES = {"allow_extra_args": True, "ignore_unknown_options": True}

app = typer.Typer(
    help="Train, check and run NLP pipelines.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
init = typer.Typer(help="Write a new config.", no_args_is_help=True)
debug = typer.Typer(help="Look for mistakes before training.", no_args_is_help=True)


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version),
    ] = False,
) -> None:
    """Train, check and run NLP pipelines."""


app.add_typer(init, name="init")
app.add_typer(debug, name="debug")

init.command("config")(init_config)
app.command("convert")(convert)
debug.command("config", context_settings=WITH_OVERRIDES)(debug_config)
debug.command("data", context_settings=WITH_OVERRIDES)(debug_data)
app.command("train", context_settings=WITH_OVERRIDES)(train)
app.command("distill", context_settings=WITH_OVERRIDES)(distill)
app.command("evaluate")(evaluate)
app.command("calibrate")(calibrate)
app.command("quantize")(quantize)
app.command("annotate")(annotate)
app.command("visualize")(visualize)
app.command("benchmark")(benchmark)
app.command("compare")(compare)
app.command("info")(info)
