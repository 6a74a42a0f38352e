"""Guarantee 1: after a crash at any point of a save, the folder holds exactly the old or exactly the new."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from io_points import disk_full, in_child, io_points, killed

from ferrule.storage import folders, reading, save_folder, saving
from ferrule.storage.manifest import MANIFEST

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")

OLD = {"config.cfg": b"old config", "tagger/model": b"old weights" * 500, "tagger/cfg": b"old"}
NEW = {"config.cfg": b"new config", "ner/model": b"new weights" * 700, "tagger/cfg": b"new"}
MOST_POINTS = 200


def write(folder: Path, content: dict[str, bytes]) -> None:
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)


def save(path: Path, content: dict[str, bytes]) -> None:
    with saving(path) as folder:
        write(folder, content)


def content_of(path: Path) -> dict[str, bytes]:
    """The files of a saved folder, read the way pipelines are: hashes checked."""

    def read(folder: Path) -> dict[str, bytes]:
        return {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in sorted(folder.rglob("*"))
            if file.is_file() and file.name != MANIFEST
        }

    return reading(path, read)


@pytest.fixture(params=["exchange", "two steps"])
def swap(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "two steps":
        monkeypatch.setattr(folders, "_exchange", lambda first, second: False)
    kind: str = request.param
    return kind


@pytest.mark.parametrize("over_old", [True, False])
def test_an_error_at_any_point_leaves_old_or_new(tmp_path: Path, swap: str, over_old: bool) -> None:
    outcomes = set()
    for at in range(1, MOST_POINTS):
        target = tmp_path / str(at) / "model"
        target.parent.mkdir()
        if over_old:
            save(target, OLD)
        try:
            with io_points(at, disk_full) as points:
                save(target, NEW)
            failed = False
        except OSError:
            failed = True
        outcome = "new" if target.exists() and content_of(target) == NEW else "old"
        if outcome == "old":
            assert (content_of(target) == OLD) if over_old else not target.exists()
        outcomes.add((failed, outcome))
        leftovers = [each.name for each in target.parent.iterdir() if each.name != "model"]
        assert not leftovers or outcome == "new", "what was staged is taken away after an error"
        if points.count < at:
            break
    else:
        pytest.fail("the save has more points than expected")
    assert at > 15, "the sweep must reach the writes, the syncs and the rename"
    assert (True, "old") in outcomes
    assert (False, "new") in outcomes


@pytest.mark.parametrize("over_old", [True, False])
def test_a_kill_at_any_point_leaves_old_or_new(tmp_path: Path, swap: str, over_old: bool) -> None:
    outcomes = []
    for at in range(1, MOST_POINTS):
        target = tmp_path / str(at) / "model"
        target.parent.mkdir()
        if over_old:
            save(target, OLD)

        def save_and_die(target: Path = target, at: int = at) -> None:
            with io_points(at, killed):
                save(target, NEW)

        code = in_child(save_and_die)
        there = target.exists() or folders.previous_folder(target).exists()
        found = content_of(target) if there else None
        assert found in (OLD, NEW) if over_old else found in (None, NEW), f"mixed after a kill at point {at}"
        outcomes.append(found == NEW)
        # The next save works, and takes away what the killed one left.
        save(target, OLD)
        assert content_of(target) == OLD
        assert [each.name for each in target.parent.iterdir()] == ["model"]
        if code == 0:
            break
    else:
        pytest.fail("the save has more points than expected")
    assert at > 15
    assert outcomes[0] is False
    assert outcomes[-1] is True


def test_two_savers_and_a_reader_see_one_of_them(tmp_path: Path) -> None:
    target = tmp_path / "model"
    save(target, OLD)
    write(target, {"README.md": b"mine"})
    stop = threading.Event()
    problems: list[Any] = []

    def saver(content: dict[str, bytes]) -> None:
        while not stop.is_set():
            try:
                save(target, content)
            except Exception as error:
                problems.append(error)

    threads = [threading.Thread(target=saver, args=(content,)) for content in (OLD, NEW)]
    for thread in threads:
        thread.start()
    seen = {"old": 0, "new": 0, "busy": 0}
    try:
        while not (problems or (seen["old"] and seen["new"])) or sum(seen.values()) < 30:
            try:
                found = content_of(target)
            except ValueError as error:
                assert "was replaced" in str(error)
                seen["busy"] += 1
                continue
            assert found.pop("README.md", None) == b"mine"
            assert found in (OLD, NEW)
            seen["old" if found == OLD else "new"] += 1
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not problems
    assert [each.name for each in tmp_path.iterdir()] == ["model"]


def test_a_new_folder_taken_for_a_leftover_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "model"
    hold = folders.HeldFolder
    taken_away = []

    def hold_too_late(path: Path) -> folders.HeldFolder:
        if not taken_away:
            taken_away.append(path)
            folders._clear_leftovers(target)
            assert not path.exists()
        return hold(path)

    monkeypatch.setattr(folders, "HeldFolder", hold_too_late)
    save(target, NEW)
    assert taken_away
    assert content_of(target) == NEW


def test_what_another_saver_wrote_meanwhile_is_not_carried_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "model"
    save(target, OLD)
    write(target, {"README.md": b"mine"})
    listed = folders.listed_files
    others = [NEW]

    def listed_before_another_save(folder: Path) -> dict[str, str]:
        files = listed(folder)
        if others:
            save(target, others.pop())
        return files

    monkeypatch.setattr(folders, "listed_files", listed_before_another_save)
    save(target, OLD)
    assert content_of(target) == {**OLD, "README.md": b"mine"}


def test_files_that_no_save_wrote_are_carried_over(tmp_path: Path) -> None:
    target = tmp_path / "model"
    save(target, OLD)
    write(target, {"README.md": b"mine", "notes/today": b"mine too"})
    save(target, NEW)
    found = content_of(target)
    assert found.pop("README.md") == b"mine"
    assert found.pop("notes/today") == b"mine too"
    assert found == NEW


def test_a_component_inside_a_pipeline_is_part_of_its_save(tmp_path: Path) -> None:
    target = tmp_path / "model"
    with pytest.raises(RuntimeError), saving(target) as folder:
        save_folder(folder / "tagger", {"cfg": lambda file: file.write_bytes(b"{}")})
        assert (folder / "tagger" / "cfg").exists()
        assert not (folder / "tagger" / MANIFEST).exists()
        raise RuntimeError("the next component fails")
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    save(tmp_path / "v1", OLD)
    link = tmp_path / "current"
    link.symlink_to("v1")
    save(link, NEW)
    assert link.is_symlink()
    assert content_of(tmp_path / "v1") == NEW


def test_saving_over_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model"
    file.write_bytes(b"precious")
    with pytest.raises(NotADirectoryError):
        save(file, NEW)
    assert file.read_bytes() == b"precious"


def test_a_full_disk_is_an_error_and_the_old_stays(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    target = tmp_path / "model"
    save(target, OLD)

    def save_with_little_room() -> None:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            save(target, NEW)
        except OSError:
            os._exit(7)

    assert in_child(save_with_little_room) == 7
    assert content_of(target) == OLD


def test_permissions_of_the_folder_are_kept(tmp_path: Path) -> None:
    target = tmp_path / "model"
    save(target, OLD)
    target.chmod(0o750)
    save(target, NEW)
    assert target.stat().st_mode & 0o777 == 0o750
