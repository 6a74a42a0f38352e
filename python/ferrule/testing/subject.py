"""What the checks work on: fresh, initialised pipelines with the component under test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy
from thinc.api import Model, fix_random_seed

from ferrule.language import Language, blank
from ferrule.tokens import Doc
from ferrule.training.example import Example

__all__ = ["Subject", "default_examples", "gradients_of", "weights_of"]

ExamplesOf = Callable[[Language], Iterable[Example]]

_SENTENCES = (
    ("Anna sees the small boat .", "PROPN VERB DET ADJ NOUN PUNCT", "B-PER O O O O O", "ship"),
    ("The boat leaves Oslo today .", "DET NOUN VERB PROPN NOUN PUNCT", "O O O B-LOC O O", "ship"),
    ("Ben bakes bread .", "PROPN VERB NOUN PUNCT", "B-PER O O O", "food"),
    ("Fresh bread smells good .", "ADJ NOUN VERB ADJ PUNCT", "O O O O O", "food"),
    ("Anna and Ben visit Rome .", "PROPN CCONJ PROPN VERB PROPN PUNCT", "B-PER O B-PER O B-LOC O", "ship"),
    ("They eat warm soup .", "PRON VERB ADJ NOUN PUNCT", "O O O O O", "food"),
)


def default_examples(nlp: Language) -> list[Example]:
    """Six short sentences with tags, parts of speech, lemmas, a tree, entities and one category each."""
    examples = []
    for text, tags, entities, category in _SENTENCES:
        words = text.split()
        annotation = {
            "tags": tags.split(),
            "pos": tags.split(),
            "lemmas": [word.lower() for word in words],
            "heads": [0] * len(words),
            "deps": ["ROOT"] + ["dep"] * (len(words) - 1),
            "sent_starts": [1] + [0] * (len(words) - 1),
            "entities": entities.split(),
            "cats": {name: float(name == category) for name in ("food", "ship")},
        }
        examples.append(Example.from_dict(Doc(nlp.vocab, words=words), annotation))
    return examples


class Subject:
    """A factory, its settings and examples for it; makes a fresh pipeline whenever a check asks.

    factory: the registered name. config: settings for it. examples: function of the pipeline that returns
    examples it can learn from; the six of `default_examples` unless given. lang: language of the pipeline.
    """

    def __init__(
        self,
        factory: str,
        *,
        config: Mapping[str, Any] | None = None,
        examples: ExamplesOf = default_examples,
        lang: str = "en",
    ) -> None:
        self.factory = factory
        self.config = dict(config or {})
        self.examples_of = examples
        self.lang = lang

    def blank(self) -> tuple[Language, Any]:
        """A new pipeline with the component, not initialised; and the component."""
        fix_random_seed(0)
        nlp = blank(self.lang)
        return nlp, nlp.add_pipe(self.factory, config=self.config)

    def ready(self) -> tuple[Language, Any, list[Example]]:
        """A new pipeline with the component, initialised on the examples; the component; the examples."""
        nlp, pipe = self.blank()
        examples = list(self.examples_of(nlp))
        nlp.initialize(lambda: examples)
        return nlp, pipe, examples

    def texts(self, nlp: Language) -> list[str]:
        """The texts of the examples."""
        return [example.reference.text for example in self.examples_of(nlp)]


def weights_of(pipe: Any) -> dict[tuple[int, str], Any]:
    """Copies of all weights, by position of the node and name."""
    return _arrays(pipe, "param_names", "has_param", "get_param")


def gradients_of(pipe: Any) -> dict[tuple[int, str], Any]:
    """Copies of all gradients that are not zero, by position of the node and name."""
    found = _arrays(pipe, "grad_names", "has_grad", "get_grad")
    return {key: array for key, array in found.items() if array.any()}


def _arrays(pipe: Any, names: str, has: str, get: str) -> dict[tuple[int, str], Any]:
    model = getattr(pipe, "model", None)
    if not isinstance(model, Model):
        return {}
    return {
        (position, name): numpy.array(getattr(node, get)(name))
        for position, node in enumerate(model.walk())
        for name in getattr(node, names)
        if getattr(node, has)(name)
    }


def same_arrays(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> bool:
    """Whether both have the same keys and the same bits."""
    return one.keys() == other.keys() and all(one[key].tobytes() == other[key].tobytes() for key in one)
