"""The corpora of the shared data folder, as what pipelines of either library are trained on."""

from __future__ import annotations

import csv
import gzip
import random
from pathlib import Path
from typing import Any

N_SENTENCES, N_STEPS, BATCH = 200, 12, 24
RARE_WORD = "gimmethat"


def _lines(file: Path) -> str:
    return gzip.decompress(file.read_bytes()).decode("utf8")


def treebank(folder: Path, part: str, limit: int) -> list[dict[str, list[Any]]]:
    """Sentences of the English Web Treebank, as arguments of either library's `Doc`."""
    sentences = []
    for block in _lines(folder / "ud_ewt" / f"en_ewt-ud-{part}.conllu.gz").split("\n\n")[:limit]:
        lines = [line.split("\t") for line in block.splitlines() if not line.startswith("#")]
        rows = [line for line in lines if line[0].isdigit()]
        sentences.append(
            {
                "words": [row[1] for row in rows],
                "spaces": ["SpaceAfter=No" not in row[9] for row in rows],
                "tags": [row[4] for row in rows],
                "pos": [row[3] for row in rows],
                "morphs": [row[5].replace("_", "") for row in rows],
                "lemmas": [row[2] for row in rows],
                "heads": [int(row[6]) - 1 if row[6] != "0" else i for i, row in enumerate(rows)],
                "deps": [row[7] for row in rows],
            }
        )
    return sentences


def entities(folder: Path, part: str, limit: int) -> list[dict[str, list[Any]]]:
    """Messages of WNUT 17 with their entities."""
    blocks = [b for b in _lines(folder / "wnut17" / f"wnut17-{part}.conll.gz").split("\n\n") if b.strip()]
    rows = [[line.split("\t") for line in block.splitlines() if line.strip()] for block in blocks[:limit]]
    return [{"words": [row[0] for row in block], "ents": [row[1] for row in block]} for block in rows]


def questions(folder: Path, part: str, limit: int) -> list[tuple[str, str]]:
    """Questions of banking77 with one of four categories."""
    rows = list(csv.DictReader(_lines(folder / "banking77" / f"banking77-{part}.csv.gz").splitlines()))
    kinds = sorted({row["label"] for row in rows})[:4]
    chosen = [(row["text"], row["label"]) for row in rows if row["label"] in kinds]
    return random.Random(0).sample(chosen, min(limit, len(chosen)))


def joined(sentence: dict[str, list[Any]]) -> str:
    pairs = zip(sentence["words"], sentence["spaces"], strict=True)
    return "".join(word + " " * space for word, space in pairs)


LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "*"}
BOW = {
    "@architectures": "spacy.TextCatBOW.v3",
    "exclusive_classes": False,
    "ngram_size": 2,
    "no_output_layer": False,
    "length": 4096,
}
ENCODER = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    **{"pretrained_vectors": None, "width": 96, "depth": 3, "embed_size": 300},
    **{"window_size": 1, "maxout_pieces": 3, "subword_features": True},
}
ENSEMBLE = {
    "@architectures": "spacy.TextCatEnsemble.v2",
    "tok2vec": ENCODER,
    "linear_model": {**BOW, "exclusive_classes": True, "ngram_size": 1},
}
