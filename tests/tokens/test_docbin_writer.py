"""Corpora that are written and read a file at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from ferrule.tokens import Doc, DocBin, DocBinWriter
from ferrule.training.corpus import Corpus
from ferrule.vocab import Vocab


def test_the_files_together_are_the_corpus(tmp_path: Path) -> None:
    vocab = Vocab()
    words = [f"word{i}" for i in range(7)]
    with DocBinWriter(tmp_path / "train.spacy", docs_per_file=3) as writer:
        for word in words:
            writer.add(Doc(vocab, words=[word], tags=["X"]))
    assert [(path.name, n_docs) for path, n_docs in writer.files] == [
        ("train.spacy", 3),
        ("train-2.spacy", 3),
        ("train-3.spacy", 1),
    ]
    paths = [path for path, _ in writer.files]
    read = list(Corpus(tmp_path).read_docbin(Vocab(), paths))
    assert [doc[0].text for doc in read] == words and read[-1][0].tag_ == "X"


def test_a_file_that_is_just_full_has_no_empty_one_behind_it(tmp_path: Path) -> None:
    with DocBinWriter(tmp_path / "a.spacy", docs_per_file=2) as writer:
        for _ in range(4):
            writer.add(Doc(Vocab(), words=["a"]))
    assert [n_docs for _, n_docs in writer.files] == [2, 2]


def test_no_documents_are_an_empty_file(tmp_path: Path) -> None:
    with DocBinWriter(tmp_path / "a.spacy"):
        pass
    assert len(DocBin().from_disk(tmp_path / "a.spacy")) == 0


def test_settings_reach_every_file(tmp_path: Path) -> None:
    doc = Doc(Vocab(), words=["a"], user_data={"key": "value"})
    with DocBinWriter(tmp_path / "a.spacy", docs_per_file=1, store_user_data=True) as writer:
        writer.add(doc)
        writer.add(doc)
    for path, _ in writer.files:
        assert next(DocBin().from_disk(path).get_docs(Vocab())).user_data == {"key": "value"}


def test_nothing_is_written_after_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.spacy").write_bytes(b"old")
    one_by_one = DocBinWriter(tmp_path / "a.spacy", docs_per_file=1)
    with pytest.raises(RuntimeError, match="stop"), one_by_one as writer:
        writer.add(Doc(Vocab(), words=["a"]))
        raise RuntimeError("stop")
    assert [path.name for path in tmp_path.iterdir()] == ["a.spacy"]
    assert (tmp_path / "a.spacy").read_bytes() == b"old"


def test_what_was_done_before_an_error_can_be_kept(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="stop"), DocBinWriter(tmp_path / "a.spacy") as writer:
        writer.add(Doc(Vocab(), words=["a"]))
        assert writer.keep_partial() == [(tmp_path / "a.spacy.partial", 1)]
        raise RuntimeError("stop")
    assert [path.name for path in tmp_path.iterdir()] == ["a.spacy.partial"]
    assert len(DocBin().from_disk(tmp_path / "a.spacy.partial")) == 1


def test_a_file_is_full_with_its_tokens_too(tmp_path: Path) -> None:
    with DocBinWriter(tmp_path / "a.spacy", tokens_per_file=5) as writer:
        for _ in range(4):
            writer.add(Doc(Vocab(), words=["a", "b", "c"]))
    assert [n_docs for _, n_docs in writer.files] == [2, 2]


def test_a_file_of_an_earlier_corpus_is_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "a-2.spacy").write_bytes(b"old")
    writer = DocBinWriter(tmp_path / "a.spacy")
    writer.add(Doc(Vocab(), words=["a"]))
    with pytest.raises(ValueError, match=r"a-2\.spacy is of an earlier corpus"):
        writer.close()
    with pytest.raises(ValueError, match="docs_per_file is 0"):
        DocBinWriter(tmp_path / "a.spacy", docs_per_file=0)
    with pytest.raises(ValueError, match="tokens_per_file is 0"):
        DocBinWriter(tmp_path / "a.spacy", tokens_per_file=0)
