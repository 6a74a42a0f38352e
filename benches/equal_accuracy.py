"""Train one tagger with spaCy and with Ferrule on the same data, and tag the test set with the same weights.

    python benches/equal_accuracy.py [--epochs N] [--data FOLDER]

Prints the XPOS accuracy of both on the test part of the English Web Treebank, and that of Ferrule's own
network (`ferrule.HashEmbedCNN.v1`); then how far the scores of spaCy's weights differ when Ferrule runs them,
and how many tags. Ends with status 1 where an accuracy differs from spaCy's by more than 0.3 points, a score
by more than 1e-4, or a tag at all.

Both get the default tagger, the same batches of about 1,000 words in the same order, dropout 0.1, and Adam
with clipping whose rate falls from 0.003 to 0. Dropout masks and first weights are each library's own.
"""

from __future__ import annotations

import argparse
import gzip
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import spacy
import thinc.optimizers
from spacy.tokens import Doc as SpacyDoc
from spacy.training import Example as SpacyExample
from thinc.api import fix_random_seed
from thinc.schedules import warmup_linear

import ferrule
from ferrule.optimizer import Adam
from ferrule.pipeline.default_models import DEFAULT_TOK2VEC_MODEL
from ferrule.tokens import Doc
from ferrule.training.example import Example

EWT = Path(__file__).resolve().parents[2] / "shared" / "data" / "ud_ewt"
WORDS_PER_BATCH = 1000
MOST_POINTS_APART = 0.3
SCORE_TOLERANCE = 1e-4

Sentence = tuple[list[str], list[str]]


def sentences(file: Path) -> list[Sentence]:
    """The words and XPOS tags of each sentence of a gzipped CoNLL-U file."""
    found: list[Sentence] = []
    with gzip.open(file, "rt", encoding="utf8") as lines:
        for block in lines.read().split("\n\n"):
            rows = [line.split("\t") for line in block.splitlines()]
            rows = [row for row in rows if row[0].isdigit()]
            if rows:
                found.append(([row[1] for row in rows], [row[4] for row in rows]))
    return found


def batches(n_words: Sequence[int], epochs: int) -> Iterator[list[int]]:
    """Indices of sentences, about `WORDS_PER_BATCH` words at a time, shuffled in each epoch."""
    order = list(range(len(n_words)))
    shuffle = random.Random(0)
    for _ in range(epochs):
        shuffle.shuffle(order)
        batch: list[int] = []
        for index in order:
            batch.append(index)
            if sum(n_words[index] for index in batch) >= WORDS_PER_BATCH:
                yield batch
                batch = []
        if batch:
            yield batch


def train(
    nlp: Any, settings: dict[str, Any], examples: list[Any], plan: list[list[int]], optimizer: Any
) -> float:
    """Train a tagger with these settings in `nlp` and return the seconds that the updates took."""
    fix_random_seed(0)
    nlp.add_pipe("tagger", config=settings)
    nlp.initialize(lambda: examples)
    start = time.perf_counter()
    for batch in plan:
        nlp.update([examples[index] for index in batch], sgd=optimizer, drop=0.1)
        optimizer.step_schedules()
    return time.perf_counter() - start


def tags(tagger: Any, docs: list[Any]) -> list[str]:
    """The tag that `tagger` gives each token."""
    return [token.tag_ for doc in tagger.pipe(docs) for token in doc]


def percent_equal(found: list[str], gold: list[str]) -> float:
    """How many of a hundred tags are the gold ones."""
    return 100.0 * sum(a == b for a, b in zip(found, gold, strict=True)) / len(gold)


def main() -> int:
    """Run both comparisons; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--data", type=Path, default=EWT, help="folder of the en_ewt-ud-*.conllu.gz files")
    asked = parser.parse_args()
    training = sentences(asked.data / "en_ewt-ud-train.conllu.gz")
    test = sentences(asked.data / "en_ewt-ud-test.conllu.gz")
    gold = [tag for _, sentence_tags in test for tag in sentence_tags]
    plan = list(batches([len(words) for words, _ in training], asked.epochs))
    n_words = asked.epochs * sum(len(words) for words, _ in training)
    print(f"training: {asked.epochs} epochs, {len(plan)} steps, {n_words:,} words; test: {len(gold):,} words")

    fast = {**DEFAULT_TOK2VEC_MODEL, "@architectures": "ferrule.HashEmbedCNN.v1"}
    own = {"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": fast}}
    pipelines: dict[str, tuple[Any, ...]] = {
        "spaCy": (spacy.blank("en"), {}, SpacyDoc, SpacyExample, thinc.optimizers.Adam),
        "Ferrule": (ferrule.blank("en"), {}, Doc, Example, Adam),
        "Ferrule, own network": (ferrule.blank("en"), own, Doc, Example, Adam),
    }
    accuracy = {}
    for name, (nlp, settings, doc_class, example_class, adam) in pipelines.items():
        examples = [
            example_class.from_dict(doc_class(nlp.vocab, words=words), {"tags": gold_tags})
            for words, gold_tags in training
        ]
        rate = warmup_linear(0.003, len(plan) // 20, len(plan))
        optimizer = adam(rate, L2=0.01, grad_clip=1.0, use_averages=False)
        seconds = train(nlp, settings, examples, plan, optimizer)
        docs = [doc_class(nlp.vocab, words=words) for words, _ in test]
        accuracy[name] = percent_equal(tags(nlp.get_pipe("tagger"), docs), gold)
        print(f"{name:20} XPOS accuracy {accuracy[name]:6.2f} %   {n_words / seconds:9,.0f} words a second")
    apart = [accuracy[name] - accuracy["spaCy"] for name in ("Ferrule", "Ferrule, own network")]
    print(f"differences {apart[0]:+.2f} and {apart[1]:+.2f} points (at most {MOST_POINTS_APART})")

    spacys, ours = (pipelines[name][0].get_pipe("tagger") for name in ("spaCy", "Ferrule"))
    ours.from_bytes(spacys.to_bytes(exclude=["vocab"]), exclude=["vocab"])
    spacy_docs = [SpacyDoc(spacys.vocab, words=words) for words, _ in test]
    our_docs = [Doc(ours.vocab, words=words) for words, _ in test]
    spacy_scores = np.concatenate(spacys.model.predict(spacy_docs))
    our_scores = np.concatenate(ours.model.predict(our_docs))
    off = float(np.abs(our_scores - spacy_scores).max())
    pairs = zip(tags(ours, our_docs), tags(spacys, spacy_docs), strict=True)
    n_other = sum(a != b for a, b in pairs)
    print(
        f"spaCy's weights in Ferrule: scores differ by at most {off:.1e}, tags in {n_other} of {len(gold):,}"
    )
    good = max(map(abs, apart)) <= MOST_POINTS_APART and off <= SCORE_TOLERANCE and n_other == 0
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
