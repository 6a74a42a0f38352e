"""Entity recognizers trained in spaCy find the same entities here, and the other way round."""

from __future__ import annotations

import gzip
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from thinc.api import NumpyOps, fix_random_seed

import ferrule
from ferrule.ml import transition
from ferrule.tokens import Doc
from ferrule.training import Example as FerruleExample

spacy = pytest.importorskip("spacy")

N_TRAIN, N_COMPARED, N_STEPS = 300, 300, 30
# Of the length of each gradient: float32 sums over all tokens in another order.
GRADIENT_TOLERANCE = 1e-3


def _sentences(folder: Path, part: str, limit: int) -> list[tuple[list[str], list[str]]]:
    text = gzip.decompress((folder / "wnut17" / f"wnut17-{part}.conll.gz").read_bytes()).decode("utf8")
    blocks = [block for block in text.split("\n\n") if block.strip()][:limit]
    rows = [[line.split("\t") for line in block.splitlines() if line.strip()] for block in blocks]
    return [([row[0] for row in block], [row[1] for row in block]) for block in rows]


def _entities(doc: Any) -> list[tuple[int, int, str]]:
    return [(ent.start, ent.end, ent.label_) for ent in doc.ents]


@pytest.fixture(scope="module")
def spacys(shared_data: Path) -> Any:
    """A pipeline that spaCy trained for a few steps: enough to find some entities."""
    from spacy.training import Example

    fix_random_seed(0)
    random.seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("ner")
    examples = [
        Example(spacy.tokens.Doc(nlp.vocab, words=words), spacy.tokens.Doc(nlp.vocab, words=words, ents=tags))
        for words, tags in _sentences(shared_data, "train", N_TRAIN)
    ]
    nlp.initialize(lambda: examples)
    optimizer = nlp.create_optimizer()
    optimizer.learn_rate = 0.005
    for _ in range(N_STEPS):
        nlp.update(random.sample(examples, 32), sgd=optimizer)
    return nlp


def _same_entities(one: Any, other: Any, one_doc: Any, other_doc: Any, folder: Path) -> int:
    n_found = 0
    for words, _ in _sentences(folder, "dev", N_COMPARED):
        first, second = one_doc(one.vocab, words=words), other_doc(other.vocab, words=words)
        one.get_pipe("ner")(first)
        other.get_pipe("ner")(second)
        assert _entities(first) == _entities(second)
        assert [token.ent_iob_ for token in first] == [token.ent_iob_ for token in second]
        n_found += len(first.ents)
    return n_found


def test_bytes_that_spacy_trained_find_the_same_entities(spacys: Any, shared_data: Path) -> None:
    theirs = spacys.get_pipe("ner")
    nlp = ferrule.blank("en")
    ours = nlp.add_pipe("ner").from_bytes(theirs.to_bytes(exclude=["vocab"]), exclude=["vocab"])
    assert ours.labels == theirs.labels
    assert ours.move_names == theirs.move_names
    assert ours.model.to_bytes() == theirs.model.to_bytes()
    assert _same_entities(nlp, spacys, Doc, spacy.tokens.Doc, shared_data) > 0


def test_a_folder_moves_there_and_back(spacys: Any, shared_data: Path, tmp_path: Path) -> None:
    theirs = spacys.get_pipe("ner")
    theirs.to_disk(tmp_path / "theirs", exclude=["vocab"])
    nlp = ferrule.blank("en")
    nlp.add_pipe("ner").from_disk(tmp_path / "theirs", exclude=["vocab"])
    nlp.get_pipe("ner").to_disk(tmp_path / "ours", exclude=["vocab"])
    again = spacy.blank("en")
    back = again.add_pipe("ner").from_disk(tmp_path / "ours", exclude=["vocab"])
    assert back.move_names == theirs.move_names
    assert _same_entities(nlp, again, Doc, spacy.tokens.Doc, shared_data) > 0


def test_gradients_are_spacys(spacys: Any, shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without dropout, whose masks differ; spaCy asks its ops for one of a tenth in any case.
    monkeypatch.setattr(transition, "HIDDEN_DROPOUT", 0.0)
    monkeypatch.setattr(NumpyOps, "get_dropout_mask", lambda ops, shape, drop: np.ones(shape, dtype="f"))
    nlp = ferrule.blank("en")
    settings = {"update_with_oracle_cut_size": 0}
    ours = nlp.add_pipe("ner", config=settings)
    ours.from_bytes(spacys.get_pipe("ner").to_bytes(exclude=["vocab"]), exclude=["vocab", "cfg"])
    theirs = spacy.blank("en").add_pipe("ner", config=settings)
    theirs.from_bytes(spacys.get_pipe("ner").to_bytes(exclude=["vocab"]), exclude=["vocab", "cfg"])
    sentences = _sentences(shared_data, "train", N_TRAIN)[:64]
    ours.update([_example(FerruleExample, Doc, nlp.vocab, *each) for each in sentences], sgd=None)
    kinds = (spacy.training.Example, spacy.tokens.Doc, theirs.vocab)
    theirs.update([_example(*kinds, *each) for each in sentences], sgd=None)
    for own, other in zip(ours.model.walk(), theirs.model.walk(), strict=True):
        assert own.param_names == other.param_names
        for name in other.grad_names:
            expected = np.asarray(other.get_grad(name))
            difference = np.linalg.norm(np.asarray(own.get_grad(name)) - expected)
            assert difference <= GRADIENT_TOLERANCE * np.linalg.norm(expected), (own.name, name)


def _example(kind: Any, doc: Any, vocab: Any, words: list[str], tags: list[str]) -> Any:
    return kind(doc(vocab, words=words), doc(vocab, words=words, ents=tags))
