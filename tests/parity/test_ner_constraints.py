"""Under random weights and annotation, `ner` finds the entities that spaCy's finds and has its gradients."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from thinc.api import NumpyOps, fix_random_seed

import ferrule
from ferrule.ml import transition
from ferrule.tokens import Doc, Span
from ferrule.training import Example

spacy = pytest.importorskip("spacy")

LABELS, WORDS, SPACES = ("LOC", "PER"), ("Anna", "left", "York", "went", "Ben"), (" ", "\n")
N_DECODED, N_LEARNED, N_CUT = 300, 120, 20
# Of the length of the gradient by all weights: float32 sums in another order.
TOLERANCE = 2e-3
Triple = tuple[int, int, str]


class Annotation(NamedTuple):
    """What is known of a document; of tokens in none of the lists nothing is."""

    sent_starts: list[bool | None]
    entities: list[Triple]
    outside: list[int]
    blocked: Sequence[int] = ()
    wrong: Sequence[Triple] = ()

    def doc(self, kinds: tuple[Any, Any], vocab: Any, words: list[str]) -> Any:
        """A document of either library."""
        new_doc, new_span = kinds
        doc = new_doc(vocab, words=words, sent_starts=self.sent_starts)
        doc.set_ents(
            [new_span(doc, start, end, label=label) for start, end, label in self.entities],
            outside=[doc[token : token + 1] for token in self.outside],
            blocked=[doc[token : token + 1] for token in self.blocked],
            default="missing",
        )
        doc.spans["wrong"] = [new_span(doc, start, end, label=label) for start, end, label in self.wrong]
        return doc


class Pair(NamedTuple):
    """The same recognizer in spaCy and here, with other weights each time they are asked for."""

    theirs: Any
    ours: Any

    def draw_weights(self, seed: int) -> None:
        """Weights that begin and end entities anywhere."""
        upper = self.theirs.model.get_ref("upper")
        weights = np.random.default_rng(seed).normal(size=upper.get_param("W").shape).astype("f")
        for component in self:
            component.model.get_ref("upper").set_param("W", weights)

    def cut_at(self, size: int) -> None:
        """How long pieces of documents are; 0 cuts nothing."""
        for component in self:
            component.cfg["update_with_oracle_cut_size"] = size

    def docs(self, words: list[str], annotation: Annotation) -> tuple[Any, Any]:
        """A document for each."""
        return (
            annotation.doc((spacy.tokens.Doc, spacy.tokens.Span), self.theirs.vocab, words),
            annotation.doc((Doc, Span), self.ours.vocab, words),
        )

    def check_gradients(self, words: list[str], known: Annotation, gold: Annotation) -> None:
        """One update of each, without dropout, has the same gradient."""
        found = []
        for component, kind, predicted, reference in zip(
            self,
            (spacy.training.Example, Example),
            self.docs(words, known),
            self.docs(words, gold),
            strict=True,
        ):
            random.seed(len(words))
            component.update([kind(predicted, reference)], drop=0.0, sgd=None)
            gradients = []
            for node in component.model.walk():
                for name in node.grad_names:
                    gradients.append(node.get_grad(name).ravel().copy())
                    node.get_grad(name)[...] = 0
            found.append(np.concatenate(gradients))
        assert found[0].shape == found[1].shape
        distance = np.linalg.norm(found[0] - found[1])
        assert distance <= TOLERANCE * max(1.0, np.linalg.norm(found[0])), (words, known, gold)


@pytest.fixture(scope="module")
def pair() -> Pair:
    config = {"incorrect_spans_key": "wrong", "update_with_oracle_cut_size": 0}
    fix_random_seed(0)
    theirs = spacy.blank("en").add_pipe("ner", config=config)
    for label in LABELS:
        theirs.add_label(label)
    doc = spacy.tokens.Doc(theirs.vocab, words=[*WORDS, *SPACES])
    theirs.initialize(lambda: [spacy.training.Example(doc, doc)])
    ours = ferrule.blank("en").add_pipe("ner", config=config)
    ours.from_bytes(theirs.to_bytes(exclude=["vocab"]), exclude=["vocab"])
    return Pair(theirs, ours)


@pytest.fixture
def same_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No dropout in either; spaCy asks its ops for one of a tenth in any case."""
    monkeypatch.setattr(transition, "HIDDEN_DROPOUT", 0.0)
    monkeypatch.setattr(NumpyOps, "get_dropout_mask", lambda ops, shape, drop: np.ones(shape, dtype="f"))


