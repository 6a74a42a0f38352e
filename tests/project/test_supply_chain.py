"""Guarantee 16: what is built in is locked, from one registry, under licences that were chosen."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def packages() -> list[dict[str, Any]]:
    if shutil.which("cargo") is None:
        pytest.skip("no cargo")
    shown = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--locked"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, f"Cargo.lock does not fit Cargo.toml: {shown.stderr}"
    found: list[dict[str, Any]] = json.loads(shown.stdout)["packages"]
    return found


def test_every_crate_is_ours_or_from_the_registry(packages: list[dict[str, Any]]) -> None:
    sources = {package["source"] for package in packages}
    assert sources == {None, "registry+https://github.com/rust-lang/crates.io-index"}


def test_every_licence_is_one_that_deny_toml_allows(packages: list[dict[str, Any]]) -> None:
    text = (ROOT / "deny.toml").read_text("utf8")
    allowed = set(re.findall(r'"(.+?)"', text.split("allow = [")[1].split("]")[0]))
    for package in packages:
        licences = package["license"].replace("/", " OR ").replace("(", "").replace(")", "")
        parts = [set(part.split(" OR ")) for part in licences.split(" AND ")]
        assert all(part & allowed for part in parts), f"{package['name']}: {package['license']}"


def test_every_locked_crate_has_a_checksum() -> None:
    for block in (ROOT / "Cargo.lock").read_text("utf8").split("[[package]]")[1:]:
        assert ("source = " in block) == ("checksum = " in block)


def test_the_threat_model_is_written_down() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf8")
    for part in ("never trusted", "trusted as code", "report a vulnerability", "make audit"):
        assert part in text
