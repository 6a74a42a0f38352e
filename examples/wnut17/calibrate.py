"""Calibrate saved entity recognizers on the development part, and print what their probabilities are worth.

    python examples/wnut17/calibrate.py CORPUS MODEL [MODEL ...] [--output FOLDER]

CORPUS as for ``compare.py``, MODEL a folder that ``ferrule train`` wrote. With ``--output`` the calibrated
pipeline of the last model, thresholds included, is saved there. Of several models each is printed, then the
means.

A row has precision, recall, F1, and of two kinds of predictions how true their probabilities are: of the
entities that are given, and of all that a document may have, given or not, with a probability of 0.05 or
more. Each time: the expected calibration error in ten bins of equal width; what it would be by chance if
every probability were just right; the root mean square error less what chance adds (Kumar et al. 2019); the
log loss; by how much the mean probability is above the share that is right; how many predictions.

"Held out" are the development part's given entities, each fifth calibrated on the other four. "Not behind @
or #" leaves out of the test part's predictions those that follow a token that is just that: user names and
tags, which only this part has as two tokens.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import ferrule
from ferrule.pipeline.entity_scores import gold_entities, scored_spans
from ferrule.scorer.calibration import (
    calibration_error_by_chance,
    debiased_calibration_error,
    expected_calibration_error,
    log_loss,
)
from ferrule.tokens import Doc, DocBin
from ferrule.training import Example

N_FOLDS = 5
N_FIGURES = 6
LEAST = 0.05
Judged = tuple[list[float], list[bool]]
Counts = Callable[[Any, int], bool]


def examples_of(nlp: Any, path: Path) -> list[Example]:
    """The corpus on its own tokens, brought as far as the recognizer's place in the pipeline."""
    examples = []
    with nlp.select_pipes(disable=["ner"]):
        for reference in DocBin().from_disk(path).get_docs(nlp.vocab):
            words, spaces = [t.text for t in reference], [bool(t.whitespace_) for t in reference]
            examples.append(Example(nlp(Doc(nlp.vocab, words=words, spaces=spaces)), reference))
    return examples


def everywhere(doc: Any, start: int) -> bool:
    """All predictions count."""
    return True


def not_behind_a_sign(doc: Any, start: int) -> bool:
    """Whether the token before `start` is neither a lone @ nor a lone #."""
    return start == 0 or doc[start - 1].text not in ("@", "#")


def given(ner: Any, examples: list[Example], counts: Counts) -> Judged:
    """Probabilities of the entities in the predictions, and whether each is a gold one."""
    rows = [
        (score, entity in gold_entities(example))
        for example in examples
        for entity, score in scored_spans(example.predicted, ner.scores_key)
        if counts(example.predicted, entity[0])
    ]
    return [score for score, _ in rows], [correct for _, correct in rows]


def possible(ner: Any, examples: list[Example], counts: Counts) -> Judged:
    """The same of all entities that the documents may have, with a probability of `LEAST` or more."""
    found = ner.entity_probabilities([example.predicted for example in examples], floor=LEAST)
    rows = [
        (entity.probability, (entity.start, entity.end, entity.label) in gold)
        for example, entities in zip(examples, found, strict=True)
        for gold in [gold_entities(example)]
        for entity in entities
        if counts(example.predicted, entity.start)
    ]
    return [score for score, _ in rows], [correct for _, correct in rows]


def worth(probabilities: list[float], correct: list[bool]) -> list[float]:
    """The six figures of a kind of predictions, as the module's text has them."""
    return [
        expected_calibration_error(probabilities, correct),
        calibration_error_by_chance(probabilities),
        debiased_calibration_error(probabilities, correct),
        log_loss(probabilities, correct),
        float(np.mean(probabilities) - np.mean(correct)) if correct else 0.0,
        len(correct),
    ]


