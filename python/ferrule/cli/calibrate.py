"""`ferrule calibrate`: fit the temperature and the thresholds of text classifiers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ferrule.cli.options import Code, SavedPipeline

__all__ = ["calibrate"]


def calibrate(
    model: SavedPipeline,
    data: Annotated[
        Path,
        typer.Argument(help="Annotated documents that were not trained on, a .spacy file.", exists=True),
    ],
    output: Annotated[Path, typer.Argument(help="Folder for the pipeline with what was fitted.")],
    component: Annotated[
        str | None, typer.Option("--component", help="Name of the text classifier; by default all there are.")
    ] = None,
    precision: Annotated[
        float | None,
        typer.Option(
            "--precision",
            help="Thresholds that keep this share of each label's decisions right.",
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
        typer.Option("--abstain-below", help="Choose no category below this probability.", min=0, max=1),
    ] = None,
    temperature: Annotated[
        bool, typer.Option(help="Fit a temperature, so that probabilities can be believed.")
    ] = True,
    code: Code = None,
) -> None:
    """Fit temperature and thresholds of text classifiers, and save the pipeline with them.

    `ferrule evaluate` then shows the calibration error, and the decisions' precision, recall and coverage.
    """
    from ferrule.cli.overrides import run_code

    if precision is not None and beta is not None:
        raise ValueError("--precision and --beta both choose thresholds; give one of them")
    run_code(code)
    import ferrule
    from ferrule.training.corpus import Corpus

    nlp = ferrule.load(model)
    classifiers = text_classifiers(nlp, component)
    examples = list(Corpus(data)(nlp))
    if not examples:
        raise ValueError(f"{data}: no documents to fit on")
    # Components before the classifier may have to run first, so all do.
    for example, doc in zip(examples, nlp.pipe([example.predicted for example in examples]), strict=True):
        example.predicted = doc
    for name, pipe in classifiers.items():
        if temperature:
            found = pipe.calibrate(examples)
            typer.echo(
                f"{name}: temperature {found['temperature']:.3f}, expected calibration error "
                f"{100 * found['ece_before']:.2f} before, {100 * found['ece_after']:.2f} after "
                f"(per cent, {len(examples)} documents)"
            )
        if precision is not None or beta is not None:
            thresholds = pipe.fit_thresholds(
                examples, precision=precision, beta=1.0 if beta is None else beta
            )
            typer.echo(f"{name}: thresholds for {len(thresholds)} of {len(pipe.labels)} labels")
        if abstain_below is not None:
            pipe.abstain_below = abstain_below
            typer.echo(f"{name}: chooses no category below {abstain_below}")
    nlp.to_disk(output)
    typer.echo(f"Saved: {output}")


def text_classifiers(nlp: Any, name: str | None) -> dict[str, Any]:
    """The text classifiers of a pipeline by name, or the one called `name`.

    Raises ValueError if there is none.
    """
    from ferrule.pipeline.category_decisions import CategoryDecisions

    found = {key: pipe for key, pipe in nlp.pipeline if isinstance(pipe, CategoryDecisions)}
    if name is None and found:
        return found
    if name in found:
        return {str(name): found[str(name)]}
    wanted = "no text classifier" if name is None else f"no text classifier called {name!r}"
    raise ValueError(
        f"the pipeline has {wanted}; its components are {', '.join(nlp.pipe_names) or 'none'}. Entities are "
        'calibrated from Python: nlp.get_pipe("ner").calibrate(examples)'
    )
