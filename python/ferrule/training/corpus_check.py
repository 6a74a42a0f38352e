"""What a corpus holds and what looks wrong with it, before any time goes into training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ferrule.training.example import Example

__all__ = ["CorpusFacts", "compare", "gather"]

FEW = 10
"""Labels seen less often than this in training are named."""


@dataclass
class CorpusFacts:
    """Counts over the reference side of a corpus."""

    n_docs: int = 0
    n_tokens: int = 0
    n_words: int = 0  # different ones
    n_empty: int = 0
    n_misaligned: int = 0  # tokens of the reference without one token of the prediction at the same place
    n_spaced_entities: int = 0  # entities that begin or end in white space
    tags: Counter[str] = field(default_factory=Counter)
    entities: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    texts: Counter[str] = field(default_factory=Counter)

    @property
    def labels(self) -> dict[str, Counter[str]]:
        """The label counts by the factory that learns them."""
        return {"tagger": self.tags, "ner": self.entities, "textcat": self.categories}


def gather(examples: Iterable[Example]) -> CorpusFacts:
    """The facts of a stream of examples, read once."""
    facts = CorpusFacts()
    words: set[str] = set()
    for example in examples:
        doc = example.reference
        facts.n_docs += 1
        facts.n_tokens += len(doc)
        facts.n_empty += not doc.text.strip()
        facts.texts[doc.text.strip()] += 1
        words.update(token.lower_ for token in doc)
        if doc.has_annotation("TAG"):
            facts.tags.update(token.tag_ for token in doc if token.tag_)
        facts.entities.update(ent.label_ for ent in doc.ents)
        facts.n_spaced_entities += sum(ent.text != ent.text.strip() for ent in doc.ents)
        facts.categories.update(label for label, value in doc.cats.items() if value >= 0.5)
        facts.n_misaligned += sum(length != 1 for length in example.alignment.y2x.lengths)
    facts.n_words = len(words)
    return facts


def compare(train: CorpusFacts, dev: CorpusFacts, components: Iterable[str]) -> tuple[list[str], list[str]]:
    """(errors, warnings), each a sentence; an error means that training would fail or learn nothing.

    `components` are the factory names in the pipeline; labels are looked at for `tagger`, `ner`, `textcat`
    and `textcat_multilabel`.
    """
    errors, warnings = [], []
    for name, facts in (("training", train), ("development", dev)):
        if facts.n_docs == 0:
            errors.append(f"the {name} corpus is empty")
        if facts.n_empty:
            warnings.append(f"{facts.n_empty} documents of the {name} corpus have no text")
        if facts.n_misaligned:
            share = facts.n_misaligned / max(facts.n_tokens, 1)
            warnings.append(
                f"{facts.n_misaligned} tokens ({share:.1%}) of the {name} corpus are not tokens of the "
                "pipeline's tokenizer and give no or partial gold labels"
            )
        if facts.n_spaced_entities:
            warnings.append(
                f"{facts.n_spaced_entities} entities of the {name} corpus begin or end in white space"
            )
    shared = sum((train.texts & dev.texts).values())
    if shared:
        warnings.append(f"{shared} texts stand in both corpora, so the scores will look too good")
    repeated = sum(count - 1 for count in train.texts.values())
    if repeated:
        warnings.append(f"{repeated} texts of the training corpus are repeats")
    for component in components:
        errors += _label_errors(component, train)
        warnings += _label_warnings(component, train, dev)
    return errors, warnings


def _label_errors(component: str, train: CorpusFacts) -> list[str]:
    labels = train.labels.get(component.removesuffix("_multilabel"))
    if labels is None or labels or train.n_docs == 0:
        return []
    what = {"tagger": "tags", "ner": "entities"}.get(component, "categories")
    return [f"the pipeline has a {component}, and the training corpus has no {what}"]


def _label_warnings(component: str, train: CorpusFacts, dev: CorpusFacts) -> list[str]:
    kind = component.removesuffix("_multilabel")
    if kind not in train.labels:
        return []
    found = []
    only_dev = sorted(set(dev.labels[kind]) - set(train.labels[kind]))
    if only_dev:
        found.append(f"{component}: only in the development corpus: {', '.join(only_dev)}")
    few = sorted(label for label, count in train.labels[kind].items() if count < FEW)
    if few:
        found.append(f"{component}: fewer than {FEW} in the training corpus: {', '.join(few)}")
    return found
