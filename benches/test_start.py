"""`import ferrule` and `ferrule.load` of a tagger beside spaCy's, each in a process of its own."""

from __future__ import annotations

import compileall
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import ferrule
from ferrule.testing import default_examples
from pairing import fastest

LOAD = """
import sys, time
{module} = __import__("{module}")
getattr({module}, "blank")("en")      # the import of what loading needs is counted by the other bench
begin = time.perf_counter()
nlp = {module}.load(sys.argv[1])
seconds = time.perf_counter() - begin
print(len(nlp.get_pipe("tagger").labels), seconds)
"""
ROUNDS = 7


@pytest.fixture(scope="module", autouse=True)
def bytecode() -> None:
    """Compile the package, as installing it does; else each start may do it again."""
    compileall.compile_dir(Path(ferrule.__file__).parent, quiet=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    nlp = ferrule.blank("en")
    nlp.add_pipe("tagger")
    examples = default_examples(nlp)
    nlp.initialize(lambda: examples)
    folder = tmp_path_factory.mktemp("start") / "model"
    nlp.to_disk(folder)
    return folder


def run(script: str, *arguments: str) -> str:
    shown = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    )
    return shown.stdout


def test_import(report: Callable[..., None]) -> None:
    contestants = {"ferrule": "import ferrule", "python alone": "pass", "spacy": "import spacy"}
    seconds = fastest({name: lambda script=script: run(script) for name, script in contestants.items()})
    report("import, with the interpreter's own start", seconds, "ferrule")


def test_import_of_what_a_pipeline_needs(report: Callable[..., None]) -> None:
    contestants = {
        "ferrule": "import ferrule; ferrule.blank('en')",
        "spacy": "import spacy; spacy.blank('en')",
    }
    seconds = fastest({name: lambda script=script: run(script) for name, script in contestants.items()})
    report("import and blank('en')", seconds, "ferrule")


def test_load(folder: Path, report: Callable[..., None]) -> None:
    times: dict[str, list[float]] = {"ferrule": [], "spacy": []}
    for _ in range(ROUNDS):
        for name, found in times.items():
            n_labels, seconds = run(LOAD.format(module=name), str(folder)).split()
            assert int(n_labels) == len(ferrule.load(folder).get_pipe("tagger").labels)
            found.append(float(seconds))
    report("load of a tagger", {name: sorted(found)[ROUNDS // 2] for name, found in times.items()}, "ferrule")
