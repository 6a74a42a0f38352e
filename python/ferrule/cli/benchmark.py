"""`ferrule benchmark`: words a second of each step of a saved pipeline, beside spaCy if it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ferrule.cli.options import Code, SavedPipeline

if TYPE_CHECKING:
    from ferrule.cli.speed import Speed

__all__ = ["benchmark"]


def benchmark(
    model: SavedPipeline,
    data: Annotated[
        Path,
        typer.Argument(
            help="Text, one document a line, .jsonl, or a .spacy corpus.", exists=True, dir_okay=False
        ),
    ],
    rounds: Annotated[int, typer.Option(help="How often each step is timed.", min=1)] = 5,
    limit: Annotated[int, typer.Option(help="Documents to take; 0: all.", min=0)] = 2000,
    batch_size: Annotated[int, typer.Option(help="Documents in one batch.", min=1)] = 128,
    threads: Annotated[
        int, typer.Option(help="Our threads; 0: as FERRULE_NUM_THREADS says, else all.", min=0)
    ] = 0,
    train: Annotated[bool, typer.Option(help="Time training too, on a copy of the pipeline.")] = True,
    spacy: Annotated[bool, typer.Option(help="Run spaCy beside it, if it is installed.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    code: Code = None,
) -> None:
    """Measure words a second. Text without annotation is trained on as the pipeline annotates it.

    spaCy's threads are those of its BLAS: set OPENBLAS_NUM_THREADS as --threads for a fair ratio.
    """
    from ferrule.cli.overrides import run_code

    run_code(code)
    import ferrule
    from ferrule.cli.speed import measure, tasks_of

    if threads:
        ferrule.set_num_threads(threads)
    references = list(_references(ferrule.load(model), data, limit))
    n_words = sum(map(len, references))
    if not n_words:
        raise ValueError(f"{data}: no words to measure with")
    facts: dict[str, Any] = {
        "documents": len(references),
        "words": n_words,
        "rounds": rounds,
        "threads": ferrule.get_num_threads(),
        "ferrule": ferrule.__version__,
    }
    saved = [reference.to_bytes() for reference in references]
    loaders = {"ferrule": _ferrule_loader(model, saved)}
    if spacy:
        facts["spacy"], peer = _spacy_loader(model, saved)
        if peer is not None:
            loaders["spacy"] = peer
    texts = [reference.text for reference in references]
    libraries = {
        name: tasks_of(load(), load() if train else None, texts, examples, batch_size=batch_size)
        for name, (load, examples) in loaders.items()
    }
    speeds = measure(libraries, n_words=n_words, rounds=rounds)
    if as_json:
        import srsly

        found = {**facts, "words_per_second": list(map(_row, speeds))}
        typer.echo(srsly.json_dumps(found, indent=2))
        return
    for line in _table(facts, list(libraries), map(_row, speeds)):
        typer.echo(line)


def _row(speed: Speed) -> dict[str, Any]:
    figures = speed.words_per_second
    ratio = figures["ferrule"] / figures["spacy"] if "spacy" in figures else None
    return {"component": speed.component, "step": speed.step, **figures, "ratio": ratio}


def _table(facts: dict[str, Any], libraries: list[str], rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Lines to print, each as soon as its row is measured."""
    yield "  ".join(f"{name}: {value}" for name, value in facts.items())
    titles = "".join(f"{name:>12}" for name in libraries)
    yield f"{'component':<16}{'words a second':<16}{titles}{'ratio' if len(libraries) > 1 else '':>9}"
    for row in rows:
        figures = "".join(f"{row[name]:>12,.0f}" for name in libraries)
        ratio = "" if row["ratio"] is None else f"{row['ratio']:>8.1f}x"
        yield f"{row['component']:<16}{row['step']:<16}{figures}{ratio}"


Loader = tuple[Callable[[], Any], Callable[[Any], list[Any]]]


def _references(nlp: Any, data: Path, limit: int) -> Iterator[Any]:
    """Annotated documents: those of a corpus, or texts as the pipeline annotates them."""
    from itertools import islice

    from ferrule.cli.text_sources import given_records

    if data.suffix == ".spacy":
        from ferrule.training.corpus import Corpus

        docs: Iterator[Any] = (example.reference for example in Corpus(data)(nlp))
    else:
        records, _ = given_records(None, data, "text")
        docs = nlp.pipe(text for text, _ in records)
    return islice(docs, limit or None)


def _ferrule_loader(model: Path, saved: list[bytes]) -> Loader:
    import ferrule
    from ferrule.tokens import Doc
    from ferrule.training.example import Example

    return lambda: ferrule.load(model), lambda nlp: _examples(nlp, saved, Doc, Example)


def _spacy_loader(model: Path, saved: list[bytes]) -> tuple[str, Loader | None]:
    """spaCy's version and its loader; or why there is none."""
    from ferrule.interop.spacy_peer import find_spacy_peer

    peer = find_spacy_peer(model)
    if isinstance(peer, str):
        return peer, None
    return peer.version, (peer.load, lambda nlp: _examples(nlp, saved, peer.doc_class, peer.example_class))


def _examples(nlp: Any, saved: list[bytes], doc_class: Any, example_class: Any) -> list[Any]:
    """Examples of a library's own: the gold tokens without annotation, and the saved documents."""
    references = [doc_class(nlp.vocab).from_bytes(data) for data in saved]
    predicted = [
        doc_class(
            nlp.vocab,
            words=[token.text for token in reference],
            spaces=[bool(token.whitespace_) for token in reference],
        )
        for reference in references
    ]
    return [example_class(*pair) for pair in zip(predicted, references, strict=True)]
