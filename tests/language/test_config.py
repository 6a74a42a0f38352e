"""Pipelines from configs: defaults, variables, callbacks, and errors that name the setting."""

from __future__ import annotations

from typing import Any

import pytest
from thinc.api import Config

import ferrule
from ferrule.errors import ComponentNotFoundError, ConfigError, UnknownNameError
from ferrule.language import Language, load_from_config

English = type(ferrule.blank("en"))

SPACY_STYLE = """
[system]
seed = 7

[nlp]
lang = "en"
pipeline = ["first","second"]
disabled = ["second"]
batch_size = ${system.seed}

[components]

[components.first]
factory = "test_settings"
a = ${system.seed}

[components.second]
factory = "test_noop"

[training]
dropout = 0.3
"""


def config(text: str = SPACY_STYLE) -> Config:
    return Config().from_str(text, interpolate=False)


def test_variables_are_used_and_kept() -> None:
    nlp = English.from_config(config())
    assert nlp.get_pipe("first").a == 7
    assert nlp.batch_size == 7
    assert nlp.config["components"]["first"]["a"] == "${system.seed}"
    assert nlp.config.interpolate()["components"]["first"]["a"] == 7
    assert nlp.config["training"]["dropout"] == 0.3
    assert nlp.config["training"]["patience"] == 1600


def test_a_config_round_trips() -> None:
    nlp = English.from_config(config())
    text = nlp.config.to_str(interpolate=False)
    again = load_from_config(config(text))
    assert again.config.to_str(interpolate=False) == text
    assert (again.component_names, again.pipe_names) == (["first", "second"], ["first"])


def test_the_default_config_has_spacys_sections_and_keys() -> None:
    import spacy

    def keys(section: Any, prefix: str = "") -> set[str]:
        found = set()
        for name, value in section.items():
            found.add(f"{prefix}{name}")
            if isinstance(value, dict):
                found |= keys(value, f"{prefix}{name}.")
        return found

    from spacy.language import DEFAULT_CONFIG

    assert spacy.__version__.startswith("3.8")
    assert keys(English.default_config) >= keys(DEFAULT_CONFIG)
    for name in keys(DEFAULT_CONFIG):
        ours: Any = English.default_config
        theirs: Any = DEFAULT_CONFIG
        for part in name.split("."):
            ours, theirs = ours[part], theirs[part]
        if not isinstance(theirs, dict) and name != "nlp.lang":
            assert ours == theirs, name


@pytest.mark.parametrize(
    ("changed", "kind", "message"),
    [
        ({"nlp": {"pipeline": ["frst"]}}, ConfigError, r"names 'frst', but there is no \[components.frst\]"),
        ({"components": {"first": {}}}, ConfigError, r"\[components.first\] needs `factory"),
        ({"components": {"first": {"factory": "test_setings"}}}, UnknownNameError, "'test_settings'"),
        ({"nlp": {"lang": "de"}}, ConfigError, "is for the language 'de', not 'en'"),
        ({"nlp": {"batch_size": "many"}}, ConfigError, "batch_size must be a whole number.*'many'"),
        ({"nlp": {"pipelin": []}}, ConfigError, "unknown setting 'pipelin'.*'pipeline'"),
        ({"nlp": {"disabled": ["frist"]}}, ComponentNotFoundError, "'frist'.*'first'"),
        (
            {"nlp": {"tokenizer": {"@tokenizers": "spacy.Tokeniser.v1"}}},
            UnknownNameError,
            "spacy.Tokenizer.v1",
        ),
    ],
)
def test_mistakes_are_named(changed: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        English.from_config(
            config().merge(Config(changed)) if "components" not in changed else merged(changed)
        )


def merged(changed: dict[str, Any]) -> Config:
    whole = config()
    whole["components"].update(changed["components"])
    return whole


def test_disable_enable_exclude() -> None:
    assert English.from_config(config(), disable="first").pipe_names == []
    assert English.from_config(config(), exclude=["second"]).component_names == ["first"]
    whole = config()
    whole["nlp"]["disabled"] = []
    assert English.from_config(whole, enable="second").pipe_names == ["second"]
    with pytest.raises(ComponentNotFoundError, match="'third'"):
        English.from_config(config(), disable=["third"])


def test_callbacks_run_in_order() -> None:
    calls = []

    def register(name: str) -> None:
        def make() -> Any:
            def call(thing: Any) -> Any:
                calls.append((name, thing if isinstance(thing, type) else thing.component_names))
                return thing

            return call

        ferrule.registry.callbacks(f"test_{name}.v1", func=make)

    whole = config()
    for name in ("before_creation", "after_creation", "after_pipeline_creation"):
        register(name)
        whole["nlp"][name] = {"@callbacks": f"test_{name}.v1"}
    English.from_config(whole)
    assert calls == [
        ("before_creation", English),
        ("after_creation", []),
        ("after_pipeline_creation", ["first", "second"]),
    ]


def test_a_callback_must_return_the_pipeline() -> None:
    ferrule.registry.callbacks("test_forgets.v1", func=lambda: lambda nlp: None)
    whole = config()
    whole["nlp"]["after_creation"] = {"@callbacks": "test_forgets.v1"}
    with pytest.raises(ConfigError, match="after_creation returned NoneType"):
        English.from_config(whole)


def test_score_weights_add_up_as_spacys_do(nlp: Language) -> None:
    nlp.add_pipe("tagger")
    nlp.add_pipe("test_settings")
    weights = nlp.config["training"]["score_weights"]
    assert weights["x_acc"] == 0.5
    assert weights["tag_acc"] == 0.5
    assert weights["y"] is None
    nlp.config["training"]["score_weights"] = {"tag_acc": 0.0}
    assert nlp.config["training"]["score_weights"]["tag_acc"] == 0.0
    assert nlp.config["training"]["score_weights"]["x_acc"] == 1.0


def test_an_unknown_language_names_those_there_are() -> None:
    with pytest.raises(UnknownNameError, match=r"no language 'qq'.*en"):
        ferrule.blank("qq")
    with pytest.raises(TypeError, match="found int"):
        ferrule.blank(3)  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError):
        ferrule.blank("../en")


def test_a_factory_of_a_language_comes_before_the_general_one(nlp: Language) -> None:
    @Language.factory("test_by_language")
    def general(nlp: Language, name: str) -> Any:
        return lambda doc: doc

    @English.factory("test_by_language")
    def english(nlp: Language, name: str) -> Any:
        def mark(doc: Any) -> Any:
            doc.user_data["english"] = True
            return doc

        return mark

    nlp.add_pipe("test_by_language")
    assert nlp("a").user_data == {"english": True}
    assert "test_by_language" in nlp.factory_names
    assert nlp.pipe_factories == {"test_by_language": "test_by_language"}


def test_meta_says_what_is_there(nlp: Language) -> None:
    nlp.add_pipe("test_noop")
    meta = nlp.meta
    assert (meta["lang"], meta["name"], meta["version"]) == ("en", "pipeline", "0.0.0")
    assert (meta["pipeline"], meta["components"], meta["disabled"]) == (["test_noop"], ["test_noop"], [])
    nlp.meta["author"] = "me"
    assert nlp.meta["author"] == "me"
