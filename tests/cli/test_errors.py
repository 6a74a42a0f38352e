"""The command line's bad days: one message, no traceback, a non-zero exit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ferrule.cli import describe


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
