"""Guarantee 1 for a whole pipeline: `nlp.to_disk` ended at any point leaves the old or the new one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fault_parts import files_of, state, trained
from io_points import disk_full, in_child, io_points, killed

import ferrule
from ferrule.storage import reading

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")

MOST_POINTS = 400


def content_of(path: Path) -> dict[str, bytes]:
    """The files of a saved pipeline, read the way pipelines are: hashes checked."""
    return reading(
        path,
        lambda folder: {file.relative_to(folder).as_posix(): file.read_bytes() for file in files_of(folder)},
    )


def save_until_done(folder: Path, save: Callable[[int, Path], bool]) -> tuple[list[str], int]:
    """What is in the folder after a strike at each point of a save over an old one, until one is done."""
    contents = {}
    for name, n_steps in (("old", 1), ("new", 3)):
        trained(n_steps).to_disk(folder / name)
        contents[name] = content_of(folder / name)
        assert state(ferrule.load(folder / name)) == state(trained(n_steps))
    target = folder / "model"
    shutil.copytree(folder / "old", target)
    found = []
    for at in range(1, MOST_POINTS):
        done = save(at, target)
        there = content_of(target)
        assert there in contents.values(), f"mixed after a strike at point {at}"
        found.append("old" if there == contents["old"] else "new")
        if done:
            return found, at
        if found[-1] == "new":
            shutil.rmtree(target)
            shutil.copytree(folder / "old", target)
    pytest.fail("the save has more points than expected")


def test_killed(tmp_path: Path) -> None:
    new = trained(3)

    def save(at: int, target: Path) -> bool:
        def save_and_die() -> None:
            with io_points(at, killed):
                new.to_disk(target)

        return in_child(save_and_die) == 0

    found, n_points = save_until_done(tmp_path, save)
    assert (found[0], found[-1]) == ("old", "new")
    assert n_points > 30, "the sweep must reach the writes of every component"


def test_stopped_by_an_error(tmp_path: Path) -> None:
    new = trained(3)

    def save(at: int, target: Path) -> bool:
        try:
            with io_points(at, disk_full) as points:
                new.to_disk(target)
        except OSError:
            return False
        return points.count < at

    found, n_points = save_until_done(tmp_path, save)
    assert "old" in found
    assert found[-1] == "new"
    assert n_points > 30
