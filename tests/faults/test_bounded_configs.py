"""Guarantee 5, for configs: variables that would expand to more than any memory holds are refused at once."""

from __future__ import annotations

from pathlib import Path

import pytest

import ferrule
from ferrule.errors import ConfigError
from ferrule.language import Language
from ferrule.language.config import default_config
from ferrule.language.config_expansion import MOST_VALUES, check_expansion

HEAD = '[nlp]\nlang = "en"\npipeline = []\n'


def values(fan: int, depth: int) -> str:
    """A value of `fan` variables, each of `fan` variables, and so on: fan ** depth in the end."""
    lines = ["[laughs]", 'x0 = "lol"']
    return "\n".join([*lines, *(f'x{i} = "{f"${{laughs.x{i - 1}}}" * fan}"' for i in range(1, depth))])


def sections(fan: int, depth: int) -> str:
    lines = ["[x0]", "a = 1"]
    for i in range(1, depth):
        lines += [f"[x{i}]", *(f"a{each} = ${{x{i - 1}}}" for each in range(fan))]
    return "\n".join(lines)


BOMBS = {
    "values": values(10, 10),
    "sections": sections(8, 8),
    "long values": '[a]\na = "{}"\n[b]\n{}'.format(
        "x" * 10_000, "\n".join(f"b{i} = ${{a.a}}" for i in range(300))
    ),
}
CIRCLES = {
    "two values": "[a]\na = ${a.b}\nb = ${a.a}",
    "itself": "[a]\na = ${a.a}",
    "its section": "[a]\na = ${a}",
    "sections": "[a]\na = ${b}\n[b]\nb = ${a}",
}


def saved(folder: Path, config: str) -> Path:
    ferrule.blank("en").to_disk(folder)
    (folder / "ferrule.sha256").unlink()
    (folder / "config.cfg").write_text(HEAD + config, "utf8")
    return folder


@pytest.mark.parametrize("bomb", BOMBS)
def test_variables_that_expand_to_too_much_are_refused(tmp_path: Path, bomb: str) -> None:
    folder = saved(tmp_path / "model", BOMBS[bomb])
    with pytest.raises(
        ConfigError, match=r"config\.cfg: with its variables replaced it would have .* at most"
    ):
        ferrule.load(folder)


@pytest.mark.parametrize("circle", CIRCLES)
def test_variables_that_refer_to_themselves_are_refused(tmp_path: Path, circle: str) -> None:
    folder = saved(tmp_path / "model", CIRCLES[circle])
    with pytest.raises(ConfigError, match=r"config\.cfg: the variables refer to themselves: a.*→.*a"):
        ferrule.load(folder)


def test_so_are_those_in_bytes() -> None:
    nlp = Language()
    data = nlp.to_bytes()
    kept = nlp.config.to_str(interpolate=False)
    nlp.config["laughs"] = {f"x{i}": f"${{laughs.x{i - 1}}}" * 10 for i in range(1, 10)} | {"x0": "lol"}
    hostile = nlp.to_bytes()
    other = Language().from_bytes(data)
    with pytest.raises(ConfigError, match="variables replaced"):
        other.from_bytes(hostile)
    assert other.config.to_str(interpolate=False) == kept


@pytest.mark.parametrize("config", ["[a]\na = ${b.c}", "[a]\na = ${nowhere}", '[a]\na = "${b"'])
def test_a_variable_that_names_nothing_is_said_to(tmp_path: Path, config: str) -> None:
    with pytest.raises(ConfigError, match=r"config\.cfg: a variable cannot be replaced\. "):
        ferrule.load(saved(tmp_path / "model", config))


def test_real_configs_are_far_from_the_limit(tmp_path: Path) -> None:
    repeated = {f"a{i}": {"first": "${nlp.lang}", "all": "${training}"} for i in range(MOST_VALUES // 500)}
    check_expansion({**default_config(), **repeated}, "config")
    nlp = ferrule.load(saved(tmp_path / "model", values(3, 6)))
    assert nlp.config.interpolate()["laughs"]["x2"].count("lol") == 9
