"""`ferrule calibrate`: fit the temperature and the thresholds of text classifiers and entity recognizers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from ferrule.cli.options import Code, SavedPipeline
from ferrule.cli.wording import counted

__all__ = ["calibrate"]


def calibrate(
    model: SavedPipeline,
    data: Annotated[
        Path,
        typer.Argument(help="Annotated documents that were not trained on, a .spacy file.", exists=True),
    ],
    output: Annotated[Path, typer.Argument(help="Folder for the pipeline with what was fitted.")],
    component: Annotated[
        str | None, typer.Option("--component", help="Name of the one to fit; by default all there are.")
    ] = None,
    precision: Annotated[
        float | None,
        typer.Option(
            "--precision",
            help="Thresholds that keep this share of each label's decisions or entities right.",
            min=0,
            max=1,
        ),
    ] = None,
    beta: Annotated[
        float | None,
        typer.Option(
            "--beta", help="Thresholds with the best F-beta; above 1 for recall, below for precision."
        ),
    ] = None,
    abstain_below: Annotated[
        float | None,
        typer.Option(
            "--abstain-below",
            help="Choose no category below this probability. For text classifiers.",
            min=0,
            max=1,
        ),
    ] = None,
    temperature: Annotated[
        bool, typer.Option(help="Fit a temperature, so that probabilities can be believed.")
    ] = True,
    code: Code = None,
) -> None:
    """Fit temperature and thresholds of text classifiers and entity recognizers; save the pipeline with them.

    `ferrule evaluate` (for entities with --scores) then shows the calibration error, and the decisions'
    precision, recall and coverage.
    """
    from ferrule.cli.overrides import run_code

    if precision is not None and beta is not None:
        raise ValueError("--precision and --beta both choose thresholds; give one of them")
    run_code(code)
    import ferrule
    from ferrule.training.corpus import Corpus

    nlp = ferrule.load(model)
    classifiers, recognizers = to_calibrate(nlp, component)
    if abstain_below is not None and not classifiers:
        raise ValueError("--abstain-below is for text classifiers; --precision chooses which entities stay")
    settings = Settings(temperature, precision, beta, abstain_below)
    corpus = Corpus(data)
    for name, ner in recognizers.items():
        fit_recognizer(name, ner, read(nlp, corpus, without=list(recognizers)), settings)
    # Components before the classifier may have to run first, so all do.
    examples = read(nlp, corpus) if classifiers else []
    for name, textcat in classifiers.items():
        fit_classifier(name, textcat, examples, settings)
    nlp.to_disk(output)
    typer.echo(f"Saved: {output}")


@dataclass(frozen=True)
class Settings:
    """What to fit: the options of the command."""

    temperature: bool
    precision: float | None
    beta: float | None
    abstain_below: float | None

    @property
    def thresholds(self) -> bool:
        """Whether thresholds are to be fitted."""
        return self.precision is not None or self.beta is not None

    @property
    def used_beta(self) -> float:
        """The beta to fit with; 1 where only a precision is given."""
        return 1.0 if self.beta is None else self.beta


def fit_recognizer(name: str, ner: Any, examples: list[Any], settings: Settings) -> None:
    """Fit an entity recognizer, and print what came of it."""
    if not any(example.reference.has_annotation("ENT_IOB") for example in examples):
        typer.echo(f"{name}: left as it is, since the corpus has no entities")
        return
    if settings.temperature:
        report = ner.calibrate(examples)
        of = f"{100 * report.ece_by_chance:.2f} by chance alone, {report.n_predictions} entities"
        tell(name, report.temperature, report.ece_before, report.ece_after, of)
    if settings.thresholds:
        ner.fit_thresholds(examples, min_precision=settings.precision, beta=settings.used_beta)
        typer.echo(f"{name}: thresholds for {len(ner.thresholds)} of {len(ner.labels)} labels")


def fit_classifier(name: str, textcat: Any, examples: list[Any], settings: Settings) -> None:
    """Fit a text classifier, and print what came of it."""
    if not any(example.reference.cats for example in examples):
        typer.echo(f"{name}: left as it is, since the corpus has no categories")
        return
    if settings.temperature:
        found = textcat.calibrate(examples)
        of = counted(len(examples), "document")
        tell(name, found["temperature"], found["ece_before"], found["ece_after"], of)
    if settings.thresholds:
        found = textcat.fit_thresholds(examples, precision=settings.precision, beta=settings.used_beta)
        typer.echo(f"{name}: thresholds for {len(found)} of {len(textcat.labels)} labels")
    if settings.abstain_below is not None:
        textcat.abstain_below = settings.abstain_below
        typer.echo(f"{name}: chooses no category below {settings.abstain_below}")


def read(nlp: Any, corpus: Any, *, without: Sequence[str] = ()) -> list[Any]:
    """The corpus's examples, their documents predicted by all components but those `without`.

    Raises ValueError if there are none.
    """
    examples = list(corpus(nlp))
    if not examples:
        raise ValueError(f"{corpus.path}: no documents to fit on")
    with nlp.select_pipes(disable=list(without)):
        for example, doc in zip(examples, nlp.pipe([each.predicted for each in examples]), strict=True):
            example.predicted = doc
    return examples


def tell(name: str, temperature: float, before: float, after: float, of: str) -> None:
    """Print what a temperature changed, `of` so many predictions."""
    typer.echo(
        f"{name}: temperature {temperature:.3f}, expected calibration error "
        f"{100 * before:.2f} before, {100 * after:.2f} after (per cent, {of})"
    )


def to_calibrate(nlp: Any, name: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The text classifiers and the entity recognizers of a pipeline by name, or only the one called `name`.

    Raises ValueError if there is none.
    """
    from ferrule.pipeline.category_decisions import CategoryDecisions
    from ferrule.pipeline.ner_scores import ScoredEntities

    classifiers, recognizers = (
        {key: pipe for key, pipe in nlp.pipeline if isinstance(pipe, kind) and name in (None, key)}
        for kind in (CategoryDecisions, ScoredEntities)
    )
    if not classifiers and not recognizers:
        called = "" if name is None else f" called {name!r}"
        raise ValueError(
            f"the pipeline has no text classifier or entity recognizer{called}; its components are "
            f"{', '.join(nlp.pipe_names) or 'none'}"
        )
    return classifiers, recognizers
