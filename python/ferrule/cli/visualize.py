"""`ferrule visualize`: what a saved pipeline says of some texts, as an HTML page."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ferrule.cli.options import Code, Exclude, Foreign, SavedPipeline, TextKey, Texts, TextSource

if TYPE_CHECKING:
    from ferrule.language import Language

__all__ = ["visualize"]


def visualize(
    model: SavedPipeline,
    source: TextSource = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The page; - is standard output.")] = Path(
        "documents.html"
    ),
    text: Texts = None,
    text_key: TextKey = "text",
    limit: Annotated[int, typer.Option("--limit", "-n", help="Documents on the page.", min=1)] = 200,
    exclude: Exclude = None,
    foreign: Foreign = None,
    code: Code = None,
) -> None:
    """Show entities, tags and categories with their scores, as a page that needs no network."""
    from ferrule.cli.overrides import run_code

    run_code(code)
    import ferrule
    from ferrule.cli.document_page import render_documents
    from ferrule.cli.text_sources import given_records
    from ferrule.storage import write_whole

    records, _ = given_records(text, source, text_key)
    nlp = ferrule.load(model, exclude=exclude or (), foreign=foreign)
    keep_scores(nlp)
    texts = (one for one, _ in records)
    docs = list(nlp.pipe(islice(texts, limit)))
    title = f"{model}: {len(docs)} document{'' if len(docs) == 1 else 's'}"
    html = render_documents(docs, title)
    if str(output) == "-":
        typer.echo(html)
        return
    write_whole(output, html)
    more = f" (the first {limit}; --limit gives more)" if next(texts, None) is not None else ""
    typer.echo(f"Saved: {output}, {title.rpartition(': ')[2]}{more}")


def keep_scores(nlp: Language) -> None:
    """Let taggers and entity recognizers keep their probabilities in the documents."""
    from ferrule.cli.entity_scores import keep_entity_scores
    from ferrule.pipeline.tagger import Tagger

    pipes = [pipe for _, pipe in nlp.pipeline]
    for pipe in pipes:
        if isinstance(pipe, Tagger):
            pipe.save_activations = True
    if any(hasattr(pipe, "scores_key") for pipe in pipes):
        keep_entity_scores(nlp)
