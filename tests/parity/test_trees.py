"""Our trees are spaCy's trees: nodes, names, dims, refs, attributes, bytes and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from thinc.api import Model

from ferrule.registry import registry

spacy = pytest.importorskip("spacy")

# Sums of float32 in another order, through four layers.
TOLERANCE = 1e-5

TEXTS = ["Hello there  naïve 日本語 World's end.", "", "a", "The 3rd e-mail of U.S. users\n\ncosts $5!"]
# spaCy's byte embedding loses gradients where two tokens of a document share a byte at a position.
TEXTS_WITHOUT_SHARED_BYTES = ["Zaß", "", "x", "Hq"]

EMBED = {"width": 24, "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"], "rows": [50, 30, 40, 20]}
CNN = {
    "width": 24,
    "depth": 3,
    "embed_size": 100,
    "window_size": 1,
    "maxout_pieces": 3,
    "subword_features": True,
    "pretrained_vectors": None,
}
CHARS = {"width": 24, "rows": 50, "nM": 8, "nC": 6, "include_static_vectors": False}
ENCODE = {"width": 24, "window_size": 2, "maxout_pieces": 2, "depth": 2}


def _tok2vec(embed: dict[str, Any], encode: dict[str, Any], version: str = "v2") -> dict[str, Any]:
    return {"@architectures": f"spacy.Tok2Vec.{version}", "embed": embed, "encode": encode}


def _arch(name: str, **settings: Any) -> dict[str, Any]:
    return {"@architectures": name, **settings}


CONFIGS: dict[str, dict[str, Any]] = {
    "cnn": _arch("spacy.HashEmbedCNN.v2", **CNN),
    "cnn v1": _arch("spacy.HashEmbedCNN.v1", **CNN),
    "cnn v1 vectors": _arch("spacy.HashEmbedCNN.v1", **{**CNN, "pretrained_vectors": True}),
    "cnn words only": _arch("spacy.HashEmbedCNN.v2", **{**CNN, "subword_features": False, "depth": 1}),
    "cnn vectors": _arch("spacy.HashEmbedCNN.v2", **{**CNN, "pretrained_vectors": True}),
    "multi hash": _arch("spacy.MultiHashEmbed.v2", **EMBED, include_static_vectors=False),
    "multi hash vectors": _arch("spacy.MultiHashEmbed.v2", **EMBED, include_static_vectors=True),
    "multi hash v1": _arch("spacy.MultiHashEmbed.v1", **EMBED, include_static_vectors=True),
    "characters": _arch("spacy.CharacterEmbed.v2", **CHARS),
    "characters v1": _arch("spacy.CharacterEmbed.v1", **CHARS),
    "characters vectors": _arch("spacy.CharacterEmbed.v2", **{**CHARS, "include_static_vectors": True}),
    "characters v1 vectors": _arch("spacy.CharacterEmbed.v1", **{**CHARS, "include_static_vectors": True}),
    "characters norm": _arch("spacy.CharacterEmbed.v2", **CHARS, feature="NORM"),
    "maxout tok2vec": _tok2vec(
        _arch("spacy.MultiHashEmbed.v2", **EMBED, include_static_vectors=False),
        _arch("spacy.MaxoutWindowEncoder.v2", **ENCODE),
    ),
    "maxout tok2vec v1": _tok2vec(
        _arch("spacy.MultiHashEmbed.v1", **EMBED, include_static_vectors=False),
        _arch("spacy.MaxoutWindowEncoder.v1", **ENCODE),
        "v1",
    ),
    "mish tok2vec": _tok2vec(
        _arch("spacy.CharacterEmbed.v2", **CHARS),
        _arch("spacy.MishWindowEncoder.v2", width=24, window_size=1, depth=3),
    ),
    "mish tok2vec v1": _tok2vec(
        _arch("spacy.CharacterEmbed.v2", **CHARS),
        _arch("spacy.MishWindowEncoder.v1", width=24, window_size=1, depth=3),
        "v1",
    ),
    "tagger": _arch("spacy.Tagger.v2", tok2vec=_arch("spacy.HashEmbedCNN.v2", **CNN), nO=7),
    "tagger normalized": _arch(
        "spacy.Tagger.v2", tok2vec=_arch("spacy.HashEmbedCNN.v2", **CNN), nO=7, normalize=True
    ),
    "tagger v1": _arch("spacy.Tagger.v1", tok2vec=_arch("spacy.HashEmbedCNN.v2", **CNN), nO=7),
    "tagger with listener": _arch(
        "spacy.Tagger.v2", tok2vec=_arch("spacy.Tok2VecListener.v1", width=24, upstream="t2v"), nO=7
    ),
}


@pytest.fixture(scope="module")
def docs() -> list[Any]:
    nlp = spacy.blank("en")
    # The last row stays zero: that is where spaCy looks, in the backward pass, for vectors a token lacks.
    nlp.vocab.vectors = spacy.vectors.Vectors(shape=(5, 10))
    generator = np.random.default_rng(0)
    for word in ("Hello", "a", "users", "!"):
        nlp.vocab.set_vector(word, generator.normal(size=10).astype("float32"))
    return [nlp(text) for text in [*TEXTS, *TEXTS_WITHOUT_SHARED_BYTES]]


def _build(name: str) -> tuple[Model[Any, Any], Model[Any, Any]]:
    spacys = spacy.registry.resolve({"model": CONFIGS[name]})["model"]
    ours = registry.resolve({"model": CONFIGS[name]})["model"]
    return spacys, ours


def _signature(node: Model[Any, Any], *, tree: list[Model[Any, Any]]) -> tuple[Any, ...]:
    dims = {dim: node.maybe_get_dim(dim) for dim in node.dim_names}
    refs = {ref: tree.index(node.get_ref(ref)) for ref in node.ref_names}
    # Functions are not saved; `resize_output` is our addition to the tagger.
    attrs = {key: value for key, value in node.attrs.items() if not callable(value)}
    layers = [tree.index(layer) for layer in node.layers]
    return node.name, dims, refs, attrs, layers, tuple(node.param_names), len(node.shims)


def _signatures(model: Model[Any, Any]) -> list[tuple[Any, ...]]:
    tree = list(model.walk())
    return [_signature(node, tree=tree) for node in tree]


def _randomize(model: Model[Any, Any]) -> None:
    """Give every parameter some noise, so that zero-initialized ones show mistakes too."""
    generator = np.random.default_rng(1)
    for node in model.walk():
        for name in node.param_names:
            value = node.get_param(name)
            noise = generator.normal(scale=0.3, size=value.shape).astype("float32")
            node.set_param(name, value + noise)


@pytest.mark.parametrize("name", CONFIGS)
def test_tree_is_spacys_before_and_after_initialization(name: str, docs: list[Any]) -> None:
    spacys, ours = _build(name)
    assert _signatures(ours) == _signatures(spacys)
    spacys.initialize(X=docs)
    ours.initialize(X=docs)
    assert _signatures(ours) == _signatures(spacys)


@pytest.mark.parametrize("name", CONFIGS)
def test_initial_weights_are_spacys_for_the_same_seed(name: str, docs: list[Any]) -> None:
    from thinc.api import fix_random_seed

    spacys, ours = _build(name)
    for model in (spacys, ours):
        fix_random_seed(3)
        model.initialize(X=docs)
    assert ours.to_bytes() == spacys.to_bytes()


@pytest.mark.parametrize("name", CONFIGS)
def test_bytes_load_both_ways_with_the_same_numbers(name: str, docs: list[Any]) -> None:
    spacys, ours = _build(name)
    spacys.initialize(X=docs)
    _randomize(spacys)
    ours.from_bytes(spacys.to_bytes())
    _assert_same_rows(ours.predict(docs), spacys.predict(docs))
    again, _ = _build(name)
    again.from_bytes(ours.to_bytes())
    _assert_same_rows(again.predict(docs), spacys.predict(docs))


@pytest.mark.parametrize("name", [name for name in CONFIGS if "listener" not in name])
def test_a_training_step_gives_spacys_gradients(name: str, docs: list[Any]) -> None:
    spacys, ours = _build(name)
    spacys.initialize(X=docs)
    _randomize(spacys)
    ours.initialize(X=docs)
    ours.from_bytes(spacys.to_bytes())
    if any(node.name == "charembed" for node in ours.walk()):
        docs = docs[len(TEXTS) :]
    generator = np.random.default_rng(2)
    gradients = None
    for model in (spacys, ours):
        rows, backprop = model.begin_update(docs)
        gradients = gradients or [generator.normal(size=row.shape).astype("float32") for row in rows]
        backprop([gradient.copy() for gradient in gradients])
    for spacy_node, our_node in zip(spacys.walk(), ours.walk(), strict=True):
        for param in our_node.param_names:
            expected = spacy_node.get_grad(param)
            scale = max(1.0, float(np.abs(expected).max()))
            assert_allclose(our_node.get_grad(param) / scale, expected / scale, atol=TOLERANCE)


def _assert_same_rows(ours: list[Any], spacys: list[Any]) -> None:
    assert [row.shape for row in ours] == [row.shape for row in spacys]
    for our_rows, spacy_rows in zip(ours, spacys, strict=True):
        assert_allclose(our_rows, spacy_rows, atol=TOLERANCE, rtol=TOLERANCE)
