"""Rules of the house that a machine can check."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import ferrule

PACKAGE = Path(ferrule.__file__).parent
ROOT = PACKAGE.parents[1]
MOST_LINES = 600
# `ferrule.util` has the public functions of `spacy.util` under the name people know, and no code.
SPACYS_NAME = PACKAGE / "util.py"
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}


def python_files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def rust_files() -> list[Path]:
    return sorted((ROOT / "rust").rglob("*.rs"))


def test_there_is_something_to_check() -> None:
    assert len(python_files()) > 40
    assert len(rust_files()) > 20


def test_no_file_is_longer_than_600_lines() -> None:
    long = {
        str(path.relative_to(ROOT)): n_lines
        for path in (*python_files(), *rust_files())
        if (n_lines := len(path.read_text("utf8").splitlines())) > MOST_LINES
    }
    assert not long, f"ask which second question these answer: {long}"


def test_no_file_has_a_name_that_says_nothing() -> None:
    vague = {path for path in (*python_files(), *rust_files()) if path.stem in VAGUE_NAMES}
    assert vague == {SPACYS_NAME}


def test_shipped_python_has_no_assert() -> None:
    for path in python_files():
        for node in ast.walk(ast.parse(path.read_text("utf8"))):
            assert not isinstance(node, ast.Assert), (
                f"{path}:{node.lineno}: raise an error that says what to do"
            )


def test_every_public_thing_has_a_docstring() -> None:
    missing = []
    for path in python_files():
        tree = ast.parse(path.read_text("utf8"))
        if ast.get_docstring(tree) is None:
            missing.append(f"{path}: module")
        for node in tree.body:
            public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if public and ast.get_docstring(node) is None and not _is_overload(node):
                missing.append(f"{path}:{node.lineno}: {node.name}")
    assert not missing, "\n".join(missing)


def _is_overload(node: ast.FunctionDef | ast.ClassDef) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "overload" for each in node.decorator_list)


def test_unsafe_rust_stays_in_its_room() -> None:
    simd = ROOT / "rust" / "kernels" / "src" / "simd"
    unsafe = re.compile(r"\bunsafe\s*(\{|fn|impl|trait|extern)")
    for path in rust_files():
        if simd in path.parents:
            continue
        for number, line in enumerate(path.read_text("utf8").splitlines(), start=1):
            assert not unsafe.search(line.split("//")[0]), f"{path}:{number}: unsafe code belongs in {simd}"


def test_the_safe_crates_say_so() -> None:
    for crate in ("text", "binding"):
        source = (ROOT / "rust" / crate / "src" / "lib.rs").read_text("utf8")
        assert "#![forbid(unsafe_code)]" in source
