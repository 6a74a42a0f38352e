"""`ferrule benchmark`: words a second of each step of a saved pipeline, beside spaCy if it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ferrule.cli.options import Code, SavedPipeline

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
    from ferrule.interop.spacy_peer import find_spacy_peer

    if threads:
        ferrule.set_num_threads(threads)
    nlp = ferrule.load(model)
    references = list(_references(nlp, data, limit))
    n_words = sum(map(len, references))
    if not n_words:
        raise ValueError(f"{data}: no words to measure with")
    saved = [reference.to_bytes() for reference in references]
    texts = [reference.text for reference in references]
    facts: dict[str, Any] = {
        "documents": len(texts),
        "words": n_words,
        "rounds": rounds,
        "threads": ferrule.get_num_threads(),
        "ferrule": ferrule.__version__,
    }
    loaders = {"ferrule": _ferrule_loader(model, saved)}
    if spacy:
        peer = find_spacy_peer(model)
        if isinstance(peer, str):
            facts["spacy"] = peer
        else:
            facts["spacy"] = peer.version
            loaders["spacy"] = (
                peer.load,
                lambda nlp: _examples(nlp, saved, peer.doc_class, peer.example_class),
            )
    libraries = {
        name: tasks_of(load(), load() if train else None, texts, examples, batch_size=batch_size)
        for name, (load, examples) in loaders.items()
    }
    rows = []
    if not as_json:
        typer.echo("  ".join(f"{name}: {value}" for name, value in facts.items()))
        titles = "".join(f"{name:>12}" for name in libraries)
        typer.echo(
            f"{'component':<16}{'words a second':<16}{titles}{'ratio' if len(libraries) > 1 else '':>9}"
        )
    for speed in measure(libraries, n_words=n_words, rounds=rounds):
        figures = speed.words_per_second
        ratio = figures["ferrule"] / figures["spacy"] if "spacy" in figures else None
        row = {"component": speed.component, "step": speed.step, **figures, "ratio": ratio}
        rows.append(row)
        if not as_json:
            shown = "".join(f"{figure:>12,.0f}" for figure in figures.values())
            end = "" if ratio is None else f"{ratio:>8.1f}x"
            typer.echo(f"{speed.component:<16}{speed.step:<16}{shown}{end}")
    if as_json:
        import srsly

        typer.echo(srsly.json_dumps({**facts, "words_per_second": rows}, indent=2))


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
