"""Calibrate a saved entity recognizer on the development part, and print what its probabilities are worth.

    python examples/wnut17/calibrate.py MODEL CORPUS [--output FOLDER]

MODEL is a folder that ``ferrule train`` wrote, CORPUS as for ``compare.py``. With ``--output`` the calibrated
pipeline, thresholds included, is saved there.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import ferrule
from ferrule.tokens import Doc, DocBin
from ferrule.training import Example


def examples_of(nlp: Any, path: Path) -> list[Example]:
    """The corpus on its own tokens, brought as far as the recognizer's place in the pipeline."""
    examples = []
    with nlp.select_pipes(disable=["ner"]):
        for reference in DocBin().from_disk(path).get_docs(nlp.vocab):
            words, spaces = [t.text for t in reference], [bool(t.whitespace_) for t in reference]
            examples.append(Example(nlp(Doc(nlp.vocab, words=words, spaces=spaces)), reference))
    return examples


def show(title: str, nlp: Any, path: Path) -> None:
    """Print precision, recall, F1 and calibration error of the entities found in a part."""
    ner, examples = nlp.get_pipe("ner"), examples_of(nlp, path)
    for example in examples:
        ner(example.predicted)
    scores = ner.score(examples)
    found = sum(len(example.predicted.ents) for example in examples)
    figures = "  ".join(f"{name} {scores[f'ents_{name}']:.4f}" for name in ("p", "r", "f", "ece"))
    print(f"{title:38} {figures}  {found} entities")


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
    report = ner.calibrate(examples_of(nlp, dev))
    for title, path in (("dev", dev), ("test", test)):
        show(f"{title}, temperature {report.temperature:.2f}", nlp, path)
    ner.fit_thresholds(examples_of(nlp, dev), min_precision=0.7, per_label=False)
    show(f"test, threshold {ner.threshold:.2f} (precision 0.7)", nlp, test)
    ner.threshold = 0.0
    ner.fit_thresholds(examples_of(nlp, dev))
    for title, path in (("dev", dev), ("test", test)):
        show(f"{title}, thresholds of the best F1", nlp, path)
    if options.output is not None:
        nlp.to_disk(options.output)


if __name__ == "__main__":
    main()
