"""Guarantee 4: loading checks what building checks: names, dtypes, shapes, labels, finite weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest
import srsly
from fault_parts import ENTITY_MODEL, MODEL, state, trained

import ferrule
from ferrule.errors import SerializationError
from ferrule.language import Language
from ferrule.testing import default_examples

COMPONENTS = ("tok2vec", "tagger", "textcat", "textcat_multilabel", "ner")
REDUCE = {
    "@architectures": "spacy.TextCatReduce.v1",
    "tok2vec": MODEL["tok2vec"],
    "use_reduce_first": False,
    "use_reduce_last": False,
    "use_reduce_max": True,
    "use_reduce_mean": True,
}


@pytest.fixture
def nlp() -> Language:
    return trained()


@pytest.fixture(scope="module")
def every() -> Language:
    """A pipeline with a small one of each built-in component; no test changes it, which is the point."""
    nlp = ferrule.blank("en")
    nlp.add_pipe("tok2vec", config={"model": MODEL["tok2vec"]})
    nlp.add_pipe("tagger", config={"model": MODEL})
    nlp.add_pipe("textcat", config={"model": {**REDUCE, "exclusive_classes": True}})
    nlp.add_pipe("textcat_multilabel", config={"model": {**REDUCE, "exclusive_classes": False}})
    nlp.add_pipe("ner", config={"model": ENTITY_MODEL})
    examples = default_examples(nlp)
    nlp.initialize(lambda: examples)
    return nlp


Mutation = Callable[[dict[str, Any]], None]


def first_parameter(model: dict[str, Any]) -> tuple[dict[str, Any], str]:
    for parameters in model["params"]:
        for name, value in parameters.items():
            if value is not None and value.ndim >= 2:
                return parameters, name
    raise LookupError


def mutate_parameter(change: Callable[[Any], Any]) -> Mutation:
    def mutate(model: dict[str, Any]) -> None:
        parameters, name = first_parameter(model)
        parameters[name] = change(parameters[name])

    return mutate


def with_nan(array: Any) -> Any:
    array = array.copy()
    array.flat[3] = numpy.nan
    return array


def set_node(position: int, field: str, value: Any) -> Mutation:
    return lambda model: model["nodes"][position].update({field: value})


MUTATIONS: dict[str, Mutation] = {
    "transposed": mutate_parameter(lambda array: numpy.ascontiguousarray(array.T[:, :-1])),
    "a row short": mutate_parameter(lambda array: array[:-1]),
    "flat": mutate_parameter(lambda array: array.reshape(-1)),
    "whole numbers": mutate_parameter(lambda array: array.astype("int64")),
    "a string": mutate_parameter(lambda array: "weights"),
    "a list": mutate_parameter(lambda array: array.tolist()),
    "not finite": mutate_parameter(with_nan),
    "infinite": mutate_parameter(lambda array: array + numpy.inf),
    "unknown parameter": lambda model: model["params"][-1].update({"Q": numpy.zeros(3, dtype="f")}),
    "a node less": lambda model: [model[part].pop() for part in ("nodes", "attrs", "params", "shims")],
    "lists of unequal length": lambda model: model["params"].pop(),
    "no params": lambda model: model.pop("params"),
    "params no list": lambda model: model.update({"params": {}}),
    "nodes without names": lambda model: model["nodes"][0].pop("name"),
    "dims no map": set_node(0, "dims", [1, 2]),
    "unknown dim": set_node(0, "dims", {"nQ": 3}),
    "negative dim": set_node(0, "dims", {"nO": -3}),
    "dim no number": set_node(0, "dims", {"nO": "many"}),
    "other dim": lambda model: [
        node["dims"].update({"nO": 77}) for node in model["nodes"] if node["dims"].get("nO")
    ],
    "ref out of range": set_node(0, "refs", {"output_layer": 999}),
    "ref negative": set_node(0, "refs", {"output_layer": -1}),
    "unknown ref": set_node(0, "refs", {"nowhere": 0}),
    "shim too many": lambda model: model["shims"][0].append(b"data"),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("name", COMPONENTS)
def test_a_model_that_does_not_fit_is_refused_at_load(every: Language, name: str, mutation: str) -> None:
    nlp, pipe = every, every.get_pipe(name)
    fields = srsly.msgpack_loads(pipe.to_bytes(exclude=["vocab"]))
    model = srsly.msgpack_loads(fields["model"])
    MUTATIONS[mutation](model)
    fields["model"] = srsly.msgpack_dumps(model)
    before = state(nlp)
    with pytest.raises(SerializationError, match=f"'{name}'"):
        pipe.from_bytes(srsly.msgpack_dumps(fields), exclude=["vocab"])
    assert state(nlp) == before


@pytest.mark.parametrize("labels", [["ONE"], ["A", "A"], [1, 2], "ADJ", {"ADJ": 1}, None])
def test_labels_that_do_not_fit_the_weights_are_refused(nlp: Language, labels: Any) -> None:
    pipe = nlp.get_pipe("tagger")
    fields = srsly.msgpack_loads(pipe.to_bytes(exclude=["vocab"]))
    cfg = srsly.json_loads(fields["cfg"])
    cfg["labels"] = labels
    fields["cfg"] = srsly.json_dumps(cfg)
    before = state(nlp)
    with pytest.raises(SerializationError, match="labels"):
        pipe.from_bytes(srsly.msgpack_dumps(fields), exclude=["vocab"])
    assert state(nlp) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda moves: moves.pop("moves"),
        lambda moves: moves.update(moves="junk"),
        lambda moves: moves.update(moves=srsly.json_dumps({"9": {"PER": 1}})),
        lambda moves: moves.update(moves=srsly.json_dumps({"0": {"PER": 1, "EXTRA": 2}})),
        lambda moves: moves.update(moves=srsly.json_dumps([1, 2])),
    ],
    ids=["missing", "junk", "unknown kind", "another label", "a list"],
)
def test_actions_that_do_not_fit_the_weights_are_refused(every: Language, change: Any) -> None:
    pipe = every.get_pipe("ner")
    fields = srsly.msgpack_loads(pipe.to_bytes(exclude=["vocab"]))
    moves = srsly.msgpack_loads(fields["moves"])
    change(moves)
    fields["moves"] = srsly.msgpack_dumps(moves)
    before = state(every)
    with pytest.raises(SerializationError):
        pipe.from_bytes(srsly.msgpack_dumps(fields), exclude=["vocab"])
    assert state(every) == before
