"""Names are found where they should be, and an unknown one says what was meant."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import catalogue
import pytest
import thinc.api

import ferrule
from ferrule.errors import FerruleError, UnknownNameError, nearest_names
from ferrule.pipeline.factories import component, factory, factory_meta
from ferrule.registry import registry


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("schedules", "compounding.v1"),
        ("schedules", "warmup_linear.v1"),
        ("layers", "Maxout.v1"),
        ("initializers", "glorot_uniform_init.v1"),
        ("losses", "CategoricalCrossentropy.v3"),
        ("ops", "NumpyOps"),
    ],
)
def test_thincs_own_functions_are_found(kind: str, name: str) -> None:
    assert registry.has(kind, name)
    assert registry.get(kind, name) is thinc.api.registry.get(kind, name)


@pytest.mark.parametrize("name", ["Adam.v1", "RAdam.v1", "SGD.v1"])
def test_thincs_optimizers_are_found_by_name(name: str) -> None:
    optimizer = registry.get("optimizers", name)(learn_rate=0.1)
    assert isinstance(optimizer, thinc.api.Optimizer)


def test_every_registered_name_is_found_without_importing_its_module_first() -> None:
    """What a module registers when it is imported must be reachable through the table of built-in names."""
    walk = (
        "import importlib, pkgutil, catalogue, ferrule\n"
        "for each in pkgutil.walk_packages(ferrule.__path__, 'ferrule.'):\n"
        "    if each.name != 'ferrule.__main__' and not each.name.startswith('ferrule.interop'):\n"
        "        importlib.import_module(each.name)\n"
        "for key in sorted(catalogue.REGISTRY):\n"
        "    if key[0] == 'ferrule':\n"
        "        print(*key[1:])\n"
    )
    find = (
        "import sys\nfrom ferrule.registry import registry\n"
        "for line in sys.stdin:\n"
        "    kind, name = line.split()\n"
        "    if not registry.has(kind, name):\n"
        "        print(kind, name)\n"
    )
    names = run(walk)
    assert len(names.splitlines()) > 40
    assert run(find, names) == "", "add these to ferrule._builtin_names"


def run(script: str, stdin: str = "") -> str:
    shown = subprocess.run(
        [sys.executable, "-c", script], input=stdin, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr
    return shown.stdout


def test_a_name_registered_here_shadows_thincs_and_leaves_it_alone() -> None:
    thincs = thinc.api.registry.get("schedules", "constant.v1")

    @registry.schedules("constant.v1")
    def ours(rate: float) -> float:
        return rate

    try:
        assert registry.get("schedules", "constant.v1") is ours
        assert thinc.api.registry.get("schedules", "constant.v1") is thincs
    finally:
        del catalogue.REGISTRY["ferrule", "schedules", "constant.v1"]


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"no function 'compunding\.v1'.*'compounding\.v1'"):
        registry.get("schedules", "compunding.v1")
    with pytest.raises(ValueError, match="Did you mean 'architectures'"):
        registry.get("architecture", "x")


def test_a_name_that_is_no_string_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="must be a string, found int: 3"):
        registry.misc.get(3)  # type: ignore[arg-type]


def test_the_exported_name_and_the_class_answer_alike() -> None:
    assert ferrule.registry.schedules is registry.schedules
    assert ferrule.registry.get is not None
    with pytest.raises(AttributeError):
        _ = ferrule.registry.nothing_of_that_name


def test_find_says_where_a_function_is_defined() -> None:
    found = registry.find("schedules", "compounding.v1")
    assert found["module"].startswith("thinc")
    assert found["line_no"] > 0


def test_a_new_catalogue_can_be_made_once() -> None:
    registry.create("registry_test_kind")
    try:
        assert "registry_test_kind" in registry.get_registry_names()
        with pytest.raises(ValueError, match="already"):
            registry.create("registry_test_kind")
    finally:
        delattr(registry, "registry_test_kind")


def test_nearest_names_ignores_case_and_gives_up_on_strangers() -> None:
    assert nearest_names("spacy.tagger.v2", ["spacy.Tagger.v2", "other"]) == ["spacy.Tagger.v2"]
    assert nearest_names("qqq", ["tagger"]) == []


def test_own_errors_show_their_message_unquoted() -> None:
    assert str(FerruleError("a 'b'")) == "a 'b'"


def test_factory_needs_nlp_and_name() -> None:
    with pytest.raises(ValueError, match="add 'name'"):
        factory("registry_test_short", func=lambda nlp: None)
    with pytest.raises(TypeError, match="with its name"):
        factory(lambda nlp, name: None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="dot"):
        component("a.b", func=lambda doc: doc)


def test_a_factory_name_is_taken_by_one_function_but_may_be_declared_again() -> None:
    def make(nlp: object, name: str) -> object:
        return None

    def make_other(nlp: object, name: str) -> object:
        return None

    factory("registry_test_taken", func=make, default_score_weights={"a": 1.0, "b": None})
    factory("registry_test_taken", func=make, default_score_weights={"a": 1.0, "b": None})
    with pytest.raises(ValueError, match="exists already"):
        factory("registry_test_taken", func=make_other)
    assert factory_meta("registry_test_taken").scores == ("a", "b")


def test_importing_ferrule_is_light_and_touches_nothing() -> None:
    script = (
        "import sys; import ferrule; "
        "print(sorted(m for m in ('numpy', 'thinc', 'spacy', 'ferrule._core') if m in sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_modules_are_reachable_from_the_package_alone_as_those_of_spacy_are() -> None:
    script = "import ferrule as spacy; print(spacy.tokens.Doc.__name__, spacy.language.Language.__name__)"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["Doc", "Language"]
    with pytest.raises(AttributeError, match="no attribute 'tokns'"):
        ferrule.tokns  # noqa: B018


def test_components_of_an_installed_package_are_found_by_its_entry_points(tmp_path: Path) -> None:
    (tmp_path / "package_for_the_test.py").write_text(
        "from ferrule.language import Language\n"
        "@Language.factory('from_a_package', default_config={'mark': '!'})\n"
        "def make(nlp, name, mark):\n"
        "    return lambda doc: doc\n"
    )
    info = tmp_path / "package_for_the_test-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: package-for-the-test\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[ferrule_factories]\nfrom_a_package = package_for_the_test:make\n"
    )
    script = (  # a process of its own, since entry points are read once
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import ferrule; nlp = ferrule.blank('en'); "
        "nlp.add_pipe('from_a_package'); print(nlp.config['components']['from_a_package']['mark'])"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "!"
