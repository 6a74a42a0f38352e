"""From a config to a pipeline that is ready to be trained."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from ferrule.language import Language, load_from_config
from ferrule.training.checkpoint import set_seed
from ferrule.training.roles import check_frozen, check_names
from ferrule.training.settings import TrainingSettings, resolve_corpora

if TYPE_CHECKING:
    from thinc.config import Config

__all__ = ["init_nlp"]

STREAM_SAMPLE = 100
"""Examples that labels and sizes are taken from when the training corpus is streamed."""


def init_nlp(config: Config, *, use_gpu: int = -1) -> Language:
    """The pipeline of `config`, initialized from its training corpus: labels found, weights drawn.

    Components with a `source` keep the weights they come with and go on learning; frozen ones are left alone.
    The weights drawn depend on `[training] seed`. `use_gpu` is read and ignored: Ferrule runs on CPUs.

    Raises ConfigError for a config that does not fit together. Warns of frozen components that listen to an
    encoder that learns.
    """
    nlp = load_from_config(config)
    filled = nlp.config.interpolate()
    settings = TrainingSettings.from_config(filled)
    check_names(nlp, settings)
    set_seed(settings.seed)
    (train_corpus,) = resolve_corpora(filled, [settings.train_corpus])
    sourced = [name for name, block in config.get("components", {}).items() if "source" in block]
    resumed = [name for name in sourced if name not in settings.frozen_components]
    if resumed:
        with nlp.select_pipes(enable=resumed):
            nlp.resume_training(sgd=settings.optimizer)
    sample = STREAM_SAMPLE if settings.max_epochs < 0 else None
    with nlp.select_pipes(disable=[*settings.frozen_components, *resumed]):
        nlp.initialize(lambda: islice(train_corpus(nlp), sample), sgd=settings.optimizer)
    check_frozen(nlp, settings)
    return nlp
