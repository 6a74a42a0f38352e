"""Corpus readers: what comes out, in what order, and what a missing corpus says."""

from __future__ import annotations

import gzip
import random

import pytest

from ferrule.errors import CorpusError
from ferrule.registry import registry
from ferrule.tokens import Doc, DocBin
from ferrule.training.corpus import Corpus, JsonlCorpus, PlainTextCorpus, read_labels, walk_corpus
from ferrule.vocab import Vocab


class Pipeline:
    """The part of a pipeline that a reader uses: a vocabulary and a tokenizer (here: at spaces)."""

    def __init__(self) -> None:
        self.vocab = Vocab()

    def make_doc(self, text: str) -> Doc:
        words = text.split()
        return Doc(self.vocab, words=words, spaces=[True] * (len(words) - 1) + [False] if words else [])


@pytest.fixture
def nlp() -> Pipeline:
    return Pipeline()


def write_docs(path, texts, *, sent_starts=None):
    vocab = Vocab()
    docs = []
    for text in texts:
        words = text.split(" ")
        starts = sent_starts or [i == 0 for i in range(len(words))]
        docs.append(
            Doc(
                vocab,
                words=words,
                spaces=[True] * (len(words) - 1) + [False],
                tags=["X"] * len(words),
                sent_starts=starts,
            )
        )
    DocBin(docs=docs).to_disk(path)
    return path


def texts_of(examples):
    return [example.reference.text for example in examples]


def test_a_docbin_comes_out_as_examples_with_annotated_references(nlp, tmp_path):
    path = write_docs(tmp_path / "a.spacy", ["a b", "c d e"])
    examples = list(Corpus(path)(nlp))
    assert texts_of(examples) == ["a b", "c d e"]
    assert [token.tag_ for token in examples[1].reference] == ["X"] * 3
    assert [token.tag_ for token in examples[1].predicted] == [""] * 3
    assert examples[1].get_aligned("TAG", as_string=True) == ["X"] * 3


def test_a_reader_can_be_read_again(nlp, tmp_path):
    corpus = Corpus(write_docs(tmp_path / "a.spacy", ["a", "b"]))
    assert texts_of(corpus(nlp)) == texts_of(corpus(nlp)) == ["a", "b"]


def test_folders_several_paths_and_gzip_are_read_in_order(nlp, tmp_path):
    (tmp_path / "sub").mkdir()
    write_docs(tmp_path / "sub" / "b.spacy", ["b"])
    first = write_docs(tmp_path / "a.spacy", ["a"])
    write_docs(tmp_path / ".hidden.spacy", ["no"])
    (tmp_path / "notes.txt").write_text("no")
    assert texts_of(Corpus(tmp_path)(nlp)) == ["a", "b"]
    (tmp_path / "z.spacy.gz").write_bytes(gzip.compress(first.read_bytes()))
    assert texts_of(Corpus([tmp_path / "z.spacy.gz", tmp_path / "sub"])(nlp)) == ["a", "b"]


def test_limit_counts_documents(nlp, tmp_path):
    corpus = Corpus(write_docs(tmp_path / "a.spacy", list("abcde")), limit=2)
    assert texts_of(corpus(nlp)) == ["a", "b"]


def test_long_documents_are_split_and_long_sentences_left_out(nlp, tmp_path):
    path = write_docs(
        tmp_path / "a.spacy", ["a b c d e f"], sent_starts=[True, False, True, False, False, False]
    )
    assert [text.strip() for text in texts_of(Corpus(path, max_length=4)(nlp))] == ["a b"]
    assert len(texts_of(Corpus(path, max_length=7)(nlp))) == 1


def test_gold_preproc_gives_sentences_with_the_gold_tokens(nlp, tmp_path):
    path = tmp_path / "a.spacy"
    doc = Doc(
        Vocab(), words=["can", "not", "go"], spaces=[False, True, False], sent_starts=[True, False, True]
    )
    DocBin(docs=[doc]).to_disk(path)
    examples = list(Corpus(path, gold_preproc=True)(nlp))
    assert [[token.text for token in example.predicted] for example in examples] == [["can", "not"], ["go"]]
    (whole,) = Corpus(path)(nlp)
    assert [token.text for token in whole.predicted] == ["cannot", "go"]


def test_documents_without_known_spaces_keep_their_tokens(nlp, tmp_path):
    path = tmp_path / "a.spacy"
    DocBin(docs=[Doc(Vocab(), words=["do", "n't"])]).to_disk(path)
    (example,) = Corpus(path)(nlp)
    assert [token.text for token in example.predicted] == ["do", "n't"]


