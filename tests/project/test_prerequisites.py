"""What `make` says where a tool is missing: one line, with the command that installs it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALWAYS_THERE = ("bash", "id", "uname", "sed", "sort", "head")
SCRIPTS = {
    "python3": "exit 0",
    "cargo": "echo cargo 1.999.0",
    "cc": "exit 0",
}
"""Stand-ins: what the check asks of each is an exit code, of cargo its version too."""


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder, to be the whole PATH, in which everything that is needed is found."""
    for name in ALWAYS_THERE:
        found = shutil.which(name)
        assert found is not None
        (tmp_path / name).symlink_to(found)
    for name, script in SCRIPTS.items():
        write_script(tmp_path / name, script)
    return tmp_path


def write_script(path: Path, body: str) -> None:
    path.write_text(f"#!{shutil.which('bash')}\n{body}\n")
    path.chmod(0o755)


def check(tools: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if key != "PYTHON"}
    return subprocess.run(
        [tools / "bash", "tools/check_prerequisites.sh", *arguments],
        cwd=ROOT,
        env={**clean, "PATH": str(tools), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_with_everything_there_it_names_the_python(tools: Path) -> None:
    run = check(tools)
    assert (run.returncode, run.stdout, run.stderr) == (0, "python3\n", "")


OLD_PYTHON = 'case "$2" in *version_info*) exit 1;; esac'
NO_VENV = 'case "$2" in *ensurepip*) exit 1;; esac'
NO_CLIPPY = 'case "$1" in clippy) exit 1;; esac; echo cargo 1.999.0'


@pytest.mark.parametrize(
    ("name", "script", "message", "remedy"),
    [
        ("cargo", None, "cargo, the Rust build tool, was not found", "sh.rustup.rs"),
        ("cargo", "exit 1", "cargo, the Rust build tool, was not found", "sh.rustup.rs"),
        ("cargo", "echo cargo 1.20.0", "cargo 1.20.0 is too old", "rustup update stable"),
        ("cargo", NO_CLIPPY, "clippy was not found", "rustup component add clippy"),
        ("cc", None, "no C linker was found", "gcc"),
        ("python3", None, "no Python of version 3.10 or later was found", "python"),
        ("python3", OLD_PYTHON, "no Python of version 3.10 or later was found", "python"),
        ("python3", NO_VENV, "python3 has no venv module with pip", "p"),
    ],
)
def test_a_missing_tool_is_one_line_with_its_remedy(
    tools: Path, name: str, script: str | None, message: str, remedy: str
) -> None:
    (tools / name).unlink()
    if script is not None:
        write_script(tools / name, script)
    run = check(tools, "--lint")
    assert run.returncode == 1
    assert run.stdout == ""
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"make: {message}")
    what, _, command = line.partition(" Install it with: ")
    assert what
    assert remedy in command


def test_system_packages_are_installed_with_sudo_unless_root(tools: Path) -> None:
    for name in ("uname", "cc"):
        (tools / name).unlink()
    write_script(tools / "uname", "echo Linux")
    for user, before in (("0", ""), ("1000", "sudo ")):
        (tools / "id").unlink(missing_ok=True)
        write_script(tools / "id", f"echo {user}")
        assert f"Install it with: {before}apt-get install gcc" in check(tools).stderr


def test_another_python_can_be_asked_for(tools: Path) -> None:
    write_script(tools / "mypython", "exit 0")
    assert check(tools, PYTHON="mypython").stdout == "mypython\n"
    assert "(nosuchpython)" in check(tools, PYTHON="nosuchpython").stderr


def test_make_help_lists_every_target() -> None:
    command = ["make", "--no-print-directory", "help"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    phony = [
        line.split(":", 1)[1].strip()
        for line in (ROOT / "Makefile").read_text().splitlines()
        if line.startswith(".PHONY")
    ]
    listed = [line.split()[1] for line in run.stdout.splitlines()]
    assert listed == phony
