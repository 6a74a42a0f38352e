"""`ferrule compare`: a teacher and its students side by side: scores, words a second, megabytes."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from ferrule.cli.options import Code

__all__ = ["compare"]


def compare(
    teacher: Annotated[Path, typer.Argument(help="Folder of the teacher.", exists=True, file_okay=False)],
    data: Annotated[Path, typer.Argument(help="Annotated documents, .spacy.", exists=True)],
    student: Annotated[
        list[Path],
        typer.Option(
            "--student", "-s", help="Folder of a student; can be repeated.", exists=True, file_okay=False
        ),
    ],
    gold_preproc: Annotated[
        bool, typer.Option("--gold-preproc", help="Score on the gold tokens instead of the pipeline's own.")
    ] = False,
    rounds: Annotated[int, typer.Option(help="How often each pipeline is timed.", min=1)] = 5,
    code: Code = None,
) -> None:
    """Compare pipelines: weighted score on annotated documents, words a second from text, size on disk.

    All pipelines take turns, after one run each that does not count; medians are shown, and in brackets how
    each compares with the teacher.
    """
    from ferrule.cli.overrides import run_code

    run_code(code)
    import ferrule
    from ferrule.training.corpus import Corpus
    from ferrule.training.evaluation import Evaluator

    folders = [teacher, *student]
    pipelines = [ferrule.load(folder) for folder in folders]
    corpus = Corpus(data, gold_preproc=gold_preproc)
    weights = pipelines[0].config["training"].get("score_weights") or {}
    results = [Evaluator(nlp, corpus, weights)() for nlp in pipelines]
    scores = [weighted for weighted, _ in results]
    texts = [example.reference.text for example in Corpus(data)(pipelines[0])]
    speeds = words_per_second(pipelines, texts, rounds)
    sizes = [megabytes(folder) for folder in folders]
    width = max(30, *(len(str(folder)) for folder in folders)) + 2
    typer.echo(f"{'pipeline':<{width}}{'score':>16}{'words/s':>20}{'MB':>16}")
    for place, folder in enumerate(folders):
        kept, faster = scores[place] / (scores[0] or 1.0), speeds[place] / speeds[0]
        smaller = sizes[0] / sizes[place]
        cells = [f"{100 * scores[place]:.2f} ({100 * kept:.1f} %)", f"{speeds[place]:,.0f} ({faster:.1f}x)"]
        line = f"{folder!s:<{width}}{cells[0]:>16}{cells[1]:>20}{f'{sizes[place]:.1f} (1/{smaller:.1f})':>16}"
        typer.echo(line)
    names = [name for name, weight in weights.items() if weight]
    if len(names) > 1:
        typer.echo("\n" + f"{'part of the score':<{width}}" + "".join(f"{name:>16}" for name in names))
        for folder, (_, found) in zip(folders, results, strict=True):
            cells = [f"{100 * found[name]:.2f}" if found[name] is not None else "-" for name in names]
            typer.echo(f"{folder!s:<{width}}" + "".join(f"{cell:>16}" for cell in cells))


def words_per_second(pipelines: list[Any], texts: list[str], rounds: int) -> list[float]:
    """The median speed of each pipeline from text to annotated documents; all take turns."""
    times: list[list[float]] = [[] for _ in pipelines]
    n_words = sum(len(doc) for doc in map(pipelines[0].make_doc, texts))
    for number in range(rounds + 1):
        for nlp, taken in zip(pipelines, times, strict=True):
            start = time.perf_counter()
            for _ in nlp.pipe(texts):
                pass
            if number:
                taken.append(time.perf_counter() - start)
    return [n_words / max(statistics.median(taken), 1e-9) for taken in times]


def megabytes(folder: Path) -> float:
    """The size of all files below `folder`, in millions of bytes."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
