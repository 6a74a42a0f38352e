"""What `[training]` says of frozen and annotating components is checked before a run begins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from thinc.api import Config

from ferrule.errors import ConfigError
from ferrule.registry import registry
from ferrule.tokens import Doc
from ferrule.training import Example
from ferrule.training.initialize import init_nlp
from ferrule.training.presets import starting_config


@registry.readers("tests.one_sentence.v1")
def read_one_sentence() -> Callable[[Any], list[Example]]:
    def corpus(nlp: Any) -> list[Example]:
        return [Example.from_dict(Doc(nlp.vocab, words=["It", "rained"]), {"tags": ["PRP", "VBD"]})]

    return corpus


@pytest.fixture
def config() -> Config:
    config = Config(starting_config("en", ["tagger"], "small"))
    reader = {"@readers": "tests.one_sentence.v1"}
    config["corpora"] = {"train": reader, "dev": reader}
    return config


@pytest.mark.parametrize("setting", ["frozen_components", "annotating_components"])
def test_a_component_that_is_not_there_is_refused_with_the_nearest(setting: str, config: Config) -> None:
    config["training"][setting] = ["taggr"]
    with pytest.raises(ConfigError, match=rf"\[training\] {setting}: .*did you mean 'tagger'"):
        init_nlp(config)


def test_a_frozen_component_needs_weights(config: Config) -> None:
    config["training"]["frozen_components"] = ["tagger"]
    with pytest.raises(ConfigError, match=r"frozen_components has 'tagger', .*no weights yet.*source = "):
        init_nlp(config)


def test_a_frozen_listener_of_an_encoder_that_learns_is_warned_of(config: Config, tmp_path: Path) -> None:
    init_nlp(config).to_disk(tmp_path / "trained")
    config["components"]["tagger"] = {"source": str(tmp_path / "trained")}
    config["training"]["frozen_components"] = ["tagger"]
    with pytest.warns(UserWarning, match=r"'tagger' is frozen, but the encoder .* 'tok2vec', learns"):
        init_nlp(config)


def test_a_setting_of_a_sourced_component_cannot_be_referred_to(config: Config) -> None:
    from ferrule.training.config_check import check_config

    config["components"]["tok2vec"] = {"source": "a_folder"}
    config["components"]["tagger"]["model"]["tok2vec"]["width"] = "${components.tok2vec.model.width}"
    (problem,) = check_config(config)
    assert "[components.tok2vec] is copied from its source" in problem.message
