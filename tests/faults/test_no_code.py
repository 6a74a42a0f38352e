"""Guarantee 13: nothing in a model folder runs code, and nothing outside the folder is touched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import srsly

import ferrule
from ferrule.errors import ConfigError, FerruleError, UnsafePathError
from ferrule.language import Language
from ferrule.storage.manifest import MANIFEST

AUDITED_LOAD = """
import os, sys
import ferrule, ferrule.language

folder = os.path.realpath(sys.argv[1])
# thinc looks for these backends of its own whenever a model asks for the processor's.
BACKENDS = ("thinc_apple_ops", "thinc_bigendian_ops")
known, broken, recording = set(), [], True

def audit(event, arguments):
    if event == "exec":
        # Resolving a config evaluates the annotations of registered functions: our code, not the folder's.
        code = arguments[0]
        seen = (code.co_filename, code.co_names, code.co_consts)
        known.add(seen) if recording else seen in known or broken.append((event, seen))
    elif recording:
        return
    elif event == "open":
        path = "" if isinstance(arguments[0], int) else os.fsdecode(os.fspath(arguments[0]))
        if path and not os.path.realpath(path).startswith(folder):
            broken.append((event, path))
    elif event == "import" and arguments[0] in BACKENDS:
        return
    elif event in ("import", "subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn",
                   "pickle.find_class", "marshal.loads", "socket.connect"):
        broken.append((event, str(arguments)[:120]))

sys.addaudithook(audit)
nlp = ferrule.blank("en")      # what it takes to build the pipeline, without any folder
nlp.add_pipe("tagger").add_label("TAG")
nlp.add_pipe("ner").add_label("NAME")
nlp.initialize()
nlp.from_bytes(nlp.to_bytes())
nlp("Warm up.")
recording = False
ferrule.load(folder)("A sentence.")
print(broken)
sys.exit(1 if broken else 0)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    nlp = ferrule.blank("en")
    nlp.add_pipe("tagger").add_label("TAG")
    nlp.add_pipe("ner").add_label("NAME")
    nlp.initialize()
    nlp.to_disk(tmp_path / "model")
    return tmp_path / "model"


def test_loading_runs_no_code_and_opens_nothing_outside(folder: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", AUDITED_LOAD, str(folder)], capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stdout + shown.stderr


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("/tmp/outside", UnsafePathError),
        ("C:evil", UnsafePathError),
        ("a\\b", UnsafePathError),
        # A dot in the name of a section begins the name of one inside it, so that there is no such component.
        ("../outside", ConfigError),
        ("..", ConfigError),
        ("a/../../outside", ConfigError),
    ],
)
def test_a_component_named_like_a_path_is_refused(folder: Path, name: str, error: type[Exception]) -> None:
    (folder / MANIFEST).unlink()
    file = folder / "config.cfg"
    text = file.read_text("utf8").replace('["tagger","ner"]', f"[{srsly.json_dumps(name)}]")
    file.write_text(text.replace("[components.tagger", f"[components.{name}"), "utf8")
    with pytest.raises(error, match=r"the component name|is part of"):
        ferrule.load(folder)


def test_such_a_name_cannot_be_saved_either(folder: Path, tmp_path: Path) -> None:
    nlp = ferrule.blank("en")
    nlp.add_pipe("tagger")
    nlp._components[0] = (str(tmp_path / "outside"), nlp._components[0][1])
    nlp._pipe_meta[nlp.component_names[0]] = nlp._pipe_meta["tagger"]
    nlp._pipe_configs[nlp.component_names[0]] = nlp._pipe_configs["tagger"]
    with pytest.raises(UnsafePathError, match="component name"):
        nlp.to_disk(tmp_path / "saved")
    assert not (tmp_path / "outside").exists()
    assert not (tmp_path / "saved").exists()


@pytest.mark.parametrize("entry", ["tokenizer", "tagger/model", "tagger", "vocab"])
def test_links_out_of_the_folder_are_refused(folder: Path, tmp_path: Path, entry: str) -> None:
    outside = tmp_path / "outside"
    (folder / entry).rename(outside)
    (folder / entry).symlink_to(outside)
    with pytest.raises(UnsafePathError, match="outside the folder"):
        ferrule.load(folder)


def test_links_inside_the_folder_are_fine(folder: Path) -> None:
    (folder / "tokenizer").rename(folder / "tokenizer.v1")
    (folder / "tokenizer").symlink_to("tokenizer.v1")
    ferrule.load(folder)


def test_functions_come_from_the_registry_only(folder: Path) -> None:
    (folder / MANIFEST).unlink()
    file = folder / "config.cfg"
    file.write_text(file.read_text("utf8").replace("spacy.Tagger.v2", "os.system"), "utf8")
    with pytest.raises(FerruleError, match=r"no function 'os\.system'"):
        ferrule.load(folder)


def test_a_manifest_cannot_name_files_outside(folder: Path) -> None:
    manifest = folder / MANIFEST
    manifest.write_text(manifest.read_text("utf8") + f"{'0' * 64}  ../outside\n", "utf8")
    with pytest.raises(FerruleError, match="outside its folder"):
        ferrule.load(folder)


def test_a_language_code_cannot_be_a_path(folder: Path) -> None:
    (folder / MANIFEST).unlink()
    file = folder / "config.cfg"
    file.write_text(file.read_text("utf8").replace('lang = "en"', 'lang = "..os"'), "utf8")
    with pytest.raises(FerruleError, match="no language"):
        ferrule.load(folder)


def test_language_is_what_loads(folder: Path) -> None:
    assert isinstance(ferrule.load(folder), Language)
