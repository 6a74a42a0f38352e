"""`ferrule evaluate`: score a saved pipeline on annotated documents."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ferrule.cli.options import Code, Exclude, Foreign, SavedPipeline

if TYPE_CHECKING:
    from ferrule.training.report import RunFigures

__all__ = ["evaluate"]


def evaluate(
    model: SavedPipeline,
    data: Annotated[
        Path, typer.Argument(help="Annotated documents, a .spacy file or a folder of them.", exists=True)
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write all scores to this JSON file.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write scores, labels and confusion as a page.")
    ] = None,
    exclude: Exclude = None,
    foreign: Foreign = None,
    code: Code = None,
    gold_preproc: Annotated[
        bool, typer.Option("--gold-preproc", help="Use the gold tokens instead of the pipeline's own.")
    ] = False,
    scores: Annotated[
        bool,
        typer.Option(
            "--scores",
            help="Also print the calibration error of entities (ents_ece) and how much of it "
            "chance would make.",
        ),
    ] = False,
    intervals: Annotated[
        int,
        typer.Option(
            help="Print between what 95 % of the scores lie in so many resamples of the documents (200 are "
            "enough; each takes as long as scoring does).",
            min=0,
        ),
    ] = 0,
) -> None:
    """Score a saved pipeline; prints the figures and a table per label."""
    from ferrule.cli.overrides import run_code

    run_code(code)
    import ferrule
    from ferrule.cli.entity_scores import keep_entity_scores
    from ferrule.scorer import Scorer, bootstrap_scores
    from ferrule.storage import write_whole
    from ferrule.training.corpus import Corpus
    from ferrule.training.evaluation import KeepingScorer, breakdown
    from ferrule.training.report import RunFigures, versions, write_page

    nlp = ferrule.load(model, exclude=exclude or (), foreign=foreign)
    if scores:
        keep_entity_scores(nlp)
    examples = list(Corpus(data, gold_preproc=gold_preproc)(nlp))
    if not examples:
        raise ValueError(f"{data}: no documents to evaluate on")
    scorer = KeepingScorer(nlp)
    found = nlp.evaluate(examples, scorer=scorer)
    matrices, labels = breakdown(scorer.examples)
    figures = RunFigures(f"{model} on {data}", list(nlp.pipe_names), versions=versions())
    figures.set_scores(found, labels)
    figures.confusion = matrices
    ends = {}
    if intervals:
        drawn = bootstrap_scores(scorer.examples, Scorer(nlp).score, n_resamples=intervals)
        ends = {name: (interval.low, interval.high) for name, interval in drawn.items()}
        found = {**found, "intervals": ends}
    for line in score_lines(figures, ends):
        typer.echo(line)
    if output is not None:
        import srsly

        write_whole(output, srsly.json_dumps(found, indent=2))
        typer.echo(f"Saved: {output}")
    if html is not None:
        write_page(figures, html)
        typer.echo(f"Saved: {html}")


# What a table of scores per label has, and how it is headed.
COLUMNS = {"p": "P", "r": "R", "f": "F", "threshold": "threshold"}


def score_lines(figures: RunFigures, intervals: Mapping[str, tuple[float, float]] | None = None) -> list[str]:
    """Single figures (per cent; speed in words a second), then a table for each kind of label.

    `intervals`: the ends of the figures' confidence intervals, by name.

    A table has what is known of precision, recall, F, a threshold, the number of gold ones and what they were
    most often taken for.
    """
    lines = []
    for name, value in figures.scores.items():
        low, high = (intervals or {}).get(name, (None, None))
        between = "" if low is None else f"   {_figure(name, low)} to {_figure(name, high)}"
        lines.append(f"{name:<20}{_figure(name, value)}{between}")
    for name, rows in figures.labels.items():
        if rows:
            lines += ["", *_label_table(name, rows)]
    return lines


def _label_table(name: str, rows: list[dict[str, Any]]) -> list[str]:
    from ferrule.training.report.page import taken_for

    keys = [key for key in COLUMNS if any(key in row for row in rows)]
    width = max(12, *(len(str(row["label"])) for row in rows), len(name)) + 2
    counted = all("n" in row for row in rows)
    head = f"{name:<{width}}" + "".join(f"{COLUMNS[key]:>{len(COLUMNS[key]) + 7}}" for key in keys)
    lines = [head + (f"{'gold':>8}  most often taken for" if counted else "")]
    for row in rows:
        line = f"{row['label']:<{width}}"
        line += "".join(f"{_figure(key, row.get(key)):>{len(COLUMNS[key]) + 7}}" for key in keys)
        lines.append((line + f"{row['n']:>8}  {taken_for(row)}").rstrip() if counted else line)
    return lines


def _figure(name: str, value: Any) -> str:
    if not isinstance(value, (int, float)):
        return "-"
    return f"{value:.0f}" if name == "speed" else f"{100 * value:.2f}"
