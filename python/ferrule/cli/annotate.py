"""`ferrule annotate`: run a saved pipeline over raw text or JSON lines, as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ferrule.cli.options import Code, Exclude, Foreign, SavedPipeline, Texts

if TYPE_CHECKING:
    from ferrule.cli.writers import DocWriter
    from ferrule.language import Language

__all__ = ["annotate"]


class InputFormat(str, Enum):
    """How the texts stand in the input."""

    text = "text"
    jsonl = "jsonl"
    parquet = "parquet"


class OutputFormat(str, Enum):
    """How the documents are written."""

    jsonl = "jsonl"
    conllu = "conllu"
    spacy = "spacy"
    parquet = "parquet"


def annotate(
    model: SavedPipeline,
    source: Annotated[
        Path | None,
        typer.Argument(
            help="Text, one document a line, .jsonl (.gz too) or .parquet; - or nothing: standard input."
        ),
    ] = None,
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
    text_key: Annotated[str, typer.Option(help="Key of the text in JSON lines, column in Parquet.")] = "text",
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
    from ferrule.cli.text_sources import grouped, read_jsonl, read_lines
    from ferrule.cli.writers import open_writer

    if text and source is not None:
        raise ValueError("give either --text or an input file, not both")
    if threads:
        ferrule.set_num_threads(threads)
    nlp = ferrule.load(model, exclude=exclude or (), foreign=foreign)
    if scores:
        keep_entity_scores(nlp)
    by_input = next((f for f in InputFormat if _ends(source, f".{f.value}")), InputFormat.text)
    records: Iterator[tuple[str, dict[str, Any]]]
    columns = None
    if text:
        records = ((one, {}) for one in text)
    elif (input_format or by_input) is InputFormat.parquet:
        from ferrule.cli.parquet import read_parquet

        records, columns = read_parquet(source, text_key)
    elif (input_format or by_input) is InputFormat.jsonl:
        records = read_jsonl(source, text_key)
    else:
        records = read_lines(source)
    by_name = next((f for f in OutputFormat if _ends(output, f".{f.value}")), OutputFormat.jsonl)
    with open_writer((output_format or by_name).value, output, nlp, columns) as writer:
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


def _ends(path: Path | None, suffix: str) -> bool:
    return path is not None and path.name.removesuffix(".gz").endswith(suffix)
