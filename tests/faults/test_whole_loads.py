"""Guarantees 2, 3 and 4: a load is whole or refused, damage is found, and what is loaded fits."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import srsly
from thinc.api import Adam

import ferrule
from ferrule.errors import CorruptedFileError, FerruleError, SerializationError
from ferrule.language import Language
from ferrule.storage.manifest import MANIFEST
from ferrule.testing import default_examples

MODEL = {
    "@architectures": "spacy.Tagger.v2",
    "tok2vec": {
        "@architectures": "spacy.HashEmbedCNN.v2",
        "width": 8,
        "depth": 1,
        "embed_size": 16,
        "window_size": 1,
        "maxout_pieces": 2,
        "subword_features": True,
        "pretrained_vectors": None,
    },
}
FLIPS = 60


def trained(n_steps: int = 1) -> Language:
    nlp = ferrule.blank("en")
    nlp.add_pipe("tagger", config={"model": MODEL})
    examples = default_examples(nlp)
    nlp.initialize(lambda: examples)
    for _ in range(n_steps):
        nlp.update(examples, sgd=Adam(0.01))
    return nlp


def state(nlp: Language) -> str:
    """A hash of everything a pipeline would save, but for the strings it has seen."""
    return hashlib.sha256(nlp.to_bytes(exclude=["vocab"])).hexdigest()


@pytest.fixture
def nlp() -> Language:
    return trained()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    trained(n_steps=3).to_disk(tmp_path / "model")
    return tmp_path / "model"


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_every_file_has_a_hash_that_sha256sum_understands(folder: Path) -> None:
    lines = (folder / MANIFEST).read_text("utf8").splitlines()
    listed = dict(reversed(line.split("  ", 1)) for line in lines)  # type: ignore[arg-type]
    found = {path.relative_to(folder).as_posix(): path for path in files_of(folder) if path.name != MANIFEST}
    assert listed.keys() == found.keys()
    for name, path in found.items():
        assert listed[name] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_flipped_bit_is_found_and_the_file_is_named(nlp: Language, folder: Path) -> None:
    random = numpy.random.default_rng(0)
    before = state(nlp)
    for path in files_of(folder):
        data = path.read_bytes()
        if not data:
            continue
        for _ in range(max(2, FLIPS // 10)):
            position = int(random.integers(len(data)))
            flipped = bytearray(data)
            flipped[position] ^= 1 << int(random.integers(8))
            path.write_bytes(flipped)
            with pytest.raises(CorruptedFileError) as caught:
                ferrule.load(folder)
            if path.name != MANIFEST:
                assert path.name in str(caught.value)
            with pytest.raises(CorruptedFileError):
                nlp.from_disk(folder)
        path.write_bytes(data)
    assert state(nlp) == before
    ferrule.load(folder)


@pytest.mark.parametrize("damage", ["missing", "cut", "empty"])
def test_missing_and_cut_files_are_refused(nlp: Language, folder: Path, damage: str) -> None:
    before = state(nlp)
    for path in files_of(folder):
        if path.name == MANIFEST:
            continue
        data = path.read_bytes()
        if damage == "missing":
            path.unlink()
        else:
            path.write_bytes(data[: len(data) // 2] if damage == "cut" else b"")
        if data:
            with pytest.raises(CorruptedFileError, match=path.name):
                nlp.from_disk(folder)
        path.write_bytes(data)
    assert state(nlp) == before


@pytest.mark.parametrize("damage", ["missing", "cut", "empty"])
def test_so_are_those_of_a_folder_without_hashes(nlp: Language, folder: Path, damage: str) -> None:
    (folder / MANIFEST).unlink()
    ferrule.load(folder)
    before = state(nlp)
    for name in ("config.cfg", "meta.json", "tokenizer", "tagger/model", "tagger/cfg"):
        path = folder / name
        data = path.read_bytes()
        if damage == "missing":
            path.unlink()
        else:
            path.write_bytes(data[: len(data) // 2] if damage == "cut" else b"")
        if (damage, name) not in HARMLESS:
            with pytest.raises((FerruleError, FileNotFoundError)):
                nlp.from_disk(folder)
            assert state(nlp) == before, f"{damage} {name} changed the pipeline"
        path.write_bytes(data)


# spaCy leaves out what a component has no settings for, so its absence is no damage.
HARMLESS = {("missing", "tagger/cfg")}


def test_another_components_bytes_are_refused(nlp: Language) -> None:
    other = ferrule.blank("en")
    other.add_pipe("tok2vec", config={"model": MODEL["tok2vec"]})
    other.initialize()
    before = state(nlp)
    with pytest.raises(SerializationError, match="nodes"):
        nlp.get_pipe("tagger").from_bytes(other.get_pipe("tok2vec").to_bytes())
    assert state(nlp) == before


def test_a_load_that_fails_late_undoes_what_came_before(nlp: Language) -> None:
    """The tagger's bytes are good, and another component's are not."""
    before_of = {}
    nlp.add_pipe("tagger", name="second", config={"model": MODEL})
    examples = default_examples(nlp)
    nlp.initialize(lambda: examples)
    other = trained(n_steps=5)
    fields = srsly.msgpack_loads(nlp.to_bytes())
    fields["tagger"] = other.get_pipe("tagger").to_bytes(exclude=["vocab"])
    fields["second"] = fields["second"][:-10]
    before_of["state"] = state(nlp)
    with pytest.raises(SerializationError):
        nlp.from_bytes(srsly.msgpack_dumps(fields))
    assert state(nlp) == before_of["state"]


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
def test_a_model_that_does_not_fit_is_refused_at_load(nlp: Language, mutation: str) -> None:
    pipe = nlp.get_pipe("tagger")
    fields = srsly.msgpack_loads(trained(n_steps=4).get_pipe("tagger").to_bytes(exclude=["vocab"]))
    model = srsly.msgpack_loads(fields["model"])
    MUTATIONS[mutation](model)
    fields["model"] = srsly.msgpack_dumps(model)
    before = state(nlp)
    with pytest.raises(SerializationError, match="Tagger 'tagger'"):
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


def test_cut_bytes_are_refused_at_every_length(nlp: Language) -> None:
    pipe = nlp.get_pipe("tagger")
    data = pipe.to_bytes(exclude=["vocab"])
    before = state(nlp)
    for length in range(0, len(data), max(1, len(data) // 40)):
        with pytest.raises(SerializationError):
            pipe.from_bytes(data[:length], exclude=["vocab"])
    assert state(nlp) == before


def test_a_failing_load_leaves_the_garbage_collector_on(nlp: Language) -> None:
    import gc

    with pytest.raises(SerializationError):
        nlp.from_bytes(b"junk")
    with pytest.raises(SerializationError):
        nlp.get_pipe("tagger").from_bytes(b"junk")
    assert gc.isenabled()


def test_what_is_no_pipeline_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no pipeline"):
        ferrule.load(str(tmp_path / "nothing"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(SerializationError, match=r"holds no config\.cfg"):
        ferrule.load(tmp_path / "empty")
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileNotFoundError, match="found a file"):
        ferrule.load(tmp_path / "file")
    with pytest.raises(TypeError, match="as bytes, found str"):
        ferrule.blank("en").from_bytes("text")  # type: ignore[arg-type]
