"""Who may import whom: downward only, imports for types and inside functions included.

`cli › training.loop › language › pipeline › scorer, ml › training.example › tokens › vocab › ops › registry`
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import ferrule

PACKAGE = Path(ferrule.__file__).parent

# From the bottom up. A module may import its own line and those above it here. Names are relative to
# `ferrule`; a name stands for everything below it; the longest that fits decides.
LAYERS: list[set[str]] = [
    {"errors", "_typing", "_builtin_names", "reading", "registry", "storage", "devices", "_core"},
    {"ops", "kernels", "optimizer", "sparse_gradient", "kept_weights", "golden_section", "rectified_step"},
    {"attrs", "symbols", "strings", "lexicon", "lookups", "morphology"},
    {"vectors", "vector_pruning", "lexeme", "vocab", "vocab_files"},
    {"tokens"},
    {"training"},
    {"ml", "scorer"},
    {"pipeline"},
    {"tokenizer", "lang", "language"},
    {
        "training.callbacks",
        "training.checkpoint",
        "training.config_check",
        "training.corpus_check",
        "training.counted_corpus",
        "training.distillation",
        "training.distillation_settings",
        "training.evaluation",
        "training.fit",
        "training.initialize",
        "training.interrupts",
        "training.kept_scores",
        "training.loggers",
        "training.loop",
        "training.outputs",
        "training.presets",
        "training.ranking",
        "training.report",
        "training.roles",
        "training.setting_types",
        "training.settings",
        "training.teachers",
    },
    {"cli", "testing", "interop", "util", "__main__"},
]
# These two do not know each other though they share a line.
STRANGERS = {("ml", "scorer"), ("scorer", "ml")}
# Those that may import each other, and why: a document, its tokens and its spans are views of one another and
# name each other's types; so do a word and its vocabulary; a pickled pipeline finds its language's class.
TOGETHER = [
    {"tokens"},
    {"vocab", "lexeme"},
    {"language.language", "language.languages"},
]
# The only loop that is there when the program runs, imports inside functions included.
TOGETHER_AT_RUN_TIME = [{"language.language", "language.languages"}]
# What a module of `tokens` may name as a type, though it imports that module: what it is a view or a form of.
NAMED_AS_TYPES = {"tokens.doc", "tokens.span", "tokens.token", "tokens.retokenizer"}
# `ferrule` itself only names what is imported when asked for.
EXEMPT = {""}


def modules() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found.append((".".join(part for part in parts if part != "__init__"), path))
    return found


def layer_of(module: str) -> int | None:
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        prefix = ".".join(parts[:length])
        for layer, names in enumerate(LAYERS):
            if prefix in names:
                return layer
    return None


def for_types_only(tree: ast.Module) -> set[ast.AST]:
    """Everything below `if TYPE_CHECKING:`."""
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If)]
    return {
        inner
        for block in blocks
        if isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for statement in block.body
        for inner in ast.walk(statement)
    }


def imported(path: Path, *, types: bool = True) -> Iterator[tuple[str, int]]:
    """Every module of ferrule that a file imports, with the line; without `types`, when the program runs."""
    known = {name for name, _ in modules()}
    tree = ast.parse(path.read_text("utf8"))
    skipped = set() if types else for_types_only(tree)
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "ferrule":
                    yield alias.name.removeprefix("ferrule").removeprefix("."), node.lineno
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ferrule":
            base = (node.module or "").removeprefix("ferrule").removeprefix(".")
            for alias in node.names:
                full = f"{base}.{alias.name}" if base else alias.name
                yield (full if full in known or not base else base), node.lineno


@pytest.mark.parametrize(
    ("module", "path"), [pytest.param(*each, id=each[0] or "ferrule") for each in modules()]
)
def test_imports_go_downward(module: str, path: Path) -> None:
    if module in EXEMPT:
        return
    here = layer_of(module)
    assert here is not None, f"ferrule.{module} is in no layer; add it to LAYERS"
    for target, line in imported(path):
        there = layer_of(target)
        if there is None:
            continue
        assert there <= here, (
            f"{path.name}:{line}: ferrule.{module} imports ferrule.{target}, which is above it"
        )
        pair = (module.split(".")[0], target.split(".")[0])
        assert pair not in STRANGERS, f"{path.name}:{line}: {pair[0]} and {pair[1]} must not know each other"


def test_the_rule_sees_an_upward_import(tmp_path: Path) -> None:
    file = tmp_path / "upward.py"
    file.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ferrule.language import Language\n"
    )
    assert list(imported(file)) == [("language", 3)]
    assert layer_of("language") > layer_of("pipeline.tagger")  # type: ignore[operator]


def reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    """Every module that `start` imports, or that what it imports does."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for target in graph.get(waiting.pop(), set()) - found:
            found.add(target)
            waiting.append(target)
    return found


def loops(graph: dict[str, set[str]]) -> set[frozenset[str]]:
    """The sets of modules that import each other, directly or not."""
    below = {module: reachable(graph, module) for module in graph}
    return {
        frozenset(other for other in below[module] if module in below.get(other, ())) | {module}
        for module in graph
        if module in below[module]
    }


def test_modules_that_import_each_other_are_named() -> None:
    graph = {
        module: {target for target, _ in imported(path) if target} - {module}
        for module, path in modules()
        if module not in EXEMPT
    }
    unnamed = [
        sorted(loop)
        for loop in loops(graph)
        if not any(all(m in names or m.split(".")[0] in names for m in loop) for names in TOGETHER)
    ]
    assert not unnamed, f"import loops; move what both need into a module below them: {unnamed}"


def test_nothing_imports_itself_at_run_time() -> None:
    graph = {
        module: {target for target, _ in imported(path, types=False) if target} - {module}
        for module, path in modules()
        if module not in EXEMPT
    }
    found = [loop for loop in loops(graph) if loop not in TOGETHER_AT_RUN_TIME]
    assert not found, f"import loops; move what both need into a module below them: {found}"


def test_tokens_name_few_types_above_them() -> None:
    for module, path in modules():
        if module.startswith("tokens."):
            at_run_time = set(imported(path, types=False))
            named = {target for target, _ in set(imported(path)) - at_run_time if target.startswith("tokens")}
            assert named <= NAMED_AS_TYPES, f"ferrule.{module} names types of {named - NAMED_AS_TYPES}"


def test_type_only_imports_are_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "both.py"
    file.write_text(
        "from ferrule.vocab import Vocab\nif TYPE_CHECKING:\n    from ferrule.language import Language\n"
        "def late():\n    from ferrule.lexeme import Lexeme\n"
    )
    assert {name for name, _ in imported(file)} == {"vocab", "language", "lexeme"}
    assert {name for name, _ in imported(file, types=False)} == {"vocab", "lexeme"}


def test_a_loop_is_seen() -> None:
    assert loops({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == {frozenset("abc")}
    assert not loops({"a": {"b", "c"}, "b": {"c"}})


def test_optional_packages_are_imported_in_interop_only() -> None:
    optional = {"spacy", "torch", "pyarrow", "pandas", "polars", "ray", "matplotlib"}
    for module, path in modules():
        if module.startswith("interop"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            found = {name.split(".")[0] for name in names} & optional
            assert not found, f"{path.name}:{node.lineno}: ferrule.{module} imports {found}"  # type: ignore[attr-defined]
