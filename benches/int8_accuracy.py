"""How many tags differ when trained taggers predict in bytes, and whether that costs accuracy.

    python benches/int8_accuracy.py [--epochs N] [--seeds 0 1 2] [--data FOLDER]

Trains the default tagger and Ferrule's own network on the English Web Treebank, finds the ranges in the first
256 training documents, and tags the test part in float32 and in bytes. Ends with status 1 where more than
0.1 % of the tags differ.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from thinc.api import fix_random_seed
from thinc.schedules import warmup_linear

import ferrule
from equal_accuracy import EWT, NETWORK, batches, percent_equal, sentences, tags
from ferrule.optimizer import Adam
from ferrule.tokens import Doc
from ferrule.training.example import Example

N_DOCUMENTS = 256
MOST_PER_CENT_DIFFERENT = 0.1


def main() -> int:
    """Train and compare; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--data", type=Path, default=EWT, help="folder of the en_ewt-ud-*.conllu.gz files")
    asked = parser.parse_args()
    training = sentences(asked.data / "en_ewt-ud-train.conllu.gz")
    test = sentences(asked.data / "en_ewt-ud-test.conllu.gz")
    gold = [tag for _, sentence_tags in test for tag in sentence_tags]
    plan = list(batches([len(words) for words, _ in training], asked.epochs))
    good = True
    for architecture in ("spacy.HashEmbedCNN.v2", "ferrule.HashEmbedCNN.v1"):
        for seed in asked.seeds:
            nlp = ferrule.blank("en")
            examples = [
                Example.from_dict(Doc(nlp.vocab, words=words), {"tags": gold_tags})
                for words, gold_tags in training
            ]
            encoder = {"@architectures": architecture, **NETWORK}
            fix_random_seed(seed)
            tagger = nlp.add_pipe(
                "tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": encoder}}
            )
            nlp.initialize(lambda examples=examples: examples)
            rate = warmup_linear(0.003, len(plan) // 20, len(plan))
            optimizer = Adam(rate, L2=0.01, grad_clip=1.0, use_averages=False)
            for batch in plan:
                nlp.update([examples[index] for index in batch], sgd=optimizer, drop=0.1)
                optimizer.step_schedules()
            before = tags(tagger, [Doc(nlp.vocab, words=words) for words, _ in test])
            nlp.quantize([example.reference for example in examples[:N_DOCUMENTS]])
            after = tags(tagger, [Doc(nlp.vocab, words=words) for words, _ in test])
            n_other = sum(a != b for a, b in zip(before, after, strict=True))
            good = good and n_other <= MOST_PER_CENT_DIFFERENT / 100 * len(gold)
            print(
                f"{architecture}, seed {seed}: {n_other} of {len(gold):,} tags differ; XPOS accuracy "
                f"{percent_equal(before, gold):.3f} % in float32, {percent_equal(after, gold):.3f} % in "
                "bytes",
                flush=True,
            )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