@pytest.mark.parametrize("window", [0, 3])
def test_shuffling_keeps_every_document_and_repeats_with_the_seed(nlp, tmp_path, window):
    texts = [str(i) for i in range(20)]
    corpus = Corpus(write_docs(tmp_path / "a.spacy", texts), shuffle=True, shuffle_window=window)
    random.seed(1)
    once = texts_of(corpus(nlp))
    random.seed(1)
    assert texts_of(corpus(nlp)) == once != texts
    assert sorted(once, key=int) == texts
    if window:
        assert int(once[0]) <= window


def test_an_augmenter_changes_examples(nlp, tmp_path):
    augmenter = registry.resolve({"a": {"@augmenters": "spacy.lower_case.v1", "level": 1.0}})["a"]
    corpus = Corpus(write_docs(tmp_path / "a.spacy", ["Ab C"]), augmenter=augmenter)
    assert texts_of(corpus(nlp)) == ["ab c"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none", "no such file or folder"),
        ("empty", "no .spacy file in this folder"),
        ("no_docs", "no documents"),
    ],
)
def test_a_missing_or_empty_corpus_is_named_with_the_remedy(nlp, tmp_path, name, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "no_docs").mkdir()
    DocBin().to_disk(tmp_path / "no_docs" / "a.spacy")
    with pytest.raises(CorpusError, match=f"{name}.*{message}.*ferrule convert"):
        list(Corpus(tmp_path / name)(nlp))


def test_a_reader_without_path_says_which_setting_is_missing():
    reader = {"@readers": "spacy.Corpus.v1", "path": None, "gold_preproc": False}
    with pytest.raises(CorpusError, match=r"--paths.train"):
        registry.resolve({"corpus": reader})


def test_a_damaged_file_is_named(nlp, tmp_path):
    (tmp_path / "a.spacy").write_bytes(b"no docbin")
    with pytest.raises(ValueError, match=r"a\.spacy"):
        list(Corpus(tmp_path)(nlp))


def test_jsonl_texts_and_tokens(nlp, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a b"}\n\n{"tokens": ["c", "d", "e"]}\n{"text": "f"}\n')
    examples = list(JsonlCorpus(path)(nlp))
    assert [len(example.reference) for example in examples] == [2, 3, 1]
    assert not examples[0].reference.has_annotation("TAG")
    assert [len(eg.x) for eg in JsonlCorpus(path, min_length=2, max_length=2)(nlp)] == [2]
    assert len(list(JsonlCorpus(path, limit=1)(nlp))) == 1
    path.write_text('{"text": "a"}\n{"txt": "b"}\n')
    with pytest.raises(CorpusError, match=r"a.jsonl:2: expected an object with 'text'"):
        list(JsonlCorpus(path)(nlp))


def test_plain_text_is_a_document_a_line(nlp, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("a b\n\nc\n")
    assert texts_of(PlainTextCorpus(path)(nlp)) == ["a b", "c"]
    assert texts_of(PlainTextCorpus(path, min_length=2)(nlp)) == ["a b"]


def test_labels_are_read_where_there_are_some(tmp_path):
    (tmp_path / "tagger.json").write_text('["A", "B"]')
    assert read_labels(tmp_path / "tagger.json") == ["A", "B"]
    assert read_labels(tmp_path / "none.json") is None
    with pytest.raises(CorpusError, match="ferrule init labels"):
        read_labels(tmp_path / "none.json", require=True)
    assert walk_corpus(tmp_path / "tagger.json", ".spacy") == [tmp_path / "tagger.json"]


def test_a_file_may_not_grow_beyond_the_corpus_bound(tmp_path, monkeypatch):
    vocab = Vocab()
    DocBin(docs=[Doc(vocab, words=["same"] * 500)]).to_disk(tmp_path / "a.spacy")
    monkeypatch.setattr("ferrule.tokens.message.FREE_BYTES", 10)
    assert len(list(Corpus(tmp_path, max_expansion=1000).read_docbin(vocab, [tmp_path / "a.spacy"]))) == 1
    with pytest.raises(ValueError, match="raise max_expansion"):
        list(Corpus(tmp_path, max_expansion=2).read_docbin(vocab, [tmp_path / "a.spacy"]))


def test_the_shuffling_reader_draws_a_new_order_each_pass(nlp, tmp_path):
    words = [f"w{number}" for number in range(30)]
    path = write_docs(tmp_path / "a.spacy", words)
    settings = {"@readers": "ferrule.Corpus.v1", "path": str(path), "shuffle": True}
    corpus = registry.resolve({"corpus": settings})["corpus"]
    passes = [[example.text for example in corpus(nlp)] for _ in range(2)]
    assert sorted(passes[0]) == sorted(passes[1]) == sorted(words)
    assert passes[0] != passes[1]
