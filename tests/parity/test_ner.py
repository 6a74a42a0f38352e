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
# Draws of dropout masks; how far apart two means of so many may be, in squared standard errors: one, more or
# less, since a gradient's numbers move together; and how well their spread is known, over all arrays.
N_DRAWS, DISTANCE_LIMIT, SPREAD_TOLERANCE = 60, 3.0, 0.15


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
    found, wanted = (
        _gradient_of_an_update(*each, drop=0.0) for each in _both(spacys, shared_data, n_sentences=64)
    )
    assert found.keys() == wanted.keys()
    for key, expected in wanted.items():
        difference = np.linalg.norm(found[key] - expected)
        assert difference <= GRADIENT_TOLERANCE * np.linalg.norm(expected), key


def test_gradients_under_dropout_have_spacys_mean_and_spread(spacys: Any, shared_data: Path) -> None:
    fix_random_seed(0)
    moments = []
    for component, examples in _both(spacys, shared_data, n_sentences=8):
        # Not of the tables, which are large: what comes to them has come through the first maxout.
        draws = [
            {
                key: gradient
                for key, gradient in _gradient_of_an_update(component, examples, drop=0.2).items()
                if key[-1] != "E"
            }
            for _ in range(N_DRAWS)
        ]
        stacked = {key: np.stack([draw[key] for draw in draws], dtype=np.float64) for key in draws[0]}
        moments.append({key: (each.mean(0), each.var(0, ddof=1)) for key, each in stacked.items()})
    found, wanted = moments
    assert found.keys() == wanted.keys()
    ratios = []
    for key, (mean, variance) in wanted.items():
        distance = np.sum((found[key][0] - mean) ** 2)
        spread, expected = found[key][1].sum(), variance.sum()
        assert distance <= DISTANCE_LIMIT * (spread + expected) / N_DRAWS, key
        ratios.append(spread / expected)
    assert np.mean(ratios) == pytest.approx(1.0, abs=SPREAD_TOLERANCE)


def _both(spacys: Any, folder: Path, *, n_sentences: int) -> list[tuple[Any, list[Any]]]:
    """The trained recognizer here and in spaCy, documents not cut, each with the same examples."""
    both = []
    for library, kinds in (
        (ferrule, (FerruleExample, Doc)),
        (spacy, (spacy.training.Example, spacy.tokens.Doc)),
    ):
        component = library.blank("en").add_pipe("ner", config={"update_with_oracle_cut_size": 0})
        component.from_bytes(spacys.get_pipe("ner").to_bytes(exclude=["vocab"]), exclude=["vocab", "cfg"])
        sentences = _sentences(folder, "train", n_sentences)
        both.append((component, [_example(*kinds, component.vocab, *each) for each in sentences]))
    return both


def _gradient_of_an_update(component: Any, examples: list[Any], *, drop: float) -> dict[Any, Any]:
    """The gradient by each parameter, by its node's place and its name; none is left in the model."""
    component.update(examples, drop=drop, sgd=None)
    gradients = {}
    for place, node in enumerate(component.model.walk()):
        for name in node.grad_names:
            gradient = node.get_grad(name)
            gradients[place, node.name, name] = gradient.copy()
            gradient[...] = 0
    return gradients


def _example(kind: Any, doc: Any, vocab: Any, words: list[str], tags: list[str]) -> Any:
    return kind(doc(vocab, words=words), doc(vocab, words=words, ents=tags))
