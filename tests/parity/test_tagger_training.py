"""A tagger trained here and one trained in spaCy, step by step, from the same weights on the same batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from thinc.api import Adam, fix_random_seed

from ferrule.ml.fused import unfuse
from ferrule.pipeline.tagger import Tagger
from ferrule.registry import registry

spacy = pytest.importorskip("spacy")

# Adam divides by the root of squared gradients: where those are near zero, rounding of another order of
# sums moves a weight by up to a step of 0.001. After eight steps so much may differ at most, in few places;
# on average over an array, which may be as small as 288 biases, a tenth of one step.
WEIGHT_TOLERANCE = 8e-3
MEAN_TOLERANCE = 1e-4
SCORE_TOLERANCE = 1e-4

CONFIG = {
    "@architectures": "spacy.Tagger.v2",
    "tok2vec": {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "width": 96,
        "depth": 4,
        "embed_size": 500,
        "window_size": 1,
        "maxout_pieces": 3,
        "subword_features": True,
        "pretrained_vectors": None,
    },
}
WORDS = ["the", "old", "Dog", "runs", "2", "quickly", ",", "and", "barks", "!"]
TAGS = ["DT", "JJ", "NN", "VBZ", "CD", "RB", ",", "CC", "VBZ", "."]


def _examples(nlp: Any) -> list[Any]:
    from spacy.training import Example

    generator = np.random.default_rng(0)
    examples = []
    for _ in range(48):
        chosen = generator.integers(0, len(WORDS), size=generator.integers(0, 12))
        doc = spacy.tokens.Doc(nlp.vocab, words=[WORDS[index] for index in chosen])
        # Some tokens have no gold tag.
        tags = [TAGS[index] if generator.random() < 0.9 else "" for index in chosen]
        examples.append(Example.from_dict(doc, {"tags": tags}))
    return examples


def _pair(nlp: Any, examples: list[Any]) -> tuple[Any, Tagger]:
    fix_random_seed(0)
    spacys = spacy.pipeline.Tagger(nlp.vocab, spacy.registry.resolve({"model": CONFIG})["model"])
    spacys.initialize(lambda: examples)
    ours = Tagger(nlp.vocab, registry.resolve({"model": CONFIG})["model"])
    ours.initialize(lambda: examples)
    assert ours.labels == spacys.labels
    ours.model.from_bytes(spacys.model.to_bytes())
    return spacys, ours


def _train(tagger: Any, examples: list[Any], drop: float) -> None:
    optimizer = Adam(0.001)
    for step in range(8):
        fix_random_seed(step)
        batch = examples[step % 4 :: 4]
        tagger.update(batch, drop=drop, sgd=optimizer)


def _assert_same_weights(ours: Any, spacys: Any) -> None:
    for our_node, spacy_node in zip(ours.walk(), spacys.walk(), strict=True):
        for name in our_node.param_names:
            difference = np.abs(our_node.get_param(name) - spacy_node.get_param(name))
            assert difference.max() < WEIGHT_TOLERANCE, (our_node.name, name)
            assert difference.mean() < MEAN_TOLERANCE, (our_node.name, name)


def _assert_same_tags(ours: Any, spacys: Any, docs: list[Any]) -> None:
    our_scores, spacy_scores = ours.model.predict(docs), spacys.model.predict(docs)
    for our_rows, spacy_rows in zip(our_scores, spacy_scores, strict=True):
        assert_allclose(our_rows, spacy_rows, atol=SCORE_TOLERANCE)
    ours_best, spacys_best = ours.predict(docs)["label_ids"], spacys.predict(docs)
    for our_tags, spacy_tags in zip(ours_best, spacys_best, strict=True):
        assert our_tags.tolist() == spacy_tags.tolist()


def test_eight_steps_lead_to_the_same_weights() -> None:
    nlp = spacy.blank("en")
    examples = _examples(nlp)
    spacys, ours = _pair(nlp, examples)
    _train(spacys, examples, drop=0.0)
    _train(ours, examples, drop=0.0)
    _assert_same_weights(ours.model, spacys.model)


def test_eight_steps_with_dropout_lead_to_the_same_weights_layer_by_layer() -> None:
    # The fused encoder draws other dropout masks than thinc's layers do.
    nlp = spacy.blank("en")
    examples = _examples(nlp)
    spacys, ours = _pair(nlp, examples)
    unfuse(ours.model)
    _train(spacys, examples, drop=0.2)
    _train(ours, examples, drop=0.2)
    _assert_same_weights(ours.model, spacys.model)


def test_one_update_has_spacys_gradients() -> None:
    nlp = spacy.blank("en")
    examples = _examples(nlp)
    spacys, ours = _pair(nlp, examples)
    for tagger in (spacys, ours):
        tagger.update(examples, sgd=False if tagger is ours else None)
    for our_node, spacy_node in zip(ours.model.walk(), spacys.model.walk(), strict=True):
        for name in our_node.param_names:
            expected = spacy_node.get_grad(name)
            scale = max(1.0, float(np.abs(expected).max()))
            assert_allclose(our_node.get_grad(name) / scale, expected / scale, atol=SCORE_TOLERANCE)


def test_bytes_of_a_tagger_trained_in_spacy_tag_alike() -> None:
    nlp = spacy.blank("en")
    examples = _examples(nlp)
    spacys, _ = _pair(nlp, examples)
    _train(spacys, examples, drop=0.1)
    ours = Tagger(nlp.vocab, registry.resolve({"model": CONFIG})["model"])
    ours.from_bytes(spacys.to_bytes(exclude=["vocab"]), exclude=["vocab"])
    assert ours.labels == spacys.labels
    _assert_same_tags(ours, spacys, [example.x for example in examples])


def test_bytes_of_a_tagger_trained_here_tag_alike_in_spacy() -> None:
    nlp = spacy.blank("en")
    examples = _examples(nlp)
    _, ours = _pair(nlp, examples)
    _train(ours, examples, drop=0.1)
    spacys = spacy.pipeline.Tagger(nlp.vocab, spacy.registry.resolve({"model": CONFIG})["model"])
    spacys.from_bytes(ours.to_bytes(exclude=["vocab"]), exclude=["vocab"])
    assert spacys.labels == ours.labels
    _assert_same_tags(ours, spacys, [example.x for example in examples])
