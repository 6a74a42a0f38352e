"""The examples of the pages run as printed, one after another, beside a small pipeline."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import ferrule
from ferrule.cli.app import app
from ferrule.language import Language
from ferrule.pipeline.default_models import DEFAULT_TOK2VEC_MODEL
from ferrule.training import Example
from ferrule.training.corpus import Corpus

ROOT = Path(__file__).resolve().parents[2]
# The component of a page of its own; `test_pages.py` runs it, and checks what it learns.
COMPONENTS = "(TrainablePipe)"
TEXTS = ["Anna Berg lost a blue scarf in Eastvale.", "Where is my card?"] * 20
BAG_OF_WORDS = {
    "@architectures": "spacy.TextCatBOW.v3",
    "exclusive_classes": True,
    "length": 1000,
    "ngram_size": 1,
    "no_output_layer": False,
}
# As printed but shorter.
FEW_STEPS = ["--training.max_steps", "20", "--training.eval_frequency", "20"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the pages speak of: a corpus, a config, saved pipelines."""
    folder = tmp_path_factory.mktemp("reader")
    invoke(["convert", str(ROOT / "examples" / "railway_desk"), str(folder)])
    invoke(["init", "config", str(folder / "config.cfg"), "--pipeline", "tagger", "--size", "small"])
    config = (folder / "config.cfg").read_text(encoding="utf8")
    for name, value in zip(FEW_STEPS[::2], FEW_STEPS[1::2], strict=True):
        setting = name.removeprefix("--training.")
        config = re.sub(rf"^{setting} = .*$", f"{setting} = {value}", config, flags=re.MULTILINE)
    (folder / "config.cfg").write_text(config, encoding="utf8")
    nlp, _ = trained(folder)
    for name in ("my_spacy_pipeline", "out/model-best"):
        nlp.to_disk(folder / name)
    return folder


def trained(folder: Path) -> tuple[Language, list[Example]]:
    """A pipeline that has seen the corpus twice, and its examples."""
    nlp = ferrule.blank("en")
    encoder = {**DEFAULT_TOK2VEC_MODEL, "width": 16, "depth": 2, "embed_size": 200}
    for name in ("tagger", "ner"):
        nlp.add_pipe(name, config={"model": {"tok2vec": encoder}})
    nlp.add_pipe("textcat", config={"model": BAG_OF_WORDS})
    nlp.get_pipe("tagger").add_label("XX")
    examples = list(Corpus(folder / "dev.spacy")(nlp))
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(2):
        nlp.update(examples, sgd=optimizer)
    return nlp, examples


def invoke(arguments: list[str]) -> str:
    run = CliRunner().invoke(app, arguments)
    assert run.exit_code == 0, (arguments, run.output, run.exception)
    return run.output


def blocks(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf8")
    found = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [block for block in found if COMPONENTS not in block]


PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
BLOCKS = [pytest.param(block, id=f"{page} {i}") for page in PAGES for i, block in enumerate(blocks(page), 1)]


def test_there_are_examples_to_run() -> None:
    assert len(BLOCKS) > 15


@pytest.mark.parametrize("block", BLOCKS)
def test_python_examples_run(block: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    nlp, examples = trained(folder)
    known: dict[str, Any] = {
        "ferrule": ferrule,
        "nlp": nlp,
        "tagger": nlp.get_pipe("tagger"),
        "texts": TEXTS,
        "examples": examples,
        "dev_examples": examples,
        "batches_with_new_labels": [examples],
        "batches_of_raw_text": [examples],
        "folder": folder / "my_spacy_pipeline",
        "doc": nlp(TEXTS[0]),
    }
    if "spacy" in block:
        known["spacy_nlp"] = pytest.importorskip("spacy").blank("en")
    if "arrow" in block:
        pytest.importorskip("pyarrow")
    before = ferrule.get_num_threads()
    try:
        exec(compile(block, "block", "exec"), known)  # noqa: S102
    finally:
        ferrule.set_num_threads(before)


def test_the_commands_of_the_first_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "README.md").read_text(encoding="utf8")
    commands = re.findall(r"^    ferrule (.*)$", text, re.MULTILINE)
    assert len(commands) > 8
    for command in commands:
        arguments = shlex.split(command, comments=True)
        if arguments[0] in ("train", "distill"):
            arguments += FEW_STEPS
        invoke(arguments)
    assert {"documents.html", "out", "student"} <= {path.name for path in tmp_path.iterdir()}
