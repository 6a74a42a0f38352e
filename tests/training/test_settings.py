"""The `[training]` section, checked before anything runs."""

from __future__ import annotations

from typing import Any

import pytest
from thinc.api import Config

from ferrule.errors import ConfigError
from ferrule.registry import registry
from ferrule.training.settings import TrainingSettings, resolve_corpora


@pytest.fixture
def config() -> Config:
    return Config(
        {
            "training": {
                "optimizer": {"@optimizers": "Adam.v1"},
                "batcher": {"@batchers": "spacy.batch_by_sequence.v1", "size": 2},
                "logger": {"@loggers": "ferrule.ConsoleLogger.v1"},
            }
        }
    )


def test_functions_are_made_and_defaults_filled_in(config: Config) -> None:
    settings = TrainingSettings.from_config(config)
    assert settings.optimizer.learn_rate == 0.001
    assert [list(batch) for batch in settings.batcher("abc")] == [["a", "b"], ["c"]]
    assert (settings.max_steps, settings.patience, settings.eval_frequency) == (20000, 1600, 200)


def test_a_config_without_training_says_what_writes_one() -> None:
    with pytest.raises(ConfigError, match="init config"):
        TrainingSettings.from_config(Config({"nlp": {}}))


def test_an_unknown_setting_is_named_with_the_nearest(config: Config) -> None:
    config["training"]["max_step"] = 3
    with pytest.raises(ConfigError, match="'max_step'; did you mean 'max_steps'"):
        TrainingSettings.from_config(config)


@pytest.mark.parametrize("name", ["optimizer", "batcher", "logger"])
def test_a_missing_part_is_named(config: Config, name: str) -> None:
    del config["training"][name]
    with pytest.raises(ConfigError, match=rf"\[training\.{name}\]"):
        TrainingSettings.from_config(config)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("eval_frequency", 0),
        ("eval_frequency", True),
        ("max_steps", -1),
        ("max_epochs", -2),
        ("accumulate_gradient", 0),
        ("patience", "long"),
        ("train_corpus", None),
    ],
)
def test_a_value_out_of_range_is_named(config: Config, name: str, value: Any) -> None:
    config["training"][name] = value
    with pytest.raises(ConfigError, match=rf"\[training\] {name} must"):
        TrainingSettings.from_config(config)


def test_corpora_are_found_by_their_dotted_names() -> None:
    @registry.readers("test_settings.numbers")
    def numbers(count: int) -> Any:
        return lambda nlp: range(count)

    config = Config({"corpora": {"a": {"@readers": "test_settings.numbers", "count": 2}}})
    (reader,) = resolve_corpora(config, ["corpora.a"])
    assert list(reader(None)) == [0, 1]
    with pytest.raises(ConfigError, match=r"no \[corpora\.b\] section"):
        resolve_corpora(config, ["corpora.b"])


def test_a_corpus_without_a_path_says_how_to_give_one() -> None:
    config = Config({"corpora": {"train": {"@readers": "spacy.Corpus.v1", "path": None}}})
    with pytest.raises(ConfigError, match=r"--paths\.train FILE"):
        resolve_corpora(config, ["corpora.train"])
