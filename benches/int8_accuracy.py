"""How many tags differ when trained taggers predict in bytes, and whether that costs accuracy.

    python benches/int8_accuracy.py [--epochs N] [--seeds 0 1 2] [--documents 64 256 2048] [--data FOLDER]

Trains the default tagger and Ferrule's own network on the English Web Treebank, finds the ranges in the first
training documents (256), and tags the test part in float32 and in bytes. Ends with status 1 where more than
0.1 % of the tags differ.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from thinc.api import fix_random_seed
from thinc.schedules import warmup_linear

import ferrule
from equal_accuracy import EWT, batches, percent_equal, sentences, tags
from ferrule.language import Language
from ferrule.optimizer import Adam
from ferrule.pipeline.default_models import DEFAULT_TOK2VEC_MODEL
from ferrule.tokens import Doc
from ferrule.training.example import Example

ARCHITECTURES = ("spacy.HashEmbedCNN.v2", "ferrule.HashEmbedCNN.v1")
Sentence = tuple[list[str], list[str]]
MOST_PER_CENT_DIFFERENT = 0.1


def main() -> int:
    """Train and compare; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument(
        "--documents", type=int, nargs="+", default=[256], help="documents to take ranges from"
    )
    parser.add_argument("--data", type=Path, default=EWT, help="folder of the en_ewt-ud-*.conllu.gz files")
    asked = parser.parse_args()
    training = sentences(asked.data / "en_ewt-ud-train.conllu.gz")
    test = sentences(asked.data / "en_ewt-ud-test.conllu.gz")
    gold = [tag for _, sentence_tags in test for tag in sentence_tags]
    good = True
    for architecture, seed in itertools.product(ARCHITECTURES, asked.seeds):
        nlp = trained(architecture, training, asked.epochs, seed)
        exact = tags_of_test(nlp, test)
        print(f"{architecture}, seed {seed}: XPOS accuracy {percent_equal(exact, gold):.3f} % in float32")
        for n_documents in asked.documents:
            nlp.quantize([Doc(nlp.vocab, words=words) for words, _ in training[:n_documents]])
            in_bytes = tags_of_test(nlp, test)
            nlp.dequantize()
            n_other = sum(a != b for a, b in zip(exact, in_bytes, strict=True))
            good = good and n_other <= MOST_PER_CENT_DIFFERENT / 100 * len(gold)
            print(
                f"  in bytes, ranges from {n_documents:,} documents: {n_other} of {len(gold):,} tags differ, "
                f"accuracy {percent_equal(in_bytes, gold):.3f} %",
                flush=True,
            )
    return 0 if good else 1


def trained(architecture: str, training: Sequence[Sentence], epochs: int, seed: int) -> Language:
    """A tagger with an encoder of `architecture`, trained on `training`."""
    nlp = ferrule.blank("en")
    examples = [
        Example.from_dict(Doc(nlp.vocab, words=words), {"tags": gold_tags}) for words, gold_tags in training
    ]
    encoder = {**DEFAULT_TOK2VEC_MODEL, "@architectures": architecture}
    fix_random_seed(seed)
    nlp.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": encoder}})
    nlp.initialize(lambda: examples)
    plan = list(batches([len(words) for words, _ in training], epochs))
    optimizer = Adam(
        warmup_linear(0.003, len(plan) // 20, len(plan)), L2=0.01, grad_clip=1.0, use_averages=False
    )
    for batch in plan:
        nlp.update([examples[index] for index in batch], sgd=optimizer, drop=0.1)
        optimizer.step_schedules()
    return nlp


def tags_of_test(nlp: Language, test: Sequence[Sentence]) -> list[str]:
    """The tags of all words of `test`, in order, that the tagger of `nlp` predicts."""
    return tags(nlp.get_pipe("tagger"), [Doc(nlp.vocab, words=words) for words, _ in test])


if __name__ == "__main__":
    sys.exit(main())
