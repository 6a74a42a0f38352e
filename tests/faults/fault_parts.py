"""Small pipelines and misbehaving components that the fault tests share."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from pathlib import Path

from thinc.api import Adam, fix_random_seed

import ferrule
from ferrule.language import Language
from ferrule.testing import default_examples
from ferrule.tokens import Doc
from networks import encoder, ner, tagger

MODEL = tagger(encoder())
ENTITY_MODEL = ner(MODEL["tok2vec"])


def trained(n_steps: int = 1) -> Language:
    """A pipeline with a small tagger, trained for `n_steps`."""
    fix_random_seed(0)
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


def whole_state(nlp: Language) -> str:
    """The same with the strings."""
    return hashlib.sha256(nlp.to_bytes()).hexdigest()


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@Language.component("fault_noop")
def noop(doc: Doc) -> Doc:
    return doc


@Language.component("fault_on_bad")
def fails_on_bad(doc: Doc) -> Doc:
    if "bad" in doc.text:
        raise ValueError(f"cannot do {doc.text!r}")
    return doc


@Language.component("fault_copies")
def copies(doc: Doc) -> Doc:
    return doc.copy()


@Language.component("fault_ends_worker")
def ends_its_process(doc: Doc) -> Doc:
    if doc.text == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if doc.text == "never done":
        time.sleep(600)
    return doc
