"""How many entities differ when trained recognizers predict in bytes, and what that does to F1.

    python benches/int8_entities.py CORPUS MODEL [MODEL ...] [--documents 64 256 2048]

CORPUS and MODELs as for ``examples/wnut17/compare.py --keep``. The ranges come from the first training
documents (256), the entities from the test part, in float32 and in bytes. An entity differs where its tokens
or its label do: what only one of the two finds, as a share of what float32 finds.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

import ferrule
from ferrule.language import Language
from ferrule.tokens import Doc, DocBin

Entities = set[tuple[int, int, int, str]]


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL")
    parser.add_argument("--documents", type=int, nargs="+", default=[256])
    asked = parser.parse_args()
    exact_f1: list[float] = []
    in_bytes: dict[int, list[tuple[float, float]]] = {}
    for model in asked.models:
        nlp = ferrule.load(model)
        gold = entities_of(documents(nlp, asked.corpus, "test"))
        exact = found(nlp, asked.corpus)
        exact_f1.append(f1(exact, gold))
        print(f"{model}: {len(exact)} entities, F1 {exact_f1[-1]:.4f} in float32")
        for n_documents in asked.documents:
            nlp.quantize(untouched(nlp, documents(nlp, asked.corpus, "train")[:n_documents]))
            others = found(nlp, asked.corpus)
            nlp.dequantize()
            share = len(exact ^ others) / max(1, len(exact))
            in_bytes.setdefault(n_documents, []).append((share, f1(others, gold)))
            show(f"  ranges from {n_documents:,} documents", *in_bytes[n_documents][-1])
    print(f"means of {len(exact_f1)}: F1 {statistics.mean(exact_f1):.4f} in float32")
    for n_documents, pairs in in_bytes.items():
        show(f"  ranges from {n_documents:,} documents", *map(statistics.mean, zip(*pairs, strict=True)))


def show(title: str, share: float, score: float) -> None:
    """Print the share of entities that differ, and F1 in bytes."""
    print(f"{title}: {share:.1%} of the entities differ, F1 {score:.4f} in bytes", flush=True)


def documents(nlp: Language, corpus: Path, part: str) -> list[Doc]:
    """A part with its gold entities."""
    return list(DocBin().from_disk(corpus / f"wnut17-{part}.spacy").get_docs(nlp.vocab))


def untouched(nlp: Language, docs: Sequence[Doc]) -> list[Doc]:
    """The same tokens without annotation."""
    return [
        Doc(nlp.vocab, [token.text for token in doc], [bool(token.whitespace_) for token in doc])
        for doc in docs
    ]


def found(nlp: Language, corpus: Path) -> Entities:
    """The entities that `nlp` finds in the test part."""
    return entities_of(list(nlp.pipe(untouched(nlp, documents(nlp, corpus, "test")))))


def entities_of(docs: Sequence[Doc]) -> Entities:
    """Document, first token, behind the last, and label of each entity."""
    return {(index, ent.start, ent.end, ent.label_) for index, doc in enumerate(docs) for ent in doc.ents}


def f1(predicted: Entities, gold: Entities) -> float:
    """F1 of the entities; 0 where there are none."""
    return 2 * len(predicted & gold) / (len(predicted) + len(gold)) if predicted or gold else 0.0


if __name__ == "__main__":
    main()
