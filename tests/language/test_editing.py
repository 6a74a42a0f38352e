"""Adding, removing, moving, renaming and switching components."""

from __future__ import annotations

import pytest

from ferrule.errors import ComponentNotFoundError, ConfigError, FerruleError, UnknownNameError
from ferrule.language import Language


def test_components_come_in_the_order_asked_for(nlp: Language) -> None:
    nlp.add_pipe("test_noop")
    nlp.add_pipe("test_other", before="test_noop")
    nlp.add_pipe("test_other", name="first", first=True)
    nlp.add_pipe("test_other", name="second", after=0)
    nlp.add_pipe("test_other", name="last", last=True)
    nlp.add_pipe("test_other", name="before_last", before=-1)
    nlp.add_pipe("test_other", name="after_first", after="first")
    assert nlp.pipe_names == [
        "first",
        "after_first",
        "second",
        "test_other",
        "test_noop",
        "before_last",
        "last",
    ]
    assert [name for name, _ in nlp.pipeline] == nlp.pipe_names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"before": "test_noop", "first": True}, "at most one of"),
        ({"after": "nothing"}, "no component 'nothing'"),
        ({"before": 7}, "out of range"),
        ({"name": "test_noop"}, "already"),
        ({"name": "../up"}, "name of a folder"),
        ({"name": "/tmp/x"}, "name of a folder"),
        ({"name": ""}, "name of a folder"),
        ({"name": "vocab"}, "part of every saved pipeline"),
        ({"name": "a.b"}, "section of a config"),
    ],
)
def test_bad_places_and_names_are_refused(nlp: Language, arguments: dict[str, object], message: str) -> None:
    nlp.add_pipe("test_noop")
    with pytest.raises(ValueError, match=message):
        nlp.add_pipe("test_other", **{"name": "new", **arguments})  # type: ignore[arg-type]
    assert nlp.pipe_names == ["test_noop"]


def test_an_unknown_factory_names_the_nearest(nlp: Language) -> None:
    with pytest.raises(UnknownNameError, match=r"no component factory 'taggr'.*'tagger'"):
        nlp.add_pipe("taggr")
    with pytest.raises(UnknownNameError, match=r"no 'senter', which is a component of spaCy.*foreign="):
        nlp.add_pipe("senter")
    with pytest.raises(TypeError, match="name of a registered factory, found function"):
        nlp.add_pipe(lambda doc: doc)  # type: ignore[arg-type]


def test_settings_are_merged_over_the_defaults(nlp: Language) -> None:
    pipe = nlp.add_pipe("test_settings", config={"a": 5})
    assert (pipe.a, pipe.b) == (5, {"c": 2})
    assert nlp.get_pipe_config("test_settings") == {"factory": "test_settings", "a": 5, "b": {"c": 2}}
    assert nlp.config["components"]["test_settings"]["a"] == 5


def test_an_unknown_setting_is_named(nlp: Language) -> None:
    with pytest.raises(ConfigError, match=r"zz: unexpected argument.*settings are: a, b") as caught:
        nlp.add_pipe("test_settings", config={"zz": 5})
    assert "object at" not in str(caught.value)


def test_remove_rename_replace(nlp: Language) -> None:
    nlp.add_pipe("test_settings")
    nlp.add_pipe("test_noop")
    nlp.disable_pipe("test_noop")
    nlp.rename_pipe("test_noop", "renamed")
    assert nlp.disabled == ["renamed"]
    replaced = nlp.replace_pipe("test_settings", "test_settings", config={"a": 9})
    assert nlp.get_pipe("test_settings") is replaced
    assert nlp.config["components"]["test_settings"]["a"] == 9
    name, pipe = nlp.remove_pipe("test_settings")
    assert (name, pipe) == ("test_settings", replaced)
    assert nlp.component_names == ["renamed"]
    assert nlp.config["components"].keys() == {"renamed"}


def test_a_failing_replace_leaves_the_old(nlp: Language) -> None:
    pipe = nlp.add_pipe("test_settings", config={"a": 3})
    with pytest.raises(ConfigError):
        nlp.replace_pipe("test_settings", "test_settings", config={"zz": 3})
    assert nlp.get_pipe("test_settings") is pipe
    assert nlp.config["components"]["test_settings"]["a"] == 3


@pytest.mark.parametrize(
    "action", ["get_pipe", "remove_pipe", "disable_pipe", "enable_pipe", "get_pipe_meta", "get_pipe_config"]
)
def test_a_missing_component_is_named_with_the_nearest(nlp: Language, action: str) -> None:
    nlp.add_pipe("test_noop")
    with pytest.raises(ComponentNotFoundError, match=r"no component 'test_nop'.*Did you mean 'test_noop'"):
        getattr(nlp, action)("test_nop")
    with pytest.raises(KeyError):
        getattr(nlp, action)("test_nop")


def test_disabled_components_stay_but_do_not_run(nlp: Language) -> None:
    nlp.add_pipe("test_fails_on_bad")
    nlp.disable_pipe("test_fails_on_bad")
    assert nlp("bad").text == "bad"
    assert (nlp.pipe_names, nlp.component_names) == ([], ["test_fails_on_bad"])
    nlp.enable_pipe("test_fails_on_bad")
    with pytest.raises(ValueError, match="cannot do"):
        nlp("bad")


def test_select_pipes_restores(nlp: Language) -> None:
    for name in ("one", "two", "three"):
        nlp.add_pipe("test_noop", name=name)
    nlp.disable_pipe("three")
    with nlp.select_pipes(enable="one") as disabled:
        assert nlp.pipe_names == ["one"]
        assert list(disabled) == ["two"]
    assert nlp.pipe_names == ["one", "two"]
    selection = nlp.select_pipes(disable=["one"])
    assert nlp.pipe_names == ["two"]
    selection.restore()
    assert nlp.pipe_names == ["one", "two"]
    with pytest.raises(RuntimeError), nlp.select_pipes(disable="one"):
        raise RuntimeError
    assert nlp.pipe_names == ["one", "two"]


def test_select_pipes_refuses_what_makes_no_sense(nlp: Language) -> None:
    nlp.add_pipe("test_noop")
    nlp.add_pipe("test_other")
    with pytest.raises(ValueError, match="say which"):
        nlp.select_pipes()
    with pytest.raises(ValueError, match="contradict"):
        nlp.select_pipes(enable=["test_noop"], disable=["test_noop"])
    with pytest.raises(FerruleError, match="no component 'zz'"):
        nlp.select_pipes(enable=["zz"])


def test_analyze_pipes_finds_needs_that_nobody_meets(
    nlp: Language, capsys: pytest.CaptureFixture[str]
) -> None:
    nlp.add_pipe("test_settings")
    analysis = nlp.analyze_pipes(pretty=True)
    assert analysis["problems"] == {"test_settings": ["doc.ents"]}
    assert analysis["summary"]["test_settings"] == {
        "assigns": ["token.tag"],
        "requires": ["doc.ents"],
        "scores": ["x_acc", "y"],
        "retokenizes": False,
    }
    assert analysis["attrs"]["token.tag"] == {"assigns": ["test_settings"], "requires": []}
    assert "test_settings needs doc.ents" in capsys.readouterr().out


@pytest.mark.parametrize("attribute", ["token.zzz", "zz.tag", "token", "token._.a.b", "doc._"])
def test_declared_attributes_are_checked(attribute: str) -> None:
    with pytest.raises(ValueError, match=r"expected|no attribute"):
        Language.component("test_bad_attribute", assigns=[attribute], func=lambda doc: doc)
