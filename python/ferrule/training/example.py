"""A document as predicted and the same document as it should be, token by token."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ferrule._core import DocCore, orth_bytes
from ferrule.training.alignment import Alignment
from ferrule.training.alignment_array import AlignmentArray
from ferrule.training.annotations import doc_from_annotations, doc_to_annotations
from ferrule.training.iob_utils import ENT_IOB_OUTSIDE, entity_tags
from ferrule.training.projectivity import projectivize

__all__ = ["Example", "validate_examples", "validate_get_examples"]

_NOT_STRINGS = frozenset({"ENT_IOB", "SENT_START"})


class Example:
    """A predicted document (`predicted`, `x`) beside its reference (`reference`, `y`).

    The two may be tokenized differently, as long as their texts agree but for whitespace and capitals. What
    the reference says is asked for in the tokens of the prediction (`get_aligned…`); None means that it says
    nothing there, which is never the same as a negative.

    Works with any document that has spaCy's public `Doc` API. Raises TypeError if either is missing.

    >>> from ferrule.tokens import Doc
    >>> from ferrule.vocab import Vocab
    >>> predicted = Doc(Vocab(), words=["I", "saw", "New York"])
    >>> example = Example.from_dict(
    ...     predicted, {"words": ["I", "saw", "New", "York"], "tags": ["PRP", "VBD", "NNP", "NNP"]}
    ... )
    >>> example.get_aligned("TAG", as_string=True)
    ['PRP', 'VBD', 'NNP']
    """

    __slots__ = ("_alignment", "_alignment_key", "_x", "_y")

    def __init__(self, predicted: Any, reference: Any, *, alignment: Alignment | None = None) -> None:
        self._x = _checked_doc("predicted", predicted)
        self._y = _checked_doc("reference", reference)
        self._alignment = alignment
        self._alignment_key = None if alignment is None else self._tokens()

    @classmethod
    def from_dict(cls, predicted: Any, example_dict: Mapping[str, Any]) -> Example:
        """An example whose reference is built from a dictionary; see :mod:`ferrule.training.annotations`.

        Raises ValueError if an argument is None; AnnotationError for an unknown field (with the nearest
        names) and for a list that has not one value for each word.
        """
        if predicted is None or example_dict is None:
            raise ValueError("Example.from_dict: expected a Doc and a dict of annotations, found None")
        return cls(predicted, doc_from_annotations(_checked_doc("predicted", predicted), example_dict))

    @property
    def predicted(self) -> Any:
        """The document that the pipeline makes or made; `x` for short."""
        return self._x

    @predicted.setter
    def predicted(self, doc: Any) -> None:
        self._x = _checked_doc("predicted", doc)
        self._alignment = None

    @property
    def reference(self) -> Any:
        """The document with the true annotations; `y` for short."""
        return self._y

    @reference.setter
    def reference(self, doc: Any) -> None:
        self._y = _checked_doc("reference", doc)
        self._alignment = None

    x = predicted
    y = reference

    def __len__(self) -> int:
        """The number of tokens of the predicted document."""
        return len(self._x)

    def __repr__(self) -> str:
        return str(self.to_dict())

    @property
    def text(self) -> str:
        """The text of the predicted document."""
        text: str = self._x.text
        return text

    def copy(self) -> Example:
        """An example of copies of both documents."""
        return Example(self._x.copy(), self._y.copy())

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """The annotations of the reference, in the format that :meth:`from_dict` reads."""
        return doc_to_annotations(self._y)

    @property
    def alignment(self) -> Alignment:
        """How the two tokenizations correspond; kept until a document is replaced or retokenized.

        Raises AlignmentError if the texts differ in more than whitespace and capitals.
        """
        key = self._tokens()
        if self._alignment is None or self._alignment_key != key:
            if key[0] == key[1]:
                self._alignment = Alignment.identity(len(self._x))
            else:
                self._alignment = Alignment.from_strings(_words(self._x), _words(self._y))
            self._alignment_key = key
        return self._alignment

    def get_aligned(self, field: str, as_string: bool = False) -> list[Any]:
        """The reference's values of a token attribute (`"TAG"`, `"POS"`, `"DEP"`…), for each predicted token.

        A predicted token that covers several reference tokens has their value if they agree, else None; None
        too where nothing corresponds. Values are ids, or strings with `as_string`; an attribute that is not
        annotated has the id 0 and the string `""`.
        """
        values = np.asarray(self._y.to_array([field])).ravel()
        aligned, is_known = self.alignment.x2y.agreed(values)
        found: list[Any] = aligned.tolist()
        if as_string and field not in _NOT_STRINGS:
            strings = self._y.vocab.strings
            names = {id_: strings[id_] for id_ in set(found)}
            found = [names[id_] for id_ in found]
        if is_known.all():
            return found
        return [value if known else None for value, known in zip(found, is_known.tolist(), strict=True)]

    def get_aligned_parse(self, projectivize: bool = True) -> tuple[list[int | None], list[str | None]]:
        """`(heads, deps)` for each predicted token: the head's position and the label.

        None where the token, or for heads the head, has no single counterpart. With `projectivize`, crossing
        arcs are lifted and their labels marked, as the parser needs them.
        """
        return _aligned_parse(self, projectivize)

    def get_aligned_sent_starts(self) -> list[bool | None]:
        """Whether each predicted token starts a sentence; all None if the reference has no sentences.

        A sentence whose first token has no counterpart starts nowhere (spaCy raises IndexError there).
        """
        if not self._y.has_annotation("SENT_START"):
            return [None] * len(self._x)
        starts: list[bool | None] = [False] * len(self._x)
        for sent in self._y.sents:
            positions = self.alignment.y2x[sent.start]
            if len(positions):
                starts[int(positions[0])] = True
        return starts

    def get_aligned_spans_x2y(self, x_spans: Iterable[Any], allow_overlap: bool = False) -> list[Any]:
        """Spans of the prediction as spans of the reference; those without exact counterpart are left out.

        Without `allow_overlap`, tokens that an earlier span has taken are not used again.
        """
        return _aligned_spans(self._y, x_spans, self.alignment.x2y, allow_overlap)

    def get_aligned_spans_y2x(self, y_spans: Iterable[Any], allow_overlap: bool = False) -> list[Any]:
        """Spans of the reference as spans of the prediction; see :meth:`get_aligned_spans_x2y`."""
        return _aligned_spans(self._x, y_spans, self.alignment.y2x, allow_overlap)

    def get_aligned_ents_and_ner(self) -> tuple[list[Any], list[str | None]]:
        """`(entities, tags)`: the reference's entities as spans of the prediction, and as BILUO tags.

        A tag is None where the reference says nothing, or where an entity has no exact counterpart.
        """
        if not self._y.has_annotation("ENT_IOB"):
            return [], [None] * len(self._x)
        ents = self.get_aligned_spans_y2x(self._y.ents, allow_overlap=False)
        tags: list[str | None] = [None] * len(self._x)
        for ent in ents:
            tags[ent.start : ent.end] = entity_tags(ent.label_, ent.start, ent.end)
        is_space = np.asarray(self._x.to_array(["IS_SPACE"])).ravel().tolist()
        for position, ent_iob in enumerate(self.get_aligned("ENT_IOB")):
            if tags[position] is None and (ent_iob == ENT_IOB_OUTSIDE or is_space[position]):
                tags[position] = "O"
        return ents, tags

    def get_aligned_ner(self) -> list[str | None]:
        """The reference's entities as BILUO tags of the predicted tokens; None where it says nothing."""
        return self.get_aligned_ents_and_ner()[1]

    def get_matching_ents(self, check_label: bool = True) -> list[Any]:
        """The predicted entities that the reference has at the same characters (and label)."""
        labels = {(ent.start_char, ent.end_char): ent.label_ for ent in self._y.ents}
        found = ((ent, labels.get((ent.start_char, ent.end_char))) for ent in self._x.ents)
        return [ent for ent, label in found if label is not None and (label == ent.label_ or not check_label)]

    def split_sents(self) -> list[Example]:
        """One example for each sentence of the reference; `[self]` if it has no sentences.

        A predicted token that two sentences share goes to the first.
        """
        if not self._y.has_annotation("SENT_START"):
            return [self]
        examples = []
        next_free = 0
        for sent in self._y.sents:
            positions = self.alignment.y2x[sent.start : sent.end]
            positions = positions[positions >= next_free]
            if len(positions):
                start, next_free = int(positions[0]), int(positions[-1]) + 1
                examples.append(Example(self._x[start:next_free].as_doc(), sent.as_doc()))
        return examples

    def _tokens(self) -> tuple[bytes, bytes]:
        """What the alignment depends on: the tokens of both documents, as bytes that compare fast."""
        return _orths(self._x), _orths(self._y)


