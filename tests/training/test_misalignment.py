"""The report of what could not be aligned."""

from __future__ import annotations

from ferrule.tokens import Doc
from ferrule.training.example import Example
from ferrule.training.misalignment import report_misalignment
from ferrule.vocab import Vocab


def test_the_report_counts_and_names_what_does_not_fit():
    vocab = Vocab()
    good = Doc(vocab, words=["New", "York"], ents=["B-GPE", "I-GPE"])
    split = Doc(vocab, words=["NewYork", "ers"], spaces=[False, False])
    whole = Doc(vocab, words=["New", "Yorkers"], spaces=[False, False], ents=["B-X", "O"])
    other = Doc(vocab, words=["Paris"])
    report = report_misalignment([Example(good, good), Example(split, whole), Example(other, good)])
    assert (report.n_examples, report.n_tokens, report.n_tokens_without_one) == (3, 5, 1)
    assert (report.n_ents, report.n_ents_lost) == (2, 1)
    assert report.ents == [(1, "New", "X")]
    assert report.n_texts_different == 1 and report.texts[0][0] == 2
    assert "1 of 2 entities" in str(report) and "example 1: X 'New'" in str(report)
    assert report_misalignment([Example(split, whole)] * 5, limit=2).ents == [
        (0, "New", "X"),
        (1, "New", "X"),
    ]
