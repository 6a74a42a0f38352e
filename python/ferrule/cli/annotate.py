"""`ferrule annotate`: run a saved pipeline over raw text or JSON lines, as a stream."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ferrule.cli.options import Code, Exclude, Foreign, SavedPipeline, TextKey, Texts, TextSource
from ferrule.cli.text_sources import InputFormat, format_of, given_records, grouped

if TYPE_CHECKING:
    from ferrule.cli.writers import DocWriter
    from ferrule.language import Language

__all__ = ["annotate"]


class OutputFormat(str, Enum):
    """How the documents are written."""

    jsonl = "jsonl"
    conllu = "conllu"
    spacy = "spacy"
    parquet = "parquet"


def annotate(
    model: SavedPipeline,
    source: TextSource = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write; - is standard output.")
    ] = Path("-"),
    text: Texts = None,
    input_format: Annotated[
        InputFormat | None, typer.Option("--from", help="Default: by the file's name, else text.")
    ] = None,
    output_format: Annotated[
        OutputFormat | None, typer.Option("--to", help="Default: by the file's name, else jsonl.")
    ] = None,
    text_key: TextKey = "text",
    batch_size: Annotated[int, typer.Option(help="Documents in one batch.", min=1)] = 128,
    threads: Annotated[
        int, typer.Option(help="Threads; 0: as FERRULE_NUM_THREADS says, else all.", min=0)
    ] = 0,
    scores: Annotated[
        bool, typer.Option("--scores", help="Give each entity its probability, in JSON lines and DocBin.")
    ] = False,
    exclude: Exclude = None,
    foreign: Foreign = None,
    code: Code = None,
) -> None:
    """Annotate texts. Memory stays flat: documents are written as they are done, in order."""
    from ferrule.cli.overrides import run_code

    run_code(code)
    import ferrule
    from ferrule.cli.entity_scores import keep_entity_scores
    from ferrule.cli.writers import open_writer

    records, columns = given_records(text, source, text_key, input_format)
    if threads:
        ferrule.set_num_threads(threads)
    nlp = ferrule.load(model, exclude=exclude or (), foreign=foreign)
    if scores:
        keep_entity_scores(nlp)
    to = output_format or format_of(output, OutputFormat.jsonl)
    with open_writer(to.value, output, nlp, columns) as writer:
        for group in grouped(records, batch_size):
            with nlp.memory_zone():
                _annotate_group(nlp, group, writer)
    for line in writer.summary():
        typer.echo(line, err=True)


def _annotate_group(nlp: Language, group: list[tuple[str, dict[str, Any]]], writer: DocWriter) -> None:
    # A function of its own, so that no document is left over when the memory of the group goes.
    try:
        for doc, rest in nlp.pipe(group, as_tuples=True, batch_size=len(group)):
            writer.write(doc, rest)
    finally:
        writer.end_group()
