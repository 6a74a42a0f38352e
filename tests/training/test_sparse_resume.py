"""A run of a bag of words, whose optimizer keeps touched columns only, resumes to the same bits."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from thinc.api import Config

import ferrule
from ferrule.tokens import DocBin
from ferrule.training.initialize import init_nlp
from ferrule.training.loop import train
from ferrule.training.presets import starting_config

WORDS = {"POS": ["good", "fine", "great"], "NEG": ["bad", "poor", "awful"]}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    nlp = ferrule.blank("en")
    docs = DocBin()
    for label, words in WORDS.items():
        for word in words:
            for thing in ("film", "book", "trip", "meal"):
                doc = nlp.make_doc(f"a {word} {thing}")
                doc.cats = {name: float(name == label) for name in WORDS}
                docs.add(doc)
    docs.to_disk(tmp_path / "corpus.spacy")
    settings = Config(starting_config("en", ["textcat"], "small"))
    settings["components"]["textcat"]["model"] = {
        "@architectures": "spacy.TextCatBOW.v3",
        "exclusive_classes": True,
        "ngram_size": 1,
        "no_output_layer": False,
        "length": 1024,
    }
    settings["components"]["textcat"]["ngram_dropout"] = 0.2
    settings["paths"] = {"train": str(tmp_path / "corpus.spacy"), "dev": str(tmp_path / "corpus.spacy")}
    settings["training"]["batcher"] = {"@batchers": "spacy.batch_by_sequence.v1", "size": 5}
    settings["training"]["optimizer"]["L2"] = 0.01
    settings["training"].update(eval_frequency=3, patience=0)
    return settings


def run(config: Config, folder: Path, max_steps: int, *, resume: bool = False) -> Any:
    config = config.copy()
    config["training"]["max_steps"] = max_steps
    nlp, _ = train(init_nlp(config), folder, stdout=StringIO(), stderr=StringIO(), resume=resume)
    return nlp


def test_the_starting_config_of_a_classifier_steps_touched_columns_only(config: Config) -> None:
    assert config["training"]["optimizer"]["use_averages"] is False
    for components in (["tagger"], ["tagger", "textcat"]):
        assert starting_config("en", components)["training"]["optimizer"]["use_averages"] is True


def test_a_resumed_run_comes_to_the_same_bits(config: Config, tmp_path: Path) -> None:
    straight = run(config, tmp_path / "straight", 20)
    run(config, tmp_path / "resumed", 8)
    resumed = run(config, tmp_path / "resumed", 20, resume=True)
    pipes = [nlp.get_pipe("textcat") for nlp in (straight, resumed)]
    assert pipes[0].model.to_bytes() == pipes[1].model.to_bytes()
    assert pipes[0].model.get_ref("output_layer").get_param("W").any()
