"""Texts that `ferrule annotate` reads."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from ferrule.cli import text_sources
from ferrule.cli.text_sources import Record, grouped, read_jsonl, read_lines


def test_each_line_with_text_is_one_document(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_bytes("\ufeffFirst line.\r\n\n  second \nlast, without an end".encode())
    assert [text for text, _ in read_lines(path)] == ["First line.", "  second ", "last, without an end"]


def test_gzip_is_read_by_its_suffix(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt.gz"
    path.write_bytes(gzip.compress(b"one\ntwo\n"))
    assert [text for text, _ in read_lines(path)] == ["one", "two"]


@pytest.mark.parametrize("line", ["word " * 100, "x" * 500, " " * 45 + "end"])
def test_a_long_line_is_cut_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setattr(text_sources, "LONGEST_TEXT", 40)
    path = tmp_path / "texts.txt"
    path.write_text(line + "\n")
    texts = [text for text, _ in read_lines(path)]
    assert "".join(texts) == line
    assert all(0 < len(text) <= 40 for text in texts)


def test_bytes_that_are_not_utf8_are_named_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_bytes(b"fine\nbad \xff byte\n")
    lines = read_lines(path)
    assert next(lines)[0] == "fine"
    with pytest.raises(ValueError, match=r"texts\.txt, line 2: not UTF-8, byte 0xff at column 5"):
        next(lines)


def test_json_lines_keep_their_other_keys(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text('{"text": "a", "id": 1}\n\n{"text": "", "meta": {"k": []}}\n')
    assert list(read_jsonl(path)) == [("a", {"id": 1}), ("", {"meta": {"k": []}})]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": ', "not JSON"),
        ("[1]", "expected a JSON object, found list"),
        ('{"body": "x"}', "expected a string at 'text', found keys body"),
        ('{"text": 3}', "expected a string at 'text', found int"),
        ('{"text": "a \\ud800 b"}', "a lone surrogate"),
        ('{"text": "fine", "id": "\\udc00"}', "a lone surrogate"),
    ],
)
def test_a_bad_json_line_is_named_with_its_place(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text('{"text": "fine"}\n' + line + "\n")
    with pytest.raises(ValueError, match=rf"texts\.jsonl, line 2: {message}"):
        list(read_jsonl(path))


def test_a_surrogate_pair_in_json_is_one_character(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text('{"text": "\\ud83d\\ude00"}\n')
    assert [text for text, _ in read_jsonl(path)] == ["\U0001f600"]


def test_characters_on_the_edge_of_a_piece_stay_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_sources, "LONGEST_TEXT", 5)
    path = tmp_path / "texts.txt"
    path.write_text("äöü€😀" * 7)
    assert "".join(text for text, _ in read_lines(path)) == "äöü€😀" * 7
    path.write_bytes("äöü€😀".encode()[:-1])
    with pytest.raises(ValueError, match="line 1: not UTF-8, byte 0xf0 at column 10"):
        list(read_lines(path))


def test_a_cut_gzip_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt.gz"
    path.write_bytes(gzip.compress(b"one\n" * 100)[:-9])
    with pytest.raises(ValueError, match=r"texts\.txt\.gz: not a whole gzip file"):
        list(read_lines(path))


def test_groups_end_at_the_batch_size_and_at_the_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_sources, "CHARACTERS_IN_A_GROUP", 10)
    texts = ["aaaa", "bbbb", "cccc", "d" * 30, "e", "f", "g", "h"]
    groups = [[text for text, _ in group] for group in grouped(iter([(t, {}) for t in texts]), 3)]
    assert groups == [["aaaa", "bbbb"], ["cccc"], ["d" * 30], ["e", "f", "g"], ["h"]]


def test_what_was_read_comes_out_before_the_error_of_the_source() -> None:
    def failing() -> Iterator[Record]:
        yield "one", {}
        raise OSError("gone")

    groups = grouped(failing(), 8)
    assert next(groups) == [("one", {})]
    with pytest.raises(OSError, match="gone"):
        next(groups)
