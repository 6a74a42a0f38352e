"""A pipeline trained here, made a Python package by spaCy's command, loads by its name."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

import pytest
from spacy.cli.package import package
from typer.testing import CliRunner

import ferrule
from ferrule.cli.app import app
from ferrule.errors import CorruptedFileError

# spaCy's command leaves its files for the garbage collector to close.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The installed package's folder; meta.json is copied here, as spaCy's setup.py does when it is built."""
    nlp = ferrule.blank("en", meta={"name": "desk", "version": "1.2.3"})
    nlp.add_pipe("textcat_multilabel").add_label("URGENT")
    nlp.initialize()
    nlp.to_disk(tmp_path / "trained")
    package(tmp_path / "trained", tmp_path, create_sdist=False, silent=True)
    project = tmp_path / "en_desk-1.2.3"
    shutil.copy(project / "meta.json", project / "en_desk")
    monkeypatch.syspath_prepend(project)
    importlib.invalidate_caches()
    return project / "en_desk"


def test_a_package_that_spacy_made_loads_by_its_name(packaged: Path) -> None:
    for name in ("en_desk", str(packaged), packaged / "en_desk-1.2.3"):
        nlp = ferrule.load(name)
        assert nlp.meta["version"] == "1.2.3"
        assert nlp.get_pipe("textcat_multilabel").labels == ("URGENT",)
    run = CliRunner().invoke(app, ["annotate", "en_desk", "--text", "Help!"])
    assert run.exit_code == 0, run.output
    assert "URGENT" in run.output


def test_a_package_whose_meta_was_changed_afterwards_is_refused(packaged: Path) -> None:
    meta = packaged / "en_desk-1.2.3" / "meta.json"
    meta.write_text(meta.read_text(encoding="utf8").replace("URGENT", "URGENZ"), encoding="utf8")
    with pytest.raises(CorruptedFileError, match=r"meta\.json is damaged"):
        ferrule.load("en_desk")


@pytest.mark.parametrize("name", ["en_dsk", __file__])
def test_commands_refuse_what_is_neither_folder_nor_package(name: str) -> None:
    run = CliRunner().invoke(app, ["annotate", name, "--text", "Help!"])
    assert run.exit_code == 2
    assert "folder" in run.output
