"""Guarantee 2: a load is whole or refused; after an error the object is as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
import srsly
from fault_parts import MODEL, trained, whole_state

import ferrule
from ferrule.errors import FerruleError, SerializationError
from ferrule.language import Language
from ferrule.storage.manifest import MANIFEST
from ferrule.testing import default_examples


@pytest.fixture
def nlp() -> Language:
    return trained()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    trained(n_steps=3).to_disk(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("damage", ["missing", "cut", "empty"])
def test_so_are_those_of_a_folder_without_hashes(nlp: Language, folder: Path, damage: str) -> None:
    (folder / MANIFEST).unlink()
    ferrule.load(folder)
    before = whole_state(nlp)
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
            assert whole_state(nlp) == before, f"{damage} {name} changed the pipeline"
        path.write_bytes(data)


# spaCy leaves out what a component has no settings for, so its absence is no damage.
HARMLESS = {("missing", "tagger/cfg")}


def test_another_components_bytes_are_refused(nlp: Language) -> None:
    other = ferrule.blank("en")
    other.add_pipe("tok2vec", config={"model": MODEL["tok2vec"]})
    other.initialize()
    before = whole_state(nlp)
    with pytest.raises(SerializationError, match="nodes"):
        nlp.get_pipe("tagger").from_bytes(other.get_pipe("tok2vec").to_bytes())
    assert whole_state(nlp) == before


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
    before_of["state"] = whole_state(nlp)
    with pytest.raises(SerializationError):
        nlp.from_bytes(srsly.msgpack_dumps(fields))
    assert whole_state(nlp) == before_of["state"]


def test_strings_of_a_failing_load_do_not_stay(nlp: Language, folder: Path) -> None:
    other = ferrule.load(folder)
    other.vocab.strings.add("from the other pipeline")
    fields = srsly.msgpack_loads(other.to_bytes())
    fields["tagger"] = fields["tagger"][:-10]
    before = list(nlp.vocab.strings)
    with pytest.raises(SerializationError):
        nlp.from_bytes(srsly.msgpack_dumps(fields))
    assert list(nlp.vocab.strings) == before
    nlp.from_bytes(other.to_bytes())
    assert "from the other pipeline" in nlp.vocab.strings


def test_cut_bytes_are_refused_at_every_length(nlp: Language) -> None:
    pipe = nlp.get_pipe("tagger")
    data = pipe.to_bytes(exclude=["vocab"])
    before = whole_state(nlp)
    for length in range(0, len(data), max(1, len(data) // 40)):
        with pytest.raises(SerializationError):
            pipe.from_bytes(data[:length], exclude=["vocab"])
    assert whole_state(nlp) == before


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
