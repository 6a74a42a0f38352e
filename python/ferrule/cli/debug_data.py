"""`ferrule debug data`: what the corpora hold, and what looks wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ferrule.cli.options import Code
from ferrule.cli.wording import counted

if TYPE_CHECKING:
    from ferrule.training.corpus_check import CorpusFacts

__all__ = ["debug_data"]


def debug_data(
    context: typer.Context,
    config: Annotated[Path, typer.Argument(help="The config file.", exists=True, dir_okay=False)],
    code: Code = None,
) -> None:
    """Count what the corpora of a config hold and name what looks wrong; the exit code is 1 if training
    cannot work.
    """
    from ferrule.cli.overrides import parse_overrides, read_config, run_code

    run_code(code)
    settings = read_config(config, parse_overrides(context.args))
    from ferrule.language import load_from_config
    from ferrule.training.corpus_check import compare, gather
    from ferrule.training.settings import resolve_corpora

    nlp = load_from_config(settings)
    filled = nlp.config.interpolate()
    names = [filled["training"]["train_corpus"], filled["training"]["dev_corpus"]]
    train, dev = (gather(reader(nlp)) for reader in resolve_corpora(filled, names))
    show("Training corpus", train)
    show("Development corpus", dev)
    factories = [nlp.get_pipe_meta(name).factory for name in nlp.pipe_names]
    errors, warnings = compare(train, dev, factories)
    for line in warnings:
        typer.echo(f"warning: {line}")
    for line in errors:
        typer.echo(f"error: {line}")
    typer.echo(f"{counted(len(errors), 'error')}, {counted(len(warnings), 'warning')}")
    if errors:
        raise typer.Exit(1)


def show(title: str, facts: CorpusFacts) -> None:
    """Print the counts of one corpus."""
    counts = f"{counted(facts.n_docs, 'document')}, {counted(facts.n_tokens, 'token')}"
    typer.echo(f"{title}: {counts}, {facts.n_words} different words")
    for kind, labels in (
        ("tags", facts.tags),
        ("entities", facts.entities),
        ("categories", facts.categories),
    ):
        if labels:
            typer.echo(
                f"  {len(labels)} {kind}: " + ", ".join(f"{name} {n}" for name, n in labels.most_common())
            )
