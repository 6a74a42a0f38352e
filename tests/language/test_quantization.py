"""Token encoders in bytes: what stays the same, what is saved, and what is refused."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest
from thinc.api import fix_random_seed

import ferrule
from ferrule import _core
from ferrule.language import Language
from ferrule.ml.quantization import quantizable_encoders
from ferrule.tokens import Doc
from ferrule.training.example import Example

WORDS = [f"w{number}" for number in range(60)]
# Of tags that two hundred steps have learned; docs/quantization.md has the share on real text.
MOST_DIFFERENT = 0.005
# Byte steps of a 255th of a column's range, through three layers; scores are a few units large.
SCORE_TOLERANCE = 0.5
HASH_EMBED = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "width": 32,
    "depth": 4,
    "embed_size": 300,
    "window_size": 1,
    "maxout_pieces": 3,
    "subword_features": True,
    "pretrained_vectors": None,
}


def sentences(n: int, seed: int) -> list[tuple[list[str], list[str]]]:
    """Words whose tags depend on themselves and on the word before."""
    rng = np.random.default_rng(seed)
    made = []
    for length in rng.integers(1, 15, size=n):
        numbers = rng.integers(0, len(WORDS), size=length)
        before = [0, *numbers[:-1]]
        tags = [f"T{(a % 5) + 5 * (b % 2)}" for a, b in zip(numbers, before, strict=True)]
        made.append(([WORDS[number] for number in numbers], tags))
    return made


def examples(nlp: Language, n: int, seed: int) -> list[Example]:
    return [
        Example.from_dict(Doc(nlp.vocab, words=words), {"tags": tags}) for words, tags in sentences(n, seed)
    ]


def docs(nlp: Language, n: int = 300, seed: int = 9) -> list[Doc]:
    return [Doc(nlp.vocab, words=words) for words, _ in sentences(n, seed)]


def tags(nlp: Language) -> list[str]:
    return [token.tag_ for doc in nlp.pipe(docs(nlp)) for token in doc]


def scores(nlp: Language) -> Any:
    return np.concatenate(nlp.get_pipe("tagger").model.predict(docs(nlp)))


def make(encoder: dict[str, Any], steps: int) -> Language:
    fix_random_seed(0)
    nlp = ferrule.blank("en")
    nlp.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": encoder}})
    data = examples(nlp, 200, 0)
    optimizer = nlp.initialize(lambda: data)
    for step in range(steps):
        nlp.update(data[step % 4 :: 4], sgd=optimizer)
    return nlp


@pytest.fixture(scope="module")
def trained() -> bytes:
    return make(HASH_EMBED, 200).to_bytes()


@pytest.fixture
def nlp(trained: bytes) -> Language:
    nlp = ferrule.blank("en")
    nlp.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": HASH_EMBED}})
    return nlp.from_bytes(trained)


@pytest.fixture
def quantized(nlp: Language) -> Language:
    assert nlp.quantize(docs(nlp, seed=3)) == ["tagger"]
    return nlp


def test_few_tags_differ_and_scores_are_near(nlp: Language) -> None:
    tags_before, scores_before = tags(nlp), scores(nlp)
    nlp.quantize(docs(nlp, seed=3))
    scores_after = scores(nlp)
    assert not np.array_equal(scores_before, scores_after), "nothing ran in bytes"
    assert np.abs(scores_before - scores_after).max() < SCORE_TOLERANCE
    different = sum(a != b for a, b in zip(tags_before, tags(nlp), strict=True))
    assert different <= MOST_DIFFERENT * len(tags_before)


def test_an_encoder_with_zeros_beyond_documents_is_quantized_too() -> None:
    nlp = make({**HASH_EMBED, "@architectures": "ferrule.HashEmbedCNN.v1"}, 40)
    before = scores(nlp)
    assert nlp.quantize(docs(nlp, seed=3)) == ["tagger"]
    after = scores(nlp)
    assert 0 < np.abs(before - after).max() < SCORE_TOLERANCE
    model = nlp.get_pipe("tagger").model
    alone = np.concatenate([model.predict([doc])[0] for doc in docs(nlp)])
    np.testing.assert_array_equal(alone, after)


def test_texts_find_the_same_ranges_as_documents(nlp: Language) -> None:
    texts = [" ".join(words) for words, _ in sentences(50, 3)]
    nlp.quantize(texts)
    found = scores(nlp)
    nlp.quantize([nlp.make_doc(text) for text in texts])
    np.testing.assert_array_equal(scores(nlp), found)


def test_dequantized_scores_are_those_of_before(nlp: Language) -> None:
    before = scores(nlp)
    nlp.quantize(docs(nlp, seed=3))
    assert nlp.quantized_components == ["tagger"]
    assert nlp.dequantize() == ["tagger"]
    assert nlp.quantized_components == [] and nlp.dequantize() == []
    np.testing.assert_array_equal(scores(nlp), before)


def test_threads_batches_and_neighbours_change_no_bit(quantized: Language) -> None:
    model = quantized.get_pipe("tagger").model
    together = scores(quantized)
    alone = np.concatenate([model.predict([doc])[0] for doc in docs(quantized)])
    np.testing.assert_array_equal(alone, together)
    n_threads = ferrule.get_num_threads()
    try:
        for count in (1, 2, 3):
            ferrule.set_num_threads(count)
            np.testing.assert_array_equal(scores(quantized), together)
    finally:
        ferrule.set_num_threads(n_threads)


@pytest.mark.parametrize("way", ["disk", "bytes", "copy", "pickle"])
def test_a_saved_pipeline_comes_back_in_bytes(quantized: Language, way: str, tmp_path: Any) -> None:
    if way == "disk":
        quantized.to_disk(tmp_path / "saved")
        again = ferrule.load(tmp_path / "saved")
    elif way == "bytes":
        again = copy.deepcopy(quantized)
        again.dequantize()
        again.from_bytes(quantized.to_bytes())
    else:
        again = copy.deepcopy(quantized) if way == "copy" else pickle.loads(pickle.dumps(quantized))
    assert again.quantized_components == ["tagger"]
    assert again.meta["quantized"] == ["tagger"]
    np.testing.assert_array_equal(scores(again), scores(quantized))


def test_what_is_saved_loads_into_spacy_and_predicts_its_own_tags(quantized: Language, tmp_path: Any) -> None:
    spacy = pytest.importorskip("spacy")
    quantized.to_disk(tmp_path / "saved")
    theirs = spacy.load(tmp_path / "saved")
    texts = [" ".join(words) for words, _ in sentences(20, 9)]
    expected = [token.tag_ for doc in theirs.pipe(texts) for token in doc]
    quantized.dequantize()
    assert [token.tag_ for doc in quantized.pipe(texts) for token in doc] == expected


def test_training_is_refused_until_dequantized(quantized: Language) -> None:
    data = examples(quantized, 20, 0)
    before = scores(quantized)
    with pytest.raises(ValueError, match=r"quantized.*dequantize\(\) before training"):
        quantized.update(data)
    np.testing.assert_array_equal(scores(quantized), before)
    quantized.dequantize()
    assert quantized.update(data)["tagger"] > 0


def test_other_weights_are_run_in_float32_with_a_warning(nlp: Language, trained: bytes) -> None:
    nlp.quantize(docs(nlp, seed=3))
    (encoder,) = quantizable_encoders(nlp.get_pipe("tagger").model)
    for node in encoder.walk():
        if node.name == "maxout":
            node.set_param("W", node.get_param("W") * 1.5)
    with pytest.warns(UserWarning, match="changed after it was quantized"):
        changed = scores(nlp)
    assert nlp.quantized_components == ["tagger"], "until somebody decides"
    nlp.dequantize()
    np.testing.assert_array_equal(scores(nlp), changed)


def test_weights_changed_since_can_be_trained(nlp: Language) -> None:
    nlp.quantize(docs(nlp, seed=3))
    data = examples(nlp, 50, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        nlp.initialize(lambda: data)
        nlp.update(data)
    assert nlp.quantized_components == []


def test_averages_run_in_float32_inside_use_params_and_bytes_come_back(quantized: Language) -> None:
    before = scores(quantized)
    model = quantized.get_pipe("tagger").model
    averages = {
        (node.id, name): node.get_param(name) * 0.9 for node in model.walk() for name in node.param_names
    }
    with quantized.use_params(averages), pytest.warns(UserWarning, match="float32"):
        scores(quantized)
    np.testing.assert_array_equal(scores(quantized), before)


def test_an_encoder_that_others_listen_to_is_quantized_for_all() -> None:
    fix_random_seed(0)
    nlp = ferrule.blank("en")
    nlp.add_pipe("tok2vec", config={"model": HASH_EMBED})
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 32, "upstream": "*"}
    nlp.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": listener}})
    data = examples(nlp, 50, 0)
    optimizer = nlp.initialize(lambda: data)
    for _ in range(20):
        nlp.update(data, sgd=optimizer)
    with pytest.raises(ValueError, match="shared tok2vec component's: quantize that one"):
        nlp.quantize(docs(nlp), components=["tagger"])
    assert nlp.quantized_components == []
    before = np.concatenate([doc.tensor for doc in nlp.pipe(docs(nlp))])
    assert nlp.quantize(docs(nlp)) == ["tok2vec"]
    after = np.concatenate([doc.tensor for doc in nlp.pipe(docs(nlp))])
    assert 0 < np.abs(before - after).max() < SCORE_TOLERANCE
    with pytest.raises(ValueError, match="quantized"):
        nlp.update(data, sgd=optimizer)


@pytest.mark.parametrize("component", ["textcat", "ner"])
def test_other_components_with_such_an_encoder_are_quantized_too(component: str) -> None:
    fix_random_seed(0)
    nlp = ferrule.blank("en")
    nlp.add_pipe(component)
    words = ["Anna", "Berg", "sees", "Eastvale"]
    gold = [
        {"cats": {"A": 1.0, "B": 0.0}, "entities": ["B-PER", "L-PER", "O", "U-LOC"]},
        {"cats": {"A": 0.0, "B": 1.0}, "entities": ["O", "O", "U-PER", "O"]},
    ]
    data = [Example.from_dict(Doc(nlp.vocab, words=words), each) for each in gold]
    nlp.initialize(lambda: data)
    if not nlp.get_pipe(component).is_quantizable:
        pytest.fail(f"{component} has no encoder that can be quantized")
    assert nlp.quantize([Doc(nlp.vocab, words=words)]) == [component]
    assert list(nlp.pipe(docs(nlp, 20)))
    with pytest.raises(ValueError, match="quantized"):
        nlp.update(data)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"depth": 1}, "depth 2 or more"), ({"window_size": 2}, "window_size 1")],
)
def test_encoders_of_another_shape_are_refused(change: dict[str, Any], message: str) -> None:
    nlp = make({**HASH_EMBED, **change}, 0)
    with pytest.raises(ValueError, match=message):
        nlp.quantize(docs(nlp), components=["tagger"])
    with pytest.raises(ValueError, match="no component has a token encoder"):
        nlp.quantize(docs(nlp))


def test_missing_documents_and_components_and_weights_are_refused(nlp: Language) -> None:
    with pytest.raises(ValueError, match="no documents with tokens"):
        nlp.quantize([])
    with pytest.raises(ValueError, match="no documents with tokens"):
        nlp.quantize([Doc(nlp.vocab, words=[])])
    with pytest.raises(TypeError, match="a single str"):
        nlp.quantize("a text")
    with pytest.raises(ValueError, match="parser"):
        nlp.quantize(docs(nlp), components=["parser"])
    fresh = ferrule.blank("en")
    fresh.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": HASH_EMBED}})
    with pytest.raises(ValueError, match="no weights yet"):
        fresh.quantize([Doc(fresh.vocab, words=["a"])])
    assert nlp.quantized_components == fresh.quantized_components == []


def test_ranges_that_do_not_fit_are_refused(nlp: Language) -> None:
    (encoder,) = quantizable_encoders(nlp.get_pipe("tagger").model)
    from ferrule.ml.encoder_parts import find_parts

    parts = find_parts(encoder)
    assert parts is not None
    params = parts.params()
    with pytest.raises(ValueError, match="ranges"):
        _core.EncoderPlan(params, np.zeros((3, 4, 2, 31), dtype=np.float32))
    with pytest.raises(ValueError, match="finite"):
        _core.EncoderPlan(params, np.full((3, 4, 2, 32), np.nan, dtype=np.float32))


# Bytes that lie on the edge between two steps may round differently with fused multiply-adds.
ISA_TOLERANCE = 0.1
PRINT_SCORES = """
import sys, numpy as np, ferrule
from ferrule.tokens import Doc
nlp = ferrule.load(sys.argv[1])
words = [[f"w{(i * j) % 60}" for j in range(1 + i % 13)] for i in range(40)]
rows = nlp.get_pipe("tagger").model.predict([Doc(nlp.vocab, words=each) for each in words])
np.save(sys.argv[2], np.concatenate(rows))
"""


def test_every_instruction_set_gives_the_same_tags(quantized: Language, tmp_path: Any) -> None:
    quantized.to_disk(tmp_path / "saved")
    found = {}
    for isa in ("scalar", "avx2", "avx512"):
        file = tmp_path / f"{isa}.npy"
        run = subprocess.run(
            [sys.executable, "-c", PRINT_SCORES, tmp_path / "saved", file],
            env={**os.environ, "FERRULE_ISA": isa},
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode and "cannot run" in run.stderr:
            continue
        assert run.returncode == 0, run.stderr
        found[isa] = np.load(file)
    for rows in found.values():
        assert np.abs(rows - found["scalar"]).max() < ISA_TOLERANCE
        assert (rows.argmax(1) != found["scalar"].argmax(1)).mean() <= MOST_DIFFERENT
