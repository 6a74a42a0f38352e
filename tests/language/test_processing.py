"""Texts become documents, singly, in batches, threads and processes; bad ones cost only themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ferrule.language import Language
from ferrule.tokens import Doc
from ferrule.training.example import Example

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")

WAYS = [{}, {"n_threads": 3}, {"n_process": 2}]


def ids(way: dict[str, int]) -> str:
    return "-".join(f"{name}={value}" for name, value in way.items()) or "plain"


@pytest.mark.parametrize("wrong", [3, None, ["a"], 1.5])
def test_what_is_no_text_is_named(nlp: Language, wrong: Any) -> None:
    with pytest.raises(TypeError, match=f"found {type(wrong).__name__}"):
        nlp(wrong)
    with pytest.raises(TypeError, match=f"found {type(wrong).__name__}"):
        nlp.make_doc(wrong)


def test_a_text_longer_than_max_length_is_refused(nlp: Language) -> None:
    nlp.max_length = 10
    with pytest.raises(ValueError, match=r"11 characters, more than nlp.max_length, which is 10"):
        nlp("a" * 11)


def test_a_component_must_return_the_document(nlp: Language) -> None:
    nlp.add_pipe("test_returns_three")
    with pytest.raises(TypeError, match="'test_returns_three' returned int, expected the Doc"):
        nlp("a")
    with pytest.raises(TypeError, match="'test_returns_three' returned int, expected the Doc"):
        list(nlp.pipe(["a"]))


@pytest.mark.parametrize("way", WAYS, ids=ids)
def test_the_order_is_kept_and_every_way_gives_the_same(
    tagger: tuple[Language, list[Example]], way: dict[str, int]
) -> None:
    nlp, _ = tagger
    texts = [f"The boat number {number} leaves" for number in range(23)]
    expected = [[token.tag_ for token in nlp(text)] for text in texts]
    for batch_size in (1, 4, 100):
        docs = list(nlp.pipe(texts, batch_size=batch_size, **way))  # type: ignore[arg-type]
        assert [doc.text for doc in docs] == texts
        assert [[token.tag_ for token in doc] for doc in docs] == expected


@pytest.mark.parametrize("way", WAYS, ids=ids)
def test_without_a_handler_the_error_comes_after_the_documents_before_it(
    nlp: Language, way: dict[str, int]
) -> None:
    nlp.add_pipe("test_fails_on_bad")
    out = []
    with pytest.raises(ValueError, match="cannot do 'bad'"):
        for doc in nlp.pipe(["one", "two", "bad", "three"], batch_size=2, **way):  # type: ignore[arg-type]
            out.append(doc.text)
    assert out == ["one", "two"]


def test_contexts_follow_documents_that_a_component_replaces(nlp: Language) -> None:
    @Language.component("test_replaces")
    def replaces(doc: Doc) -> Doc:
        return Doc(doc.vocab, words=[token.text.upper() for token in doc])

    nlp.add_pipe("test_fails_on_bad")
    nlp.add_pipe("test_replaces")
    nlp.set_error_handler(lambda name, pipe, docs, error: None)
    pairs = [("one", 1), ("bad", 2), ("three", 3), ("bad", 4), ("five", 5)]
    out = [(doc[0].text, context) for doc, context in nlp.pipe(pairs, as_tuples=True)]
    assert out == [("ONE", 1), ("THREE", 3), ("FIVE", 5)]


def test_one_document_given_twice_keeps_both_contexts(nlp: Language) -> None:
    doc = nlp.make_doc("again")
    assert [context for _, context in nlp.pipe([(doc, 1), (doc, 2)], as_tuples=True)] == [1, 2]


def test_a_text_that_cannot_be_tokenised_costs_only_itself(nlp: Language) -> None:
    nlp.max_length = 5
    seen: list[Any] = []
    nlp.set_error_handler(lambda name, pipe, items, error: seen.append((name, items)))
    assert [doc.text for doc in nlp.pipe(["one", "far too long", "two"])] == ["one", "two"]
    assert seen == [("tokenizer", ["far too long"])]


@pytest.mark.parametrize(
    "arguments", [{"batch_size": 0}, {"n_threads": 0}, {"n_process": 0}, {"n_process": -2}]
)
def test_numbers_below_one_are_refused(nlp: Language, arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        list(nlp.pipe(["a"], **arguments))  # type: ignore[arg-type]


def test_pairs_are_checked(nlp: Language) -> None:
    with pytest.raises(TypeError, match=r"expected \(text, context\)"):
        list(nlp.pipe(["no pair"], as_tuples=True))


def test_disable_and_component_cfg_count_for_one_call(nlp: Language) -> None:
    @Language.component("test_takes_settings")
    def takes_settings(doc: Doc, *, mark: str = "none") -> Doc:
        doc.user_data["mark"] = mark
        return doc

    nlp.add_pipe("test_fails_on_bad")
    nlp.add_pipe("test_takes_settings")
    settings = {"test_takes_settings": {"mark": "mine"}}
    assert nlp("bad", disable=["test_fails_on_bad"], component_cfg=settings).user_data["mark"] == "mine"
    docs = list(nlp.pipe(["bad"], disable="test_fails_on_bad", component_cfg=settings))
    assert docs[0].user_data["mark"] == "mine"
    assert nlp.pipe_names == ["test_fails_on_bad", "test_takes_settings"]


def _counted(items: list[Any], read: list[Any]) -> Iterator[Any]:
    for item in items:
        read.append(item)
        yield item


@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_stream_is_read_no_further_than_the_first_batch(
    tagger: tuple[Language, list[Example]], batch_size: int
) -> None:
    nlp, _ = tagger
    nlp.set_error_handler(lambda *arguments: None)
    read: list[Any] = []
    texts = ["The boat leaves", 3, "a", "b", None, "c", "d", "e", "f"]
    docs = nlp.pipe(_counted(texts, read), batch_size=batch_size)
    assert next(docs).text == texts[0]
    # The number is no text, and a later one takes its place in the batch.
    assert len(read) == (1 if batch_size == 1 else 4)
    assert [doc.text for doc in docs] == ["a", "b", "c", "d", "e", "f"]


def test_without_components_a_stream_is_read_text_by_text(nlp: Language) -> None:
    for name in nlp.pipe_names:
        nlp.remove_pipe(name)
    read: list[Any] = []
    docs = nlp.pipe(_counted(["a", "b", "c"], read), batch_size=2)
    next(docs)
    assert read == ["a"]


def test_texts_documents_and_bytes_mix_in_a_stream(tagger: tuple[Language, list[Example]]) -> None:
    nlp, _ = tagger
    items = ["The boat", nlp.make_doc("leaves at"), nlp.make_doc("noon").to_bytes(), "today"]
    assert [doc.text for doc in nlp.pipe(items)] == ["The boat", "leaves at", "noon", "today"]


def test_a_make_doc_of_ones_own_is_called_for_each_text(tagger: tuple[Language, list[Example]]) -> None:
    nlp, _ = tagger
    make_doc = nlp.make_doc
    nlp.make_doc = lambda text: make_doc(text.upper())  # type: ignore[method-assign]
    try:
        assert [doc.text for doc in nlp.pipe(["a", "b"])] == ["A", "B"]
    finally:
        del nlp.make_doc  # type: ignore[method-assign]