def validate_examples(examples: Iterable[Any], method: str) -> None:
    """Raises TypeError unless `examples` is an iterable of examples; `method` is named in the message.

    Reads `examples` to the end: pass a list, not a generator that is needed afterwards.
    """
    if not isinstance(examples, Iterable):
        raise TypeError(f"{method}: expected an iterable of Example, found {type(examples).__name__}")
    wrong = {
        type(eg).__name__ for eg in examples if not (hasattr(eg, "predicted") and hasattr(eg, "reference"))
    }
    if wrong:
        raise TypeError(f"{method}: expected Example objects, found {', '.join(sorted(wrong))}")


def validate_get_examples(get_examples: Callable[[], Iterable[Any]], method: str) -> None:
    """Raises TypeError unless `get_examples` is a function that returns examples, one at least."""
    if not callable(get_examples):
        raise TypeError(
            f"{method}: expected a function that returns examples, found {type(get_examples).__name__}. "
            f"Pass `lambda: examples`."
        )
    examples = get_examples()
    examples = list(examples) if isinstance(examples, Iterable) else examples
    if not examples:
        raise TypeError(f"{method}: get_examples() must return at least one Example, found {examples!r}")
    validate_examples(examples, method)


def _checked_doc(role: str, doc: Any) -> Any:
    if isinstance(doc, DocCore):
        return doc
    if not hasattr(doc, "to_array") or not hasattr(doc, "vocab"):
        raise TypeError(f"Example: {role} must be a Doc, found {type(doc).__name__}: {str(doc)[:80]!r}")
    return doc


