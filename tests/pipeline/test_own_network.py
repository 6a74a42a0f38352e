"""Pipelines over Ferrule's own encoder: listening, freezing, new labels, word vectors, a teacher."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from thinc.api import Config, fix_random_seed

import ferrule
from ferrule.language import Language, load_from_config
from ferrule.ml.encoder_parts import find_parts
from ferrule.optimizer import Adam
from ferrule.tokens import Doc, Span
from ferrule.training.example import Example
from networks import bag_of_words, ensemble, ner, tagger

WIDTH = 24
ENCODER = {
    "@architectures": "ferrule.HashEmbedCNN.v1",
    "width": WIDTH,
    "depth": 2,
    "embed_size": 200,
    "window_size": 1,
    "maxout_pieces": 3,
    "subword_features": True,
    "pretrained_vectors": None,
}
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": WIDTH, "upstream": "tok2vec"}
WORDS = ["Anna", "took", "a", "train", "to", "Paris"]
TAGS = ["NNP", "VBD", "DT", "NN", "IN", "NNP"]
ENTS = ["B-PERSON", "O", "O", "O", "O", "B-PLACE"]
# float32 sums in another order.
TOLERANCE = 1e-5

Model = dict[str, Any]


def recognizer(encoder: Model) -> Model:
    return ner(encoder, hidden_width=16)


def classifier(encoder: Model) -> Model:
    return ensemble(encoder, bag_of_words(100, exclusive=True))


MODELS: dict[str, Callable[[Model], Model]] = {"tagger": tagger, "ner": recognizer, "textcat": classifier}


def pipeline(**models: Model) -> Language:
    components = {name: {"factory": name, "model": model} for name, model in models.items()}
    return load_from_config(
        Config({"nlp": {"lang": "en", "pipeline": list(components)}, "components": components})
    )


def examples_of(nlp: Language) -> list[Example]:
    return [
        Example.from_dict(
            Doc(nlp.vocab, words=WORDS[:n]),
            {"tags": TAGS[:n], "entities": ENTS[:n], "cats": {"LONG": float(n > 3), "SHORT": float(n <= 3)}},
        )
        for n in (6, 1, 4, 2, 5)
    ]


def initialized(nlp: Language) -> tuple[list[Example], Any]:
    fix_random_seed(0)
    examples = examples_of(nlp)
    return examples, nlp.initialize(lambda: examples)


def annotated(nlp: Language) -> tuple[list[str], list[str], str]:
    """Tags, entities and the best category."""
    doc = nlp(Doc(nlp.vocab, words=WORDS))
    return (
        [token.tag_ for token in doc],
        [ent.label_ for ent in doc.ents],
        max(doc.cats, key=doc.cats.get, default=""),
    )


def learn(nlp: Language, examples: list[Example], optimizer: Any, n_steps: int = 30, **settings: Any) -> None:
    first: dict[str, float] = {}
    last: dict[str, float] = {}
    for step in range(n_steps):
        last = {}
        nlp.update(examples, sgd=optimizer, losses=last, **settings)
        first = first if step else last
    for name in set(last) - {"tok2vec"}:
        assert last[name] < 0.5 * first[name], (name, first, last)


@pytest.fixture(params=MODELS)
def component(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_component_learns_over_it_and_comes_back(component: str, tmp_path: Path) -> None:
    nlp = pipeline(**{component: MODELS[component](ENCODER)})
    learn(nlp, *initialized(nlp), n_steps=60)
    learnt = {
        "tagger": (TAGS, [], ""),
        "ner": ([""] * 6, ["PERSON", "PLACE"], ""),
        "textcat": ([""] * 6, [], "LONG"),
    }
    assert annotated(nlp) == learnt[component]
    nlp.to_disk(tmp_path / "model")
    assert annotated(ferrule.load(tmp_path / "model")) == learnt[component]


def test_a_frozen_encoder_that_annotates_stays_as_it_is() -> None:
    nlp = pipeline(tok2vec=ENCODER, tagger=tagger(LISTENER))
    examples, optimizer = initialized(nlp)
    before = nlp.get_pipe("tok2vec").to_bytes(exclude=["vocab"])
    learn(nlp, examples, optimizer, n_steps=60, exclude=["tok2vec"], annotates=["tok2vec"])
    assert nlp.get_pipe("tok2vec").to_bytes(exclude=["vocab"]) == before


def test_a_listener_is_replaced_by_an_encoder_of_the_same_numbers() -> None:
    nlp = pipeline(tok2vec=ENCODER, tagger=tagger(LISTENER))
    examples, optimizer = initialized(nlp)
    learn(nlp, examples, optimizer)
    expected = nlp.get_pipe("tok2vec").model.predict([Doc(nlp.vocab, words=WORDS)])[0]
    nlp.replace_listeners("tok2vec", "tagger", ["model.tok2vec"])
    own = nlp.get_pipe("tagger").model.get_ref("tok2vec")
    assert find_parts(own) is not None
    np.testing.assert_array_equal(own.predict([Doc(nlp.vocab, words=WORDS)])[0], expected)
    nlp.remove_pipe("tok2vec")
    nlp.update(examples, sgd=optimizer)
    assert [token.tag_ for token in nlp(Doc(nlp.vocab, words=WORDS))] == TAGS


@pytest.mark.parametrize("use_averages", [True, False])
def test_new_labels_are_learnt_with_the_optimizer_from_before(component: str, use_averages: bool) -> None:
    nlp = pipeline(**{component: MODELS[component](ENCODER)})
    examples, _ = initialized(nlp)
    optimizer = Adam(use_averages=use_averages)  # without, it steps touched weights of a bag of words only
    learn(nlp, examples, optimizer)
    pipe = nlp.get_pipe(component)
    before = annotated(nlp)
    assert pipe.add_label("NEW") == 1 and "NEW" in pipe.labels
    assert annotated(nlp) == before
    for example in examples:
        example.reference[0].tag_ = "NEW"
        example.reference.ents = [Span(example.reference, 0, 1, "NEW")]
        example.reference.cats = {"NEW": 1.0}
    losses = [nlp.update(examples, sgd=optimizer)[component] for _ in range(10)]
    assert losses[-1] < 0.98 * losses[0]
    with nlp.use_params(optimizer.averages or {}):
        annotated(nlp)  # averages have the new shape too


def test_word_vectors_are_read_and_zeros_stand_beyond_the_document() -> None:
    nlp = pipeline(tagger=tagger({**ENCODER, "pretrained_vectors": True}))
    rng = np.random.default_rng(0)
    nlp.vocab.reset_vectors(width=8)
    for word in WORDS:
        nlp.vocab.set_vector(word, rng.normal(size=8).astype("float32"))
    examples, optimizer = initialized(nlp)
    learn(nlp, examples, optimizer)
    encoder = nlp.get_pipe("tagger").model.get_ref("tok2vec")
    assert find_parts(encoder) is None  # thinc's layers run it
    docs = [example.predicted for example in examples]
    for doc, rows in zip(docs, encoder.predict(docs), strict=True):
        np.testing.assert_allclose(rows, encoder.predict([doc])[0], atol=TOLERANCE)
    seen = encoder.predict(docs[:1])[0]
    nlp.vocab.set_vector("Anna", np.zeros(8, dtype="float32"))
    assert not np.allclose(encoder.predict(docs[:1])[0][0], seen[0])


def test_it_learns_from_a_teacher_over_spacys_network() -> None:
    teacher = pipeline(tagger=tagger({**ENCODER, "@architectures": "spacy.HashEmbedCNN.v2"}))
    learn(teacher, *initialized(teacher))
    student = pipeline(tagger=tagger(ENCODER))
    examples, optimizer = initialized(student)
    for _ in range(30):
        student.get_pipe("tagger").distill(teacher.get_pipe("tagger"), examples, sgd=optimizer)
    assert [token.tag_ for token in student(Doc(student.vocab, words=WORDS))] == TAGS
