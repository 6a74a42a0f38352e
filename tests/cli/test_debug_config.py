"""`ferrule debug config`: each mistake with its line, what was expected, and the nearest name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ferrule.cli import main


def ferrule(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return int(end.value.code or 0)


@pytest.fixture
def config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = tmp_path / "a.cfg"
    assert ferrule("init", "config", path, "--pipeline", "tagger,ner", "--size", "small") == 0
    capsys.readouterr()
    return path


def change(config: Path, pattern: str, line: str) -> int:
    """Put `line` in the place of the first line that `pattern` matches, and give its number."""
    lines = config.read_text().splitlines()
    number = next(number for number, each in enumerate(lines) if re.match(pattern, each))
    lines[number] = line
    config.write_text("\n".join(lines))
    return number + 1


def test_a_fast_config_has_no_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.cfg"
    assert ferrule("init", "config", path, "--pipeline", "tagger,ner", "--size", "small", "--fast") == 0
    assert '"ferrule.MaxoutWindowEncoder.v1"' in path.read_text()
    assert ferrule("debug", "config", path) == 0
    assert "no problems" in capsys.readouterr().out


@pytest.mark.parametrize("size", ["small", "medium", "large"])
@pytest.mark.parametrize("pipeline", ["tagger", "ner", "textcat", "textcat_multilabel", "tagger,textcat,ner"])
def test_a_new_config_has_no_problems(
    size: str, pipeline: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.cfg"
    assert ferrule("init", "config", path, "--pipeline", pipeline, "--size", size) == 0
    assert ferrule("debug", "config", path) == 0
    assert "no problems" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("pattern", "line", "message"),
    [
        ("max_steps", "max_stepz = 1", "[training] max_stepz: unknown setting; did you mean 'max_steps'?"),
        ("max_steps", "max_steps = lots", "[training] max_steps: expected a whole number, found 'lots'"),
        ("eval_freq", "eval_frequency = 0", "at least 1, found 0"),
        ("use_averages", "use_averages = ture", "use_averages: expected true or false, found 'ture'"),
        ("learn_rate", 'learn_rate = "fast"', "learn_rate: expected a number, a list of numbers or"),
        ("frozen_components", "frozen_components = tagger", "expected a list of texts, found 'tagger'"),
        ("frozen_components", 'frozen_components = ["taggr"]', "'taggr'; did you mean 'tagger'?"),
        ("annotating_comp", 'annotating_components = ["taggr"]', "'taggr'; did you mean 'tagger'?"),
        ("@optimizers", '@optimizers = "Adm.v1"', "Did you mean 'Adam.v1'"),
        ("@batchers", '@batcher = "spacy.batch_by_words.v1"', "Did you mean 'batchers'?"),
        ("depth", "deth = 2", "deth: unknown setting; did you mean 'depth'?"),
        ("upstream", 'upstream = "tokvec"', "no component is called 'tokvec'; did you mean 'tok2vec'?"),
        ("pipeline", 'pipeline = ["tok2vec", "taggr", "ner"]', "did you mean 'tagger'?"),
        ('factory = "tagger"', 'factory = "taggr"', "Did you mean 'tagger'?"),
        ("dev_corpus", 'dev_corpus = "corpora.dex"', "did you mean 'corpora.dev'?"),
        ("path = ", "path = ${path.train}", "did you mean ${paths.train}?"),
        ("train = ", 'train = "missing.spacy"', "there is no file or folder 'missing.spacy'"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    config: Path, pattern: str, line: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    number = change(config, pattern, line)
    assert ferrule("debug", "config", config) == 1
    out = capsys.readouterr().out
    (found,) = (each for each in out.splitlines() if message in each)
    assert found.startswith(f"{config}, line {number}: ")


def test_all_mistakes_are_named_in_the_order_of_the_file(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    width = change(config, "width = 64", 'width = "big"')  # others are variables that stand for this one
    dropout = change(config, "dropout", "droput = 0.1")
    assert ferrule("debug", "config", config) == 1
    first, second, count = capsys.readouterr().out.splitlines()
    assert f"line {width}: [components.tok2vec.model.encode] width: expected a whole number" in first
    assert f"line {dropout}: [training] droput" in second
    assert count == "2 problems"


@pytest.mark.parametrize(
    ("pattern", "line", "message"),
    [
        ("dropout", "dropout 0.1", "expected [section] or name = value, found 'dropout 0.1'"),
        ("patience", "max_steps = 7", "'max_steps' is there twice"),
        (r"\[training\]", "[trainin]", "part of [training], which is not there; is it [trainin] in line"),
        (r"\[paths\]", "", "expected a section such as [nlp] first"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(
    config: Path, pattern: str, line: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(config, pattern, line)
    for command in (["debug", "config"], ["train"]):
        assert ferrule(*command, config) == 1
        error = capsys.readouterr().err
        assert re.match(rf"ferrule: {config}, line \d+: ", error)
        assert message in error


def test_a_setting_of_the_command_line_is_named_as_such(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ferrule("debug", "config", config, "--training.droput", "0.2") == 1
    assert capsys.readouterr().out.startswith("--training.droput: [training] droput: unknown setting")


def test_training_names_all_mistakes(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [change(config, "max_steps", "max_stepz = 1"), change(config, "use_averages", "use_averages = 2")]
    assert ferrule("train", config) == 1
    error = capsys.readouterr().err
    assert all(f"line {number}: " in error for number in lines)
