"""The command line's bad days: one message, no traceback, a non-zero exit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ferrule import blank
from ferrule.cli import describe
from ferrule.cli.app import app, debug, init
from ferrule.cli.calibrate import to_calibrate


def ferrule(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "ferrule", *map(str, arguments)], input=stdin, capture_output=True, check=False
    )


def test_help_lists_the_commands_and_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from ferrule.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'numpy', 'thinc', 'spacy', 'ferrule.language', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    for command in ("init", "convert", "debug", "train", "evaluate", "annotate", "info"):
        assert command in run.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["trian"], 2, b"trian"),
        (["train", "missing.cfg"], 2, b"missing.cfg"),
        (["evaluate", "."], 2, b"data"),
        (["info", "."], 1, b"no meta.json"),
        (["init", "config", "-", "--pipeline", "taggr"], 1, b"did you mean 'tagger'?"),
        (["init", "config", "-", "--lang", "qq"], 1, b"qq"),
    ],
)
def test_errors_are_one_message_and_an_exit_code(arguments: list[str], code: int, message: bytes) -> None:
    run = ferrule(*arguments)
    assert run.returncode == code
    assert message in run.stderr
    assert b"Traceback" not in run.stderr


def test_the_folder_of_a_run_is_not_the_pipeline_but_says_where_it_is(tmp_path: Path) -> None:
    blank("en").to_disk(tmp_path / "model-best")
    corpus = tmp_path / "dev.spacy"
    corpus.touch()
    for arguments in (["info", tmp_path], ["evaluate", tmp_path, corpus]):
        run = ferrule(*arguments)
        assert run.returncode == 1
        assert f"expected a folder, such as {tmp_path / 'model-best'}".encode() in run.stderr


def test_pipelines_without_anything_to_calibrate_say_so() -> None:
    nlp = blank("en")
    nlp.add_pipe("tagger")
    nlp.add_pipe("ner")
    with pytest.raises(ValueError, match=r"called 'tagger'; its components are tagger, ner"):
        to_calibrate(nlp, "tagger")
    assert to_calibrate(nlp, None) == ({}, {"ner": nlp.get_pipe("ner")})


def test_help_shows_every_word_it_was_given() -> None:
    # In square brackets they would be markup.
    for command in (*app.registered_commands, *init.registered_commands, *debug.registered_commands):
        assert "[" not in (command.callback.__doc__ or ""), command.name


def test_an_existing_config_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "config.cfg"
    path.write_text("mine")
    run = ferrule("init", "config", path)
    assert run.returncode == 1
    assert b"--force" in run.stderr
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("said in full"), "said in full"),
        (FileNotFoundError(2, "No such file or directory", "x.spacy"), "x.spacy: No such file or directory"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
    ],
)
def test_an_error_reads_as_a_person_would_say_it(error: Exception, text: str) -> None:
    assert describe(error).startswith(text)


def test_an_error_of_foreign_code_comes_with_its_place() -> None:
    try:
        {}["URGENT"]
    except KeyError as error:
        assert describe(error).startswith(f"KeyError: 'URGENT', in {__file__}, line ")
