"""`ferrule quantize`: a pipeline whose token encoders predict in bytes, and what that changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ferrule.cli.options import Code, SavedPipeline

__all__ = ["quantize"]


def quantize(
    model: SavedPipeline,
    output: Annotated[Path, typer.Argument(help="Folder for the quantized pipeline.")],
    corpus: Annotated[
        Path,
        typer.Option(
            "--corpus",
            help="Annotated documents of the kind that will be predicted, a .spacy file or a folder of them.",
            exists=True,
        ),
    ],
    documents: Annotated[
        int, typer.Option(help="In so many of the first documents the ranges are found.", min=1)
    ] = 256,
    component: Annotated[
        list[str] | None,
        typer.Option("--component", help="Name of a component; can be repeated. By default all that can."),
    ] = None,
    code: Code = None,
) -> None:
    """Let the token encoders of a pipeline predict in bytes (int8), and save it so.

    Prints how many predictions differ and all scores before and after, on the documents in which the ranges
    were not found (on all of them if there are no others).
    """
    from ferrule.cli.overrides import run_code

    run_code(code)
    import ferrule
    from ferrule import _core
    from ferrule.training.corpus import Corpus

    nlp = ferrule.load(model)
    nlp.dequantize()  # what is compared with is float32
    references = [example.reference for example in Corpus(corpus)(nlp)]
    if not references:
        raise ValueError(f"{corpus}: no documents to find ranges in")
    seen, rest = references[:documents], references[documents:]
    measured = rest or seen
    before, scores_before = annotated(nlp, measured)
    names = nlp.quantize([doc.text for doc in seen], components=component)
    after, scores_after = annotated(nlp, measured)
    typer.echo(f"in bytes: {', '.join(names)}; ranges from {len(seen)} documents")
    n_tokens = sum(map(len, before))
    where = f"{len(measured)} {'other ' if rest else ''}documents, {n_tokens:,} tokens"
    typer.echo(f"\nmeasured on {where}")
    for what, (different, total) in differences(before, after).items():
        typer.echo(f"{what:<20}{different:,} of {total:,} differ ({100 * different / total:.3f} %)")
    typer.echo("")
    for name, score in scores_before.items():
        if isinstance(score, float) and name != "speed":
            typer.echo(f"{name:<20}{100 * score:.2f} before, {100 * scores_after[name]:.2f} after")
    if _core.byte_isa() != "vnni":
        typer.echo("\nThis CPU has no AVX-512 VNNI: it predicts more slowly in bytes than in float32.")
    nlp.to_disk(output)
    typer.echo(f"Saved: {output}")


def annotated(nlp: Any, references: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    """The documents as `nlp` annotates them, and its scores."""
    from ferrule.training.evaluation import KeepingScorer
    from ferrule.training.example import Example

    scorer = KeepingScorer(nlp)
    scores = nlp.evaluate([Example(nlp.make_doc(doc.text), doc) for doc in references], scorer=scorer)
    return [example.predicted for example in scorer.examples], scores


def differences(before: Sequence[Any], after: Sequence[Any]) -> dict[str, tuple[int, int]]:
    """How many predictions differ, and how many there are, by kind: those that the documents have."""
    found: dict[str, tuple[int, int]] = {}
    documents = list(zip(before, after, strict=True))
    tags = [(a.tag, b.tag) for one, other in documents for a, b in zip(one, other, strict=True)]
    if any(a or b for a, b in tags):
        found["tags"] = sum(a != b for a, b in tags), len(tags)
    entities = [(spans(one), spans(other)) for one, other in documents]
    n_entities = sum(len(ours | theirs) for ours, theirs in entities)
    if n_entities:
        found["entities"] = sum(len(ours ^ theirs) for ours, theirs in entities), n_entities
    best_ones = [(best(one), best(other)) for one, other in documents]
    if any(a or b for a, b in best_ones):
        found["best categories"] = sum(a != b for a, b in best_ones), len(best_ones)
    return found


def spans(doc: Any) -> set[tuple[int, int, str]]:
    """Where the entities of a document are, and of which kind."""
    return {(ent.start, ent.end, ent.label_) for ent in doc.ents}


def best(doc: Any) -> str:
    """The category with the highest score; empty without any."""
    return max(doc.cats, key=doc.cats.get) if doc.cats else ""
