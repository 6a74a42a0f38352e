"""`Language.memory_zone`: what a stream of texts brings is let go, and its documents say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from ferrule.language import Language

STATUS = Path("/proc/self/status")
N_TEXTS, WORDS_A_TEXT = 100, 200


def unique_texts(run: int) -> list[str]:
    return [" ".join(f"w{run}x{text}x{word}" for word in range(WORDS_A_TEXT)) for text in range(N_TEXTS)]


def resident_kilobytes() -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1])


def test_strings_and_lexemes_are_let_go(nlp: Language) -> None:
    kept = nlp("kept word").vocab
    before = (len(nlp.vocab.strings), len(nlp.vocab))
    with nlp.memory_zone():
        for _ in nlp.pipe(["ephemeral tokens", "and more"]):
            pass
        assert "ephemeral" in nlp.vocab.strings
        assert "ephemeral" in nlp.vocab
    assert "ephemeral" not in nlp.vocab.strings
    assert "ephemeral" not in nlp.vocab
    assert (len(nlp.vocab.strings), len(nlp.vocab)) == before
    assert "kept" in kept.strings


def test_a_document_of_an_ended_zone_is_an_error_and_others_are_fine(nlp: Language) -> None:
    outside = nlp("it stays")
    with nlp.memory_zone():
        inside = nlp("it goes")
        assert [token.text for token in inside] == ["it", "goes"]
    for use in (lambda: inside.text, lambda: inside[0].text, lambda: inside.to_bytes()):
        with pytest.raises(ValueError, match="memory zone that has ended"):
            use()
    assert [token.text for token in outside] == ["it", "stays"]
    assert nlp("it goes on").text == "it goes on"


def test_the_zone_ends_when_its_block_raises(nlp: Language) -> None:
    with pytest.raises(RuntimeError), nlp.memory_zone():
        nlp("ephemeral")
        raise RuntimeError
    assert "ephemeral" not in nlp.vocab
    with nlp.memory_zone():
        assert nlp.vocab.in_memory_zone
    assert not nlp.vocab.in_memory_zone


def test_a_zone_within_a_zone_is_refused(nlp: Language) -> None:
    with nlp.memory_zone(), pytest.raises(ValueError, match="open"), nlp.memory_zone():
        pass


def test_annotated_documents_are_let_go_too(tagger: tuple[Language, object]) -> None:
    pipeline, _ = tagger
    before = len(pipeline.vocab.strings)
    for run in range(3):
        with pipeline.memory_zone():
            assert all(doc[0].tag_ for doc in pipeline.pipe(unique_texts(run)[:3]))
    assert len(pipeline.vocab.strings) == before


@pytest.mark.skipif(not STATUS.exists(), reason="reads the resident memory from /proc")
def test_resident_memory_is_flat_over_many_unique_tokens(nlp: Language) -> None:
    """200,000 unique tokens; kept, they would take more than 60 MB (at spaCy's 396 bytes a string, 79)."""
    for run in range(2):
        with nlp.memory_zone():
            for _ in nlp.pipe(unique_texts(run)):
                pass
    before = resident_kilobytes()
    for run in range(2, 12):
        with nlp.memory_zone():
            for _ in nlp.pipe(unique_texts(run)):
                pass
    assert resident_kilobytes() - before < 10_000