def row(nlp: Any, path: Path, counts: Counts = everywhere) -> list[float]:
    """Precision, recall and F1 unless only some count; figures of given entities, and of possible ones."""
    ner, examples = nlp.get_pipe("ner"), examples_of(nlp, path)
    of_possible = worth(*possible(ner, examples, counts))
    for example in examples:
        ner(example.predicted)
    scores = ner.score(examples)
    quality = [scores[f"ents_{name}"] for name in "prf"] if counts is everywhere else []
    return [*quality, *worth(*given(ner, examples, counts)), *of_possible]


def held_out(nlp: Any, path: Path) -> list[float]:
    """Six figures of the given entities of a part, each fifth calibrated on the other four."""
    ner, examples = nlp.get_pipe("ner"), examples_of(nlp, path)
    probabilities: list[float] = []
    correct: list[bool] = []
    for fold in range(N_FOLDS):
        ner.calibrate([each for i, each in enumerate(examples) if i % N_FOLDS != fold])
        untouched = examples_of(nlp, path)[fold::N_FOLDS]
        for example in untouched:
            ner(example.predicted)
        found = given(ner, untouched, everywhere)
        probabilities += found[0]
        correct += found[1]
    return worth(probabilities, correct)


def described(figures: list[float]) -> str:
    """Six figures in a line."""
    error, chance, debiased, loss, above, number = figures
    return (
        f"ECE {error:.3f} by chance {chance:.3f} debiased {debiased:.3f} loss {loss:.3f} "
        f"above {above:+.3f} of {number:.0f}"
    )


def show(title: str, figures: list[float]) -> None:
    """Print what `row` or `held_out` gave."""
    kinds = (
        [figures]
        if len(figures) == N_FIGURES
        else [figures[-2 * N_FIGURES : -N_FIGURES], figures[-N_FIGURES:]]
    )
    quality = figures[: len(figures) - len(kinds) * N_FIGURES]
    before = f"{title:30} " + "  ".join(
        f"{name} {value:.3f}" for name, value in zip("prf", quality, strict=False)
    )
    for kind, own in zip(("given", "possible"), kinds, strict=False):
        print(f"{before:54} {kind:8} {described(own)}", flush=True)
        before = ""


def rows_of(nlp: Any, dev: Path, test: Path) -> dict[str, list[float]]:
    """Every row of a model, which ends calibrated and with thresholds."""
    ner = nlp.get_pipe("ner")
    ner.scores_key = "ents_scored"
    rows = {"test, as trained": row(nlp, test)}
    ner.calibrate(examples_of(nlp, dev), per_label=False)
    rows["test, temperature"] = row(nlp, test)
    rows["dev, odds, held out"] = held_out(nlp, dev)
    report = ner.calibrate(examples_of(nlp, dev))
    odds = {label or "others": round(odds, 2) for label, odds in ner.odds.items()}
    print(f"temperature {report.temperature:.2f}, odds times {odds}, not found {ner.odds_unless_found:.2f}")
    rows |= {f"{path.stem[7:]}, odds": row(nlp, path) for path in (dev, test)}
    rows["test, odds, not behind @ or #"] = row(nlp, test, not_behind_a_sign)
    ner.fit_thresholds(examples_of(nlp, dev))
    rows["test, best thresholds"] = row(nlp, test)
    return rows


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    dev, test = (options.corpus / f"wnut17-{part}.spacy" for part in ("dev", "test"))
    found: dict[str, list[list[float]]] = {}
    for model in options.models:
        print(model)
        nlp = ferrule.load(model)
        for title, figures in rows_of(nlp, dev, test).items():
            show(title, figures)
            found.setdefault(title, []).append(figures)
    if len(options.models) > 1:
        print(f"means of {len(options.models)}")
        for title, all_figures in found.items():
            show(title, np.mean(all_figures, axis=0).tolist())
    if options.output is not None:
        nlp.to_disk(options.output)


if __name__ == "__main__":
    main()
