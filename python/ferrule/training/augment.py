"""Training examples changed on the way in, so that a model learns to expect it: case, marks, spaces.

An augmenter is a function `(nlp, example) -> iterator of examples`. Each draws from Python's `random`, which
the training loop seeds, so a run can be repeated.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from ferrule.registry import registry
from ferrule.training.annotations import doc_to_annotations
from ferrule.training.example import Example
from ferrule.training.iob_utils import doc_to_partial_biluo_tags

__all__ = [
    "combined_augmenter",
    "create_combined_augmenter",
    "create_lower_casing_augmenter",
    "create_orth_variants_augmenter",
    "dont_augment",
    "lower_casing_augmenter",
    "make_lowercase_variant",
    "make_whitespace_variant",
    "orth_variants_augmenter",
]

Augmenter: TypeAlias = "Callable[[Any, Example], Iterator[Example]]"
OrthVariants: TypeAlias = "Mapping[str, Sequence[Mapping[str, Any]]]"


@registry.augmenters("spacy.lower_case.v1")
def create_lower_casing_augmenter(level: float) -> Augmenter:
    """An augmenter that lower-cases a share `level` of the examples."""
    return partial(lower_casing_augmenter, level=_checked_share("spacy.lower_case.v1", "level", level))


@registry.augmenters("spacy.orth_variants.v1")
def create_orth_variants_augmenter(level: float, lower: float, orth_variants: OrthVariants) -> Augmenter:
    """An augmenter that puts in other quotes, dashes and the like; see `orth_variants_augmenter`."""
    return partial(
        orth_variants_augmenter,
        orth_variants=orth_variants,
        level=_checked_share("spacy.orth_variants.v1", "level", level),
        lower=_checked_share("spacy.orth_variants.v1", "lower", lower),
    )


@registry.augmenters("spacy.combined_augmenter.v1")
def create_combined_augmenter(
    lower_level: float,
    orth_level: float,
    orth_variants: OrthVariants | None,
    whitespace_level: float,
    whitespace_per_token: float,
    whitespace_variants: Sequence[str] | None,
) -> Augmenter:
    """An augmenter that does several of these things to one example; see `combined_augmenter`."""
    shares: dict[str, Any] = {
        "lower_level": lower_level,
        "orth_level": orth_level,
        "whitespace_level": whitespace_level,
        "whitespace_per_token": whitespace_per_token,
    }
    for name, value in shares.items():
        _checked_share("spacy.combined_augmenter.v1", name, value)
    return partial(
        combined_augmenter, orth_variants=orth_variants, whitespace_variants=whitespace_variants, **shares
    )


def dont_augment(nlp: Any, example: Example) -> Iterator[Example]:
    """The example as it is."""
    yield example


def lower_casing_augmenter(nlp: Any, example: Example, *, level: float) -> Iterator[Example]:
    """The example or, with the chance `level`, a lower-cased copy in its place."""
    yield make_lowercase_variant(nlp, example) if random.random() < level else example


def orth_variants_augmenter(
    nlp: Any, example: Example, orth_variants: OrthVariants, *, level: float = 0.0, lower: float = 0.0
) -> Iterator[Example]:
    """The example or, with the chance `level`, a copy with variants (lower-cased with chance `lower`).

    `orth_variants`: `{"single": [{"tags": […], "variants": […]}], "paired": [{"tags": […], "variants":
    [[open, close], …]}]}`. A token whose tag is listed and whose form is one of the variants gets another one
    of them, the same everywhere in the example. An example without tags is lower-cased at most.
    """
    if random.random() >= level:
        yield example
        return
    yield _variant(nlp, example, orth_variants, lowered=random.random() < lower)


def combined_augmenter(
    nlp: Any,
    example: Example,
    *,
    lower_level: float = 0.0,
    orth_level: float = 0.0,
    orth_variants: OrthVariants | None = None,
    whitespace_level: float = 0.0,
    whitespace_per_token: float = 0.0,
    whitespace_variants: Sequence[str] | None = None,
) -> Iterator[Example]:
    """One example: the given one, lower-cased, with variants and with whitespace, each with its chance.

    `whitespace_per_token`: how many whitespace tokens to add, as a share of the tokens.
    """
    if random.random() < lower_level:
        example = make_lowercase_variant(nlp, example)
    if orth_variants and random.random() < orth_level:
        example = _variant(nlp, example, orth_variants, lowered=False)
    if whitespace_variants and random.random() < whitespace_level:
        for _ in range(int(len(example.reference) * whitespace_per_token)):
            whitespace = random.choice(whitespace_variants)
            position = random.randrange(len(example.reference))
            example = make_whitespace_variant(nlp, example, whitespace, position)
    yield example


def _variant(nlp: Any, example: Example, orth_variants: OrthVariants, *, lowered: bool) -> Example:
    words = [token.text for token in example.reference]
    tags = [token.tag_ for token in example.reference]
    changed = [word.lower() for word in words] if lowered else words
    if any(tags):
        changed = _with_variants(changed, tags, orth_variants)
    return example if changed == words else _with_words(nlp, example, changed)


def make_lowercase_variant(nlp: Any, example: Example) -> Example:
    """A copy of the example in lower case, with all its annotations."""
    return _with_words(nlp, example, [token.lower_ for token in example.reference])


def make_whitespace_variant(nlp: Any, example: Example, whitespace: str, position: int) -> Example:
    """A copy with a token of `whitespace` put in before token `position`, outside of entities and spans.

    The added token has the tag `_SP`, is governed by the token before it, and moves all annotations that come
    after it. Where it would fall into an entity or span, the example comes back as it is.
    """
    annotations = _annotations(example.reference)
    tokens, document = annotations["token_annotation"], annotations["doc_annotation"]
    reference = example.reference
    groups = [reference.ents, *(reference.spans[key] for key in reference.spans)]
    if any(span.start < position < span.end for group in groups for span in group):
        return example
    offset = reference[position].idx if position < len(reference) else len(reference.text)
    head = max(0, position - 1)
    heads = [h + (h >= position) for h in tokens["HEAD"]]
    tokens["HEAD"] = [*heads[:position], head if position else 1 if heads else 0, *heads[position:]]
    inserted = {
        "ORTH": whitespace,
        "SPACY": False,
        "TAG": "_SP",
        "LEMMA": whitespace,
        "POS": "SPACE",
        "MORPH": "",
        "DEP": "dep" if any(tokens["DEP"]) else "",
        "SENT_START": False,
    }
    for field, value in inserted.items():
        tokens[field] = [*tokens[field][:position], value, *tokens[field][position:]]
    _drop_unannotated(reference, tokens)
    if (tags := document["entities"]) is not None:
        document["entities"] = [*tags[:position], "O", *tags[position:]]
    by = len(whitespace)
    document["spans"] = {
        key: [(*_moved(row[0], row[1], offset, by), *row[2:]) for row in rows]
        for key, rows in document["spans"].items()
    }
    document["links"] = {
        _moved(start, end, offset, by): ids for (start, end), ids in document["links"].items()
    }
    return _rebuilt(nlp, annotations)


def _with_words(nlp: Any, example: Example, words: list[str]) -> Example:
    """The example with other words; offsets follow where their lengths change."""
    annotations = _annotations(example.reference)
    tokens, document = annotations["token_annotation"], annotations["doc_annotation"]
    spaces = tokens["SPACY"]
    starts, ends = _ends(tokens["ORTH"], spaces), _ends(words, spaces)
    move = {
        old: new
        for before, after in zip(starts, ends, strict=True)
        for old, new in zip(before, after, strict=True)
    }
    tokens["ORTH"] = words
    _drop_unannotated(example.reference, tokens)
    document["spans"] = {
        key: [(move[row[0]], move[row[1]], *row[2:]) for row in rows]
        for key, rows in document["spans"].items()
    }
    document["links"] = {(move[start], move[end]): ids for (start, end), ids in document["links"].items()}
    return _rebuilt(nlp, annotations)


def _ends(words: Sequence[str], spaces: Sequence[bool]) -> list[tuple[int, int]]:
    ends = []
    start = 0
    for word, space in zip(words, spaces, strict=True):
        ends.append((start, start + len(word)))
        start += len(word) + bool(space)
    return ends


def _moved(start: int, end: int, offset: int, by: int) -> tuple[int, int]:
    """A stretch of text after `by` characters have been put in at `offset`."""
    return start + by * (start >= offset), end + by * (end > offset)


def _annotations(reference: Any) -> dict[str, dict[str, Any]]:
    """`to_dict` without its losses: a sentence start may be unknown, an entity missing."""
    annotations = doc_to_annotations(reference)
    annotations["token_annotation"]["SENT_START"] = [token.is_sent_start for token in reference]
    annotations["doc_annotation"]["entities"] = _partial_tags(reference)
    return annotations


def _drop_unannotated(reference: Any, tokens: dict[str, Any]) -> None:
    """What the reference does not say must stay unsaid; the dictionary has heads for every token."""
    if not reference.has_annotation("DEP"):
        tokens.pop("HEAD")
        tokens.pop("DEP")
    if not reference.has_annotation("SENT_START"):
        tokens.pop("SENT_START", None)


def _partial_tags(reference: Any) -> list[str | None] | None:
    return doc_to_partial_biluo_tags(reference) if reference.has_annotation("ENT_IOB") else None


def _rebuilt(nlp: Any, annotations: dict[str, Any]) -> Example:
    tokens = annotations["token_annotation"]
    words = zip(tokens["ORTH"], tokens["SPACY"], strict=True)
    text = "".join(word + " " * bool(space) for word, space in words)
    return Example.from_dict(nlp.make_doc(text), annotations)


def _with_variants(words: list[str], tags: Sequence[str], orth_variants: OrthVariants) -> list[str]:
    changed = words.copy()
    for group in orth_variants.get("single", ()):
        variants = list(group["variants"])
        chosen = random.choice(variants)
        for i, tag in enumerate(tags):
            if tag in group["tags"] and words[i] in variants:
                changed[i] = chosen
    for group in orth_variants.get("paired", ()):
        pairs = [tuple(pair) for pair in group["variants"]]
        chosen_pair = random.choice(pairs)
        forms = {form: side for pair in reversed(pairs) for side, form in enumerate(pair)}
        is_inside = False
        for i, tag in enumerate(tags):
            if tag not in group["tags"] or words[i] not in forms:
                continue
            # A mark that opens and closes alike is read in turns.
            is_ambiguous = any(pair[0] == pair[1] == words[i] for pair in pairs)
            side = int(is_inside) if is_ambiguous else forms[words[i]]
            changed[i] = chosen_pair[side]
            is_inside = side == 0
    return changed


def _checked_share(name: str, setting: str, value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError(f"{name}: {setting} is a share and must lie between 0 and 1, found {value}")
    return value
