"""Examples as flat arrays: the same as what each example says by itself."""

from __future__ import annotations

import random

import numpy as np
import pytest
from spacy.tokens import Doc as SpacyDoc
from spacy.vocab import Vocab as SpacyVocab

from ferrule.errors import AlignmentError
from ferrule.pipeline.gold_labels import aligned_ids
from ferrule.tokens import Doc
from ferrule.training.aligned_batch import EXAMPLES_AT_A_TIME, AlignedBatch, aligned_batches
from ferrule.training.example import Example
from ferrule.vocab import Vocab

VOCAB, SPACY_VOCAB = Vocab(), SpacyVocab()


def cut(rng: random.Random, text: str) -> list[str]:
    words, start = [], 0
    while start < len(text):
        end = start + rng.randint(1, 3)
        words.append(text[start:end])
        start = end
    return words


def examples(n_examples: int, *, native: bool = True) -> list[Example]:
    rng = random.Random(3)
    found = []
    for _ in range(n_examples):
        text = "".join(rng.choice("abc") for _ in range(rng.randint(0, 9)))
        x, y = cut(rng, text), cut(rng, text)
        y = x if rng.random() < 0.5 else y
        tags = [rng.choice(["A", "B", ""]) for _ in y]
        made = (Doc, VOCAB) if native else (SpacyDoc, SPACY_VOCAB)
        found.append(Example(made[0](made[1], words=x), made[0](made[1], words=y, tags=tags)))
    return found


@pytest.mark.parametrize("native", [True, False], ids=["ferrule docs", "spacy docs"])
def test_rows_and_columns_are_those_of_the_examples(native: bool) -> None:
    several = examples(60, native=native)
    batch = AlignedBatch(several)
    x_start = y_start = 0
    for example in several:
        alignment, n_x, n_y = example.alignment, len(example.predicted), len(example.reference)
        for i in range(n_x):
            assert batch.x2y[x_start + i].tolist() == (alignment.x2y[i] + y_start).tolist()
        for i in range(n_y):
            assert batch.y2x[y_start + i].tolist() == (alignment.y2x[i] + x_start).tolist()
        tags = batch.reference_columns("ORTH", "TAG")[y_start : y_start + n_y, 1]
        assert tags.tolist() == [token.tag for token in example.reference]
        x_start, y_start = x_start + n_x, y_start + n_y
    assert batch.x_lengths.tolist() == [len(example.predicted) for example in several]


@pytest.mark.parametrize("native", [True, False], ids=["ferrule docs", "spacy docs"])
def test_gold_labels_are_those_each_example_aligns(native: bool) -> None:
    several = examples(60, native=native)
    expected = [value or 0 for example in several for value in example.get_aligned("TAG")]
    found = aligned_ids(several, "TAG")
    assert found.dtype == np.uint64 and found.tolist() == expected
    assert aligned_ids([], "TAG").tolist() == []


def test_other_texts_are_refused_with_the_place() -> None:
    good = Example(Doc(VOCAB, words=["a"]), Doc(VOCAB, words=["a"]))
    bad = Example(Doc(VOCAB, words=["a", "b"]), Doc(VOCAB, words=["a", "c"]))
    with pytest.raises(AlignmentError, match=r"document 1 of the batch.*token 1"):
        AlignedBatch([good, bad])


def test_a_stream_is_read_batch_by_batch() -> None:
    one = Example(Doc(VOCAB, words=["a"]), Doc(VOCAB, words=["a"]))
    read = 0

    def stream():
        nonlocal read
        for _ in range(EXAMPLES_AT_A_TIME + 5):
            read += 1
            yield one

    batches = aligned_batches(stream())
    assert len(next(batches).examples) == EXAMPLES_AT_A_TIME == read
    assert len(next(batches).examples) == 5 and next(batches, None) is None


def test_documents_of_several_vocabularies_have_their_strings() -> None:
    other = Vocab()
    batch = AlignedBatch(
        [
            Example(Doc(vocab, words=["a"]), Doc(vocab, words=["a"], tags=[tag]))
            for vocab, tag in ((VOCAB, "Here"), (other, "OnlyThere"))
        ]
    )
    ids = batch.reference_columns("TAG")[:, 0].tolist()
    assert [batch.string(id_) for id_ in ids] == ["Here", "OnlyThere"]
    with pytest.raises(KeyError, match="no string with id 1234567"):
        batch.string(1234567)
