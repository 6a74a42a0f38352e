"""What the pages say is so: examples run, commands exist, links lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]
    if page.is_file()
)
FENCE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def python_blocks(page: Path) -> list[str]:
    return FENCE.findall(page.read_text(encoding="utf8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_page_is_linked_from_the_list_of_pages() -> None:
    listed = (ROOT / "docs" / "README.md").read_text(encoding="utf8")
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in listed, page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_prove_or_measure_something_are_there(page: Path) -> None:
    named = re.findall(
        r"\b((?:tests|benches|examples|tools)/[\w/]+\.(?:py|sh|cfg))\b", page.read_text("utf8")
    )
    for file in named:
        assert (ROOT / file).is_file(), f"{page.name} names {file}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_headings_that_links_name_are_there(page: Path) -> None:
    for target, heading in re.findall(r"\]\(([^)#]*)#([^)]+)\)", page.read_text("utf8")):
        if "://" not in target:
            text = (page.parent / target if target else page).read_text("utf8")
            slugs = {
                re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
                for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
            }
            assert heading in slugs, f"{page.name} links to {target}#{heading}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_examples_compile(page: Path) -> None:
    for block in python_blocks(page):
        compile(block, str(page), "exec")


SEED = "from thinc.api import fix_random_seed\n\nfix_random_seed(0)\n"
# The loss begins near log 2 or 0.25; the pages end at 0.05 or less, whatever the first weights are.
CHECKS = """
assert losses["urgency"] < 0.1, losses
assert again("Please hurry, the ceiling is leaving!").cats["URGENT"] > 0.5
"""


@pytest.mark.parametrize("name", ["README.md", "docs/custom-component.md"])
def test_custom_components_run_as_printed(name: str, tmp_path: Path) -> None:
    (block,) = (block for block in python_blocks(ROOT / name) if "(TrainablePipe)" in block)
    (tmp_path / "page.py").write_text(SEED + block + CHECKS, encoding="utf8")
    run = subprocess.run(
        [sys.executable, "page.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_on_the_page_exist(page: Path) -> None:
    from typer.main import get_command

    from ferrule.cli.app import app

    for line in re.findall(r"^    (ferrule .*)$", page.read_text(encoding="utf8"), re.MULTILINE):
        command = get_command(app)
        words = shlex.split(line, comments=True)[1:]
        while hasattr(command, "commands"):
            name = words.pop(0)
            assert name in command.commands, line
            command = command.commands[name]
        options = {option for parameter in command.params for option in parameter.opts}
        for word in words:
            if word.startswith("-") and "." not in word and word != "-":
                assert word.partition("=")[0] in options, line
