"""Training from Python in one call: `nlp.fit(train, dev)`."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ferrule.errors import ConfigError
from ferrule.registry import registry
from ferrule.storage import write_whole
from ferrule.tokens import Doc
from ferrule.training.checkpoint import set_seed
from ferrule.training.example import Example
from ferrule.training.loop import run_training
from ferrule.training.outputs import RunFolder
from ferrule.training.report import RunFigures, render_page
from ferrule.training.report.page import curves, page
from ferrule.training.settings import TrainingSettings

if TYPE_CHECKING:
    from ferrule._typing import PathOrStr
    from ferrule.language import Language

__all__ = ["FitResult", "Plot", "fit"]

DEV_SHARE = 0.1
"""Share of the examples held out for evaluation where no development data is given."""


@dataclass(repr=False)
class FitResult:
    """What came of a training run; in a notebook it shows itself as the report page."""

    nlp: Language
    figures: RunFigures
    model_path: Path | None

    @property
    def history(self) -> list[dict[str, Any]]:
        """One entry an evaluation: step, epoch, seconds, words, score, losses, scores."""
        return self.figures.history

    @property
    def best_score(self) -> float:
        """The highest weighted score."""
        best = self.figures.best
        return float("nan") if best is None else float(best["score"])

    @property
    def scores(self) -> dict[str, float]:
        """The single figures of the best evaluation."""
        return self.figures.scores

    def plot(self) -> Plot:
        """Loss and scores by step, as something a notebook shows and `save` writes to a file."""
        return Plot(curves(self.figures))

    def __repr__(self) -> str:
        best = self.figures.best
        at = "" if best is None else f" at step {best['step']}"
        saved = "" if self.model_path is None else f", saved in {self.model_path.parent}"
        return f"<FitResult: best score {self.best_score:.4f}{at}, {len(self.history)} evaluations{saved}>"

    def _repr_html_(self) -> str:
        return render_page(self.figures)


@dataclass
class Plot:
    """Charts as HTML with SVG inside; needs no other package."""

    html: str

    def save(self, path: PathOrStr) -> None:
        """Write the charts as a page of their own."""
        write_whole(path, page("Training", self.html))

    def _repr_html_(self) -> str:
        return self.html


@registry.misc("ferrule.fit.v1")
def fit(
    nlp: Language,
    train: Any,
    dev: Any = None,
    *,
    output: PathOrStr | None = None,
    initialize: bool | None = None,
    **settings: Any,
) -> FitResult:
    """Train `nlp` and say how it went.

    `train` and `dev` are examples, pairs of a text and a dictionary of annotations as `Example.from_dict`
    takes them, or the path of a `.spacy` file or folder. Without `dev`, a tenth of `train` is held out,
    chosen by the seed. `initialize` draws new weights; by default that is done if some are missing. Other
    arguments replace settings of `[training]` in the pipeline's config, such as `max_steps`,
    `eval_frequency`, `dropout`. With `output`, models, checkpoint and report are saved there as by `train`.

    Raises ConfigError for an unknown setting, ValueError for an empty corpus, TypeError for other data.
    """
    config = nlp.config.copy()
    for name, value in settings.items():
        if name not in TrainingSettings.__dataclass_fields__:
            raise ConfigError(f"fit: [training] has no setting {name!r}")
        config["training"][name] = value
    chosen = TrainingSettings.from_config(config.interpolate())
    set_seed(chosen.seed)
    examples = _examples(nlp, train, "train")
    held_out = _examples(nlp, dev, "dev") if dev is not None else _hold_out(examples, chosen.seed)
    if initialize or (initialize is None and _lacks_weights(nlp)):
        nlp.initialize(lambda: examples, sgd=chosen.optimizer)
    folder = RunFolder(output, nlp, chosen, config=config)
    figures = run_training(nlp, chosen, _fresh(examples), _fresh(held_out), folder=folder)
    return FitResult(nlp, figures, folder.last_model)


def _examples(nlp: Language, data: Any, name: str) -> list[Example]:
    if isinstance(data, (str, PathLike)):
        from ferrule.training.corpus import Corpus

        return list(Corpus(data)(nlp))
    if not isinstance(data, Iterable):
        raise TypeError(
            f"fit: {name} must be examples, (text, annotations) pairs or a path, found {type(data).__name__}"
        )
    found = []
    for item in data:
        if isinstance(item, Example):
            found.append(item)
        elif isinstance(item, (tuple, list)) and len(item) == 2 and isinstance(item[0], str):
            found.append(Example.from_dict(nlp.make_doc(item[0]), item[1]))
        else:
            raise TypeError(
                f"fit: {name} holds a {type(item).__name__}; expected an Example or a pair of a text and a "
                "dictionary of annotations"
            )
    return found


def _hold_out(examples: list[Example], seed: int | None) -> list[Example]:
    """Take a share of `examples` out of the list and return it."""
    if len(examples) < 2:
        raise ValueError("fit: at least two examples are needed to hold some out; or give dev=")
    chosen = random.Random(seed).sample(range(len(examples)), k=max(1, round(len(examples) * DEV_SHARE)))
    held_out = [examples[index] for index in chosen]
    for index in sorted(chosen, reverse=True):
        del examples[index]
    return held_out


def _fresh(examples: list[Example]) -> Callable[[Any], list[Example]]:
    """A corpus that gives each example anew, without what was predicted before."""

    def corpus(nlp: Any) -> list[Example]:
        return [Example(_unannotated(example.predicted), example.reference) for example in examples]

    return corpus


def _unannotated(doc: Doc) -> Doc:
    return Doc(
        doc.vocab, words=[token.text for token in doc], spaces=[bool(token.whitespace_) for token in doc]
    )


def _lacks_weights(nlp: Language) -> bool:
    return any(
        node.has_param(name) is None
        for _, component in nlp.pipeline
        if hasattr(getattr(component, "model", None), "walk")
        for node in component.model.walk()
        for name in node.param_names
    )
