"""Does rehearsal keep what a tagger knew? It learns half of the tags, then the other half with and without.

    python examples/rehearsal.py TRAIN.conllu DEV.conllu

Every second tag by frequency belongs to the old half, the others to the new one. First the tagger learns
from sentences in which only old tags are annotated; then it gets the new labels, and learns from sentences
in which only new tags are. With rehearsal each of those steps also practises, on sentences without any
annotation, what the tagger said before. Without arguments it runs on the small corpus beside this file.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from thinc.api import fix_random_seed

import ferrule
from ferrule.language import Language
from ferrule.optimizer import Adam
from ferrule.tokens import Doc
from ferrule.training.converters import convert
from ferrule.training.example import Example

CORPUS = Path(__file__).parent / "railway_desk"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("train", nargs="?", type=Path, default=CORPUS / "train.conllu")
    parser.add_argument("dev", nargs="?", type=Path, default=CORPUS / "dev.conllu")
    parser.add_argument("--steps", type=int, default=400, help="steps on each half (default: 400)")
    parser.add_argument("--words", type=int, default=1000, help="words a batch (default: 1000)")
    parser.add_argument(
        "--rehearsed", type=int, default=100, help="words rehearsed beside such a batch (default: 100)"
    )
    args = parser.parse_args()

    nlp = ferrule.blank("en")
    train, dev = (list(convert(path, vocab=nlp.vocab)) for path in (args.train, args.dev))
    old, new = halves(train)
    print(f"{len(old)} old tags, {len(new)} new ones; share of right tags on {args.dev.name}:")
    print(f"{'':40}{'old tags':>10}{'new tags':>10}")

    nlp = learn_old(train, old, args.steps, args.words)
    report("after learning the old half", nlp, dev, old, new)
    without = learn_new(nlp, train, new, args.steps, args.words)
    report("then the new half, without rehearsal", without, dev, old, new)
    with_it = learn_new(nlp, train, new, args.steps, args.words, args.rehearsed)
    report("then the new half, with rehearsal", with_it, dev, old, new)


def halves(docs: list[Doc]) -> tuple[set[str], set[str]]:
    """Every second tag by frequency, and the others."""
    by_frequency = [tag for tag, _ in Counter(token.tag_ for doc in docs for token in doc).most_common()]
    return set(by_frequency[::2]), set(by_frequency[1::2])


def learn_old(docs: list[Doc], tags: set[str], steps: int, words: int) -> Language:
    """A tagger trained on `docs` with only `tags` annotated, for `steps` batches of about `words` words."""
    fix_random_seed(0)
    nlp = ferrule.blank("en")
    nlp.add_pipe("tagger")
    examples = annotated(nlp, docs, tags)
    nlp.initialize(lambda: examples)
    optimizer = Adam(0.002)
    for _, batch in zip(range(steps), batches(examples, words), strict=False):
        nlp.update(batch, sgd=optimizer, drop=0.1)
    return nlp


def learn_new(
    nlp: Language, docs: list[Doc], tags: set[str], steps: int, words: int, rehearsed: int = 0
) -> Language:
    """A copy of `nlp` that learned `tags` too; each step practised on `rehearsed` words besides."""
    fix_random_seed(1)
    student = ferrule.blank("en")
    student.add_pipe("tagger")
    student.from_bytes(nlp.to_bytes())
    student.resume_training()
    for tag in sorted(tags):
        student.get_pipe("tagger").add_label(tag)
    optimizer = Adam(0.002)
    practice = batches(annotated(student, docs, set()), rehearsed)
    for _, batch in zip(range(steps), batches(annotated(student, docs, tags), words), strict=False):
        if rehearsed:
            # Both gradients, then one step along their sum.
            student.update(batch, sgd=False, drop=0.1)
            student.rehearse(next(practice), sgd=optimizer)
        else:
            student.update(batch, sgd=optimizer, drop=0.1)
    return student


def annotated(nlp: Language, docs: list[Doc], tags: set[str]) -> list[Example]:
    """Examples of the words of `docs` in which all tags but `tags` are missing."""
    examples = []
    for doc in docs:
        words = [token.text for token in doc]
        reference = Doc(nlp.vocab, words=words)
        for token, gold in zip(reference, doc, strict=True):
            if gold.tag_ in tags:
                token.tag_ = gold.tag_
        examples.append(Example(Doc(nlp.vocab, words=words), reference))
    return examples


def batches(examples: list[Example], words: int) -> Iterator[list[Example]]:
    """Batches of about `words` words, in an order drawn anew each time all have come."""
    shuffled = list(examples)
    while True:
        random.shuffle(shuffled)
        batch: list[Example] = []
        size = 0
        for example in shuffled:
            batch.append(example)
            size += len(example.reference)
            if size >= words:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch


def accuracy(nlp: Language, docs: list[Doc], tags: set[str]) -> float:
    """The share of the tokens of `docs` with one of `tags` that `nlp` gives that tag."""
    texts = [Doc(nlp.vocab, words=[token.text for token in doc]) for doc in docs]
    right = [
        token.tag_ == gold.tag_
        for found, doc in zip(nlp.pipe(texts), docs, strict=True)
        for token, gold in zip(found, doc, strict=True)
        if gold.tag_ in tags
    ]
    return sum(right) / max(len(right), 1)


def report(name: str, nlp: Language, docs: list[Doc], old: set[str], new: set[str]) -> None:
    """Print one line of the table."""
    print(f"{name:40}{accuracy(nlp, docs, old):10.1%}{accuracy(nlp, docs, new):10.1%}", flush=True)


if __name__ == "__main__":
    main()