def _orths(doc: Any) -> bytes:
    if isinstance(doc, DocCore):
        return orth_bytes(doc)
    return np.ascontiguousarray(doc.to_array(["ORTH"])).tobytes()


def _words(doc: Any) -> list[str]:
    return [token.text for token in doc]


def _aligned_parse(example: Example, make_projective: bool) -> tuple[list[int | None], list[str | None]]:
    reference = example.reference
    columns = np.asarray(reference.to_array(["HEAD", "DEP"])).astype(np.int64)
    has_dep = columns[:, 1] != 0  # without a label there is no head either
    heads = np.arange(len(reference)) + np.where(has_dep, columns[:, 0], 0)
    deps = [token.dep_ for token in reference]
    if make_projective:
        lifted_heads, lifted_deps = projectivize(heads.tolist(), deps)
        heads = np.where(has_dep, lifted_heads, heads)
        deps = [lifted if has else dep for lifted, dep, has in zip(lifted_deps, deps, has_dep, strict=True)]
    x2y, y2x = example.alignment.x2y.one_to_one().tolist(), example.alignment.y2x.one_to_one().tolist()
    aligned_heads = [y2x[heads[gold]] if gold >= 0 else -1 for gold in x2y]
    return (
        [None if head < 0 else head for head in aligned_heads],
        [deps[gold] if gold >= 0 else None for gold in x2y],
    )


def _aligned_spans(doc: Any, spans: Iterable[Any], rows: AlignmentArray, allow_overlap: bool) -> list[Any]:
    taken: set[int] = set()
    aligned = []
    make_span = type(doc[0:0])
    for span in spans:
        positions = _free_positions(rows, span, taken)
        if not positions:
            continue
        candidate = make_span(doc, positions[0], positions[-1] + 1, label=span.label_)
        if _compared_text(candidate) == _compared_text(span):
            aligned.append(candidate)
            if not allow_overlap:
                taken.update(positions)
    return aligned


def _free_positions(rows: AlignmentArray, span: Any, taken: set[int]) -> Sequence[int]:
    positions: list[int] = rows[span.start : span.end].tolist()
    return [position for position in positions if position not in taken] if taken else positions


def _compared_text(span: Any) -> str:
    text: str = span.text
    return text.lower().strip().replace(" ", "")
