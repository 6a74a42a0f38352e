"""Calibrate a saved entity recognizer on the development part, and print what its probabilities are worth.

    python examples/wnut17/calibrate.py MODEL CORPUS [--output FOLDER]

MODEL is a folder that ``ferrule train`` wrote, CORPUS as for ``compare.py``. With ``--output`` the calibrated
pipeline, thresholds included, is saved there.

Columns: precision, recall, F1; the expected calibration error of the entities that are given, in ten bins of
equal width, and where it lies in 95 of 100 bootstrapped samples; in ten bins of equally many entities; what
it would be by chance if every probability were just right; the log loss; how many entities. "Held out" are
the development part's entities, each fifth calibrated on the other four.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import ferrule
from ferrule.pipeline.entity_scores import scores_in
from ferrule.scorer.calibration import (
    calibration_error_by_chance,
    calibration_error_interval,
    expected_calibration_error,
    log_loss,
)
from ferrule.tokens import Doc, DocBin
from ferrule.training import Example

N_FOLDS = 5


def examples_of(nlp: Any, path: Path) -> list[Example]:
    """The corpus on its own tokens, brought as far as the recognizer's place in the pipeline."""
    examples = []
    with nlp.select_pipes(disable=["ner"]):
        for reference in DocBin().from_disk(path).get_docs(nlp.vocab):
            words, spaces = [t.text for t in reference], [bool(t.whitespace_) for t in reference]
            examples.append(Example(nlp(Doc(nlp.vocab, words=words, spaces=spaces)), reference))
    return examples


def show(title: str, nlp: Any, path: Path) -> None:
    """Print how good the entities found in a part are, and how true their probabilities."""
    ner, examples = nlp.get_pipe("ner"), examples_of(nlp, path)
    for example in examples:
        ner(example.predicted)
    scores = ner.score(examples)
    quality = "  ".join(f"{name} {scores[f'ents_{name}']:.3f}" for name in "prf")
    print(f"{title:28} {quality}  {described(*scores_in(examples, ner.scores_key))}")


def described(probabilities: list[float], correct: list[bool]) -> str:
    """How true the probabilities are, in a line."""
    error = expected_calibration_error(probabilities, correct)
    low, high = calibration_error_interval(probabilities, correct)
    equal_mass = expected_calibration_error(probabilities, correct, equal_mass=True)
    return (
        f"ECE {error:.3f} ({low:.3f}-{high:.3f})  equal mass {equal_mass:.3f}  "
        f"by chance {calibration_error_by_chance(probabilities):.3f}  "
        f"loss {log_loss(probabilities, correct):.3f}  {len(correct)} entities"
    )


def show_held_out(nlp: Any, path: Path) -> None:
    """Print how true the probabilities of each fifth of a part are, calibrated on the other four."""
    ner, examples = nlp.get_pipe("ner"), examples_of(nlp, path)
    probabilities: list[float] = []
    correct: list[bool] = []
    for fold in range(N_FOLDS):
        ner.calibrate([each for i, each in enumerate(examples) if i % N_FOLDS != fold])
        held_out = examples_of(nlp, path)[fold::N_FOLDS]
        for example in held_out:
            ner(example.predicted)
        found = scores_in(held_out, ner.scores_key)
        probabilities += found[0]
        correct += found[1]
    print(f"{'dev, held out':28} {'':23}  {described(probabilities, correct)}")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    nlp = ferrule.load(options.model)
    ner = nlp.get_pipe("ner")
    ner.scores_key = "ents_scored"
    dev, test = (options.corpus / f"wnut17-{part}.spacy" for part in ("dev", "test"))
    for title, path in (("dev", dev), ("test", test)):
        show(f"{title}, as trained", nlp, path)
    report = ner.calibrate(examples_of(nlp, dev), per_label=False)
    for title, path in (("dev", dev), ("test", test)):
        show(f"{title}, temperature {report.temperature:.2f}", nlp, path)
    show_held_out(nlp, dev)
    report = ner.calibrate(examples_of(nlp, dev))
    for title, path in (("dev", dev), ("test", test)):
        show(f"{title}, {report.temperature:.2f} and odds", nlp, path)
    print("odds times", {label or "others": round(odds, 2) for label, odds in ner.odds.items()})
    ner.fit_thresholds(examples_of(nlp, dev), min_precision=0.7, per_label=False)
    show(f"test, threshold {ner.threshold:.2f} (p 0.7)", nlp, test)
    ner.threshold = 0.0
    ner.fit_thresholds(examples_of(nlp, dev))
    for title, path in (("dev", dev), ("test", test)):
        show(f"{title}, best thresholds", nlp, path)
    if options.output is not None:
        nlp.to_disk(options.output)


if __name__ == "__main__":
    main()
