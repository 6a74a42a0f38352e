"""A live spaCy pipeline, made faster where it stands: Ferrule's forwards in place of its own."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, TypeAlias

from spacy.language import Language
from spacy.pipeline import EntityRecognizer
from thinc.api import Model, NumpyOps, SparseLinear_v2

from ferrule.interop.spacy.recognizer import FastRecognizer, why_not_recognizer
from ferrule.interop.spacy.unfused import encoders_left, why_nothing
from ferrule.ml.extract_ngrams import ExtractNgrams
from ferrule.ml.fused import FusedForward, fuse
from ferrule.ml.fused_function import FusedFunction
from ferrule.ml.fused_head import FusedHead
from ferrule.ml.sparse_linear import SparseLinear

__all__ = ["Acceleration", "Swap", "accelerate"]

Node: TypeAlias = Model[Any, Any]
Forward: TypeAlias = Callable[..., Any]

# `spacy.ml` has functions of the same names as its modules.
_their_ngrams = importlib.import_module("spacy.ml.extract_ngrams").forward
_their_sparse_linear = SparseLinear_v2()._func
_our_sparse_linear = SparseLinear()._func
_our_ngrams = ExtractNgrams(1)._func


@dataclass(frozen=True)
class Swap:
    """What became of one part of one component.

    component: its name in the pipeline. part: what the part does. swapped: whether Ferrule runs it now. why:
    why not, else empty.
    """

    component: str
    part: str
    swapped: bool
    why: str = ""


@dataclass
class Acceleration:
    """What `accelerate` did to a pipeline, and the way back.

    report: a `Swap` for each part it found. ``print(acceleration)`` shows it as a table. In a ``with`` block
    the pipeline is its old self again at the end.
    """

    report: list[Swap] = field(default_factory=list)
    _changed: list[tuple[Node, Forward, Forward]] = field(default_factory=list)
    _replaced: list[tuple[Language, FastRecognizer]] = field(default_factory=list)

    def undo(self) -> int:
        """Give every part its own forward back; returns how many there were. A second call does nothing."""
        n_undone = 0
        for nlp, fast in self._replaced:
            for index, (name, pipe) in enumerate(nlp._components):
                if pipe is fast:
                    nlp._components[index] = (name, fast._theirs)
                    n_undone += 1
        self._replaced = []
        for node, theirs, ours in self._changed:
            if node._func is ours:
                node._func = theirs
                n_undone += 1
        self._changed = []
        return n_undone

    def __enter__(self) -> Acceleration:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.undo()

    def __str__(self) -> str:
        rows = [(each.component, each.part, "yes" if each.swapped else each.why) for each in self.report]
        widths = [max(map(len, column)) for column in zip(("component", "part", ""), *rows, strict=True)]
        table = [("component", "part", "swapped"), *rows]
        return "\n".join(f"{a:{widths[0]}}  {b:{widths[1]}}  {c}" for a, b, c in table)


def accelerate(nlp: Language) -> Acceleration:
    """Let Ferrule run the parts it knows of a live spaCy pipeline; returns what was done and how to undo it.

    Token encoders (`HashEmbedCNN` and its like), softmax heads, n-gram counts and sparse linear layers are
    run by Rust with the same weights, wherever they stand: in taggers, morphologizers, text classifiers,
    entity recognizers, parsers, shared ``tok2vec`` components. Scores differ by rounding only. Nodes,
    parameters and bytes stay as they are: the pipeline is saved as before, and may be trained; a step of
    training is noticed. The place of an entity recognizer is taken by one that lets Ferrule find the entities
    (`FastRecognizer`). What is left to spaCy (tokenizer, parsers, rules, layers Ferrule does not know) stands
    in the report.

    >>> import spacy
    >>> nlp = spacy.blank("en")
    >>> _ = nlp.add_pipe("tok2vec")
    >>> with accelerate(nlp) as acceleration:
    ...     print(acceleration)
    component  part           swapped
    tok2vec    token encoder  yes

    Raises TypeError for anything but a spaCy pipeline.
    """
    if not isinstance(nlp, Language):
        raise TypeError(
            f"accelerate: expected a spaCy pipeline, found {type(nlp).__module__}.{type(nlp).__qualname__}; "
            f"Ferrule's own are fast as they are"
        )
    acceleration = Acceleration()
    for name, pipe in nlp.components:
        model = getattr(pipe, "model", None)
        if isinstance(model, Model):
            _accelerate_model(name, model, acceleration)
            if isinstance(pipe, EntityRecognizer | FastRecognizer):
                _accelerate_recognizer(nlp, name, pipe, acceleration)
        else:
            acceleration.report.append(Swap(name, type(pipe).__name__, False, "has no thinc model"))
    return acceleration


def _accelerate_model(component: str, model: Node, acceleration: Acceleration) -> None:
    before = [(node, node._func) for node in model.walk()]
    fuse(model)
    found = []
    for node, theirs in before:
        if node._func is theirs and isinstance(node.ops, NumpyOps):
            node._func = _replacement(node)
        if node._func is not theirs:
            acceleration._changed.append((node, theirs, node._func))
            found.append(Swap(component, _part(node), True))
        elif _is_ours(theirs):
            found.append(Swap(component, _part(node), False, "was swapped before"))
    found += [Swap(component, "token encoder", False, why) for why in encoders_left(model)]
    acceleration.report += found or [Swap(component, "model", False, why_nothing(model))]


def _accelerate_recognizer(nlp: Language, name: str, pipe: Any, acceleration: Acceleration) -> None:
    part = "transitions"
    if isinstance(pipe, FastRecognizer):
        acceleration.report.append(Swap(name, part, False, "was swapped before"))
        return
    why = why_not_recognizer(pipe)
    if not why:
        fast = FastRecognizer(pipe)
        nlp._components[nlp.component_names.index(name)] = (name, fast)
        acceleration._replaced.append((nlp, fast))
    acceleration.report.append(Swap(name, part, not why, why))


def _replacement(node: Node) -> Forward:
    """Ferrule's forward for a single layer, or the one it has."""
    if node._func is _their_ngrams:
        return _our_ngrams
    if node._func is _their_sparse_linear and not node.attrs.get("v1_indexing", False):
        return _our_sparse_linear
    return node._func


def _is_ours(forward: Forward) -> bool:
    return isinstance(forward, FusedFunction) or forward in (_our_ngrams, _our_sparse_linear)


def _part(node: Node) -> str:
    if isinstance(node._func, FusedForward):
        return "token encoder"
    if isinstance(node._func, FusedHead):
        return "softmax head"
    return "n-gram counts" if node._func is _our_ngrams else "sparse linear layer"