def _words(draw: random.Random, longest: int, spaces: Sequence[str] = SPACES) -> list[str]:
    return [draw.choice([*WORDS, *spaces]) for _ in range(draw.randint(1, longest))]


def _annotation(draw: random.Random, n_tokens: int, known: float, *, blocked: bool = False) -> Annotation:
    """Entities, tokens outside and blocked ones, in about a share of `known`."""
    starts = [draw.choice([None, None, False, True]) for _ in range(n_tokens)]
    entities, outside, shut = [], [], []
    token = 0
    while token < n_tokens:
        end, kind = token + 1, draw.random()
        if kind < known / 2:
            end = min(n_tokens, token + draw.randint(1, 3))
            entities.append((token, end, draw.choice(LABELS)))
        elif kind < known:
            (shut if blocked and draw.random() < 0.5 else outside).append(token)
        token = end
    return Annotation(starts if draw.random() < 0.6 else [None] * n_tokens, entities, outside, shut)


def _wrong(draw: random.Random, n_tokens: int, gold: Annotation) -> list[Triple]:
    starts = [draw.randrange(n_tokens) for _ in range(draw.randint(0, 3))]
    spans = [(start, min(n_tokens, start + draw.randint(1, 3)), draw.choice(LABELS)) for start in starts]
    return [span for span in spans if span not in gold.entities]


def test_what_is_known_beforehand_constrains_as_in_spacy(pair: Pair) -> None:
    draw, n_found = random.Random(1), 0
    for number in range(N_DECODED):
        pair.draw_weights(number)
        words = _words(draw, 9)
        theirs, ours = pair.docs(words, known := _annotation(draw, len(words), 0.4, blocked=True))
        pair.theirs(theirs)
        pair.ours(ours)
        found, expected = ([(e.start, e.end, e.label_) for e in doc.ents] for doc in (ours, theirs))
        assert found == expected, (words, known)
        assert [token.ent_iob_ for token in ours] == [token.ent_iob_ for token in theirs]
        n_found += len(set(found) - set(known.entities))
    assert n_found > N_DECODED / 2


@pytest.mark.usefixtures("same_masks")
def test_gradients_of_partial_annotation_and_wrong_spans_are_spacys(pair: Pair) -> None:
    draw = random.Random(2)
    pair.cut_at(0)
    for number in range(N_LEARNED):
        pair.draw_weights(number)
        words = _words(draw, 8)
        gold = _annotation(draw, len(words), 0.8)
        gold = gold._replace(wrong=_wrong(draw, len(words), gold))
        known = _annotation(draw, len(words), draw.choice([0.0, 0.0, 0.3]), blocked=True)
        pair.check_gradients(words, known, gold)


@pytest.mark.usefixtures("same_masks")
@pytest.mark.parametrize("size", [2, 3, 5])
def test_gradients_of_documents_that_are_cut_are_spacys(pair: Pair, size: int) -> None:
    draw = random.Random(3)
    pair.cut_at(size)
    for number in range(N_CUT):
        pair.draw_weights(number)
        words = _words(draw, 14, spaces=())
        gold = _annotation(draw, len(words), 0.5)
        # Complete: of pieces that are partly annotated spaCy looks at all but the document's last token.
        inside = {token for start, end, _ in gold.entities for token in range(start, end)}
        gold = Annotation(
            [None] * len(words), gold.entities, [token for token in range(len(words)) if token not in inside]
        )
        pair.check_gradients(words, Annotation([None] * len(words), [], []), gold)
