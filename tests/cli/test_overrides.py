"""Settings given as command-line options."""

from __future__ import annotations

from pathlib import Path

import pytest

from ferrule.cli.overrides import parse_overrides, read_config, run_code
from ferrule.errors import ConfigError

CONFIG = """
[paths]
train = null

[training]
max_steps = 5

[corpora]

[corpora.train]
path = ${paths.train}
"""


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    path = tmp_path / "config.cfg"
    path.write_text(CONFIG)
    return path


def test_values_are_json_where_they_can_be_and_text_otherwise() -> None:
    options = [
        "--a.b",
        "0.5",
        "--a.c=[1, 2]",
        "--a.d",
        "text",
        "--a.e",
        "--a.f",
        "null",
        "--a.g=x=y",
        "--a.h",
        "-1",
    ]
    assert parse_overrides(options) == {
        "a.b": 0.5,
        "a.c": [1, 2],
        "a.d": "text",
        "a.e": True,
        "a.f": None,
        "a.g": "x=y",
        "a.h": -1,
    }


@pytest.mark.parametrize("argument", ["stray", "--nodot", "-x"])
def test_what_is_no_setting_is_refused_by_name(argument: str) -> None:
    with pytest.raises(ConfigError, match=repr(argument)):
        parse_overrides([argument])


def test_overrides_reach_nested_sections_and_variables(config_file: Path) -> None:
    config = read_config(config_file, {"paths.train": "x.spacy", "training.max_steps": 9})
    assert config.interpolate()["corpora"]["train"]["path"] == "x.spacy"
    assert config["training"]["max_steps"] == 9


def test_an_unknown_section_is_named_with_the_nearest(config_file: Path) -> None:
    with pytest.raises(ConfigError, match=r"\[trainig\]; did you mean 'training'"):
        read_config(config_file, {"trainig.max_steps": 9})


def test_a_path_that_nothing_uses_is_refused_with_the_nearest(config_file: Path) -> None:
    with pytest.raises(ConfigError, match=r"--paths\.trian: nothing .* did you mean --paths\.train\?"):
        read_config(config_file, {"paths.trian": "x.spacy"})
    config_file.write_text(CONFIG + "\n[corpora.mine]\npath = ${paths.mine}\n")
    assert read_config(config_file, {"paths.mine": "x.spacy"})["paths"]["mine"] == "x.spacy"


def test_a_file_that_is_no_config_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.cfg"
    path.write_text("[training\nmax_steps = 5")
    with pytest.raises(ConfigError, match=r"broken\.cfg"):
        read_config(path, {})


def test_code_is_imported_and_a_missing_file_named(tmp_path: Path) -> None:
    path = tmp_path / "code_for_the_test.py"
    path.write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    run_code(path)
    assert (tmp_path / "ran").exists()
    with pytest.raises(ValueError, match=r"missing\.py"):
        run_code(tmp_path / "missing.py")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\nraise RuntimeError('no model')", r", line 2: RuntimeError: no model"),
        ("def broken(:", r", line 1: SyntaxError"),
        ("import spacy.no_such_part", r"line 1: ModuleNotFoundError.*names from ferrule"),
    ],
)
def test_what_goes_wrong_in_code_is_named_with_its_line(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "failing.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=f"--code failing.*{message}"):
        run_code(Path("failing.py"))
