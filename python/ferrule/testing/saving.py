"""Checks of how a component is saved and loaded."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import srsly

from ferrule.language import load
from ferrule.testing.expectation import expect, expect_error
from ferrule.testing.subject import Subject, same_arrays, weights_of

__all__ = ["CHECKS"]


def bytes_bring_everything_back(subject: Subject) -> None:
    """`from_bytes(to_bytes())` into a new component gives the same labels, settings, weights, predictions."""
    nlp, pipe, _ = subject.ready()
    _, other = subject.blank()
    expect(other.from_bytes(pipe.to_bytes()) is other, "from_bytes did not return the component")
    _expect_same(subject, pipe, other, nlp)


def a_folder_brings_everything_back(subject: Subject) -> None:
    """`from_disk` of what `to_disk` saved gives the same labels, settings, weights and predictions."""
    nlp, pipe, _ = subject.ready()
    _, other = subject.blank()
    with tempfile.TemporaryDirectory() as folder:
        pipe.to_disk(folder + "/new/folder")
        expect(
            other.from_disk(Path(folder) / "new" / "folder") is other,
            "from_disk did not return the component",
        )
    _expect_same(subject, pipe, other, nlp)


def fields_can_be_excluded(subject: Subject) -> None:
    """`exclude` leaves out the fields `cfg`, `model` and `vocab`, on saving and on loading."""
    _, pipe, _ = subject.ready()
    whole = srsly.msgpack_loads(pipe.to_bytes())
    for field in [name for name in ("cfg", "model", "vocab") if name in whole]:
        rest = srsly.msgpack_loads(pipe.to_bytes(exclude=[field]))
        expect(field not in rest, f"{field} was saved though excluded")
    _, other = subject.blank()
    before = weights_of(other)
    other.from_bytes(pipe.to_bytes(), exclude=["model"])
    expect(same_arrays(weights_of(other), before), "the model was loaded though excluded")


def a_failing_load_changes_nothing(subject: Subject) -> None:
    """Bytes that are cut, no MessagePack, or without sense are refused, and the component stays as it was."""
    _, pipe, _ = subject.ready()
    data = pipe.to_bytes(exclude=["vocab"])
    broken_model = dict(srsly.msgpack_loads(data))
    if "model" in broken_model:
        broken_model["model"] = broken_model["model"][:-7]
    for broken in (b"", b"junk", data[:-9], srsly.msgpack_dumps(broken_model)):
        if broken == data:
            continue
        load_broken = partial(pipe.from_bytes, broken, exclude=["vocab"])
        expect_error(Exception, load_broken, "loading junk")
        expect(pipe.to_bytes(exclude=["vocab"]) == data, "a failing load changed the component")


def a_missing_folder_is_an_error(subject: Subject) -> None:
    """Loading from a folder that is not there raises FileNotFoundError."""
    _, pipe, _ = subject.ready()
    with tempfile.TemporaryDirectory() as folder:
        expect_error(FileNotFoundError, lambda: pipe.from_disk(folder + "/nothing"), "loading from nowhere")


def a_pipeline_with_it_can_be_saved_and_loaded(subject: Subject) -> None:
    """A pipeline with the component, saved and loaded by name, predicts the same."""
    nlp, pipe, _ = subject.ready()
    with tempfile.TemporaryDirectory() as folder:
        nlp.to_disk(folder + "/model")
        loaded = load(folder + "/model")
    _expect_same(subject, pipe, loaded.get_pipe(subject.factory), nlp)
    texts = subject.texts(nlp)
    expect(
        [doc.to_bytes() for doc in nlp.pipe(texts)] == [doc.to_bytes() for doc in loaded.pipe(texts)],
        "the loaded pipeline annotates differently",
    )


def _expect_same(subject: Subject, one: Any, other: Any, nlp: Any) -> None:
    expect(list(one.labels) == list(other.labels), f"labels {list(one.labels)} became {list(other.labels)}")
    expect(one.cfg == other.cfg, f"cfg {one.cfg} became {other.cfg}")
    expect(same_arrays(weights_of(one), weights_of(other)), "weights differ")
    for example in subject.examples_of(nlp):
        first, second = example.predicted.copy(), example.predicted.copy()
        one(first)
        other.set_annotations([second], other.predict([second]))
        expect(first.to_bytes() == second.to_bytes(), f"annotations differ for {first.text!r}")


CHECKS: list[Callable[[Subject], None]] = [
    bytes_bring_everything_back,
    a_folder_brings_everything_back,
    fields_can_be_excluded,
    a_failing_load_changes_nothing,
    a_missing_folder_is_an_error,
    a_pipeline_with_it_can_be_saved_and_loaded,
]
