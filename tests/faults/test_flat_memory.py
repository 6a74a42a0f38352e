"""Memory stays flat in a service: what a stream of new words brings is let go when its memory zone ends.

Run as a script it passes a million new words, or as many as its argument says, and prints what stays:

    python tests/faults/test_flat_memory.py 1000000
"""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("resource", reason="no resident memory to read here")

# Grows by this much at most while word types pass: a tenth of what keeping them would take. With several
# threads the allocator keeps two or three megabytes more or less, so there must be many words.
MOST_BYTES_A_WORD = 20

SERVICE = """
import sys
import ferrule

WORDS_A_ZONE = 5_000

def resident():
    with open("/proc/self/statm") as numbers:
        return int(numbers.read().split()[1]) * 4096

def pass_words(tokenizer, first, count, in_zone):
    for start in range(first, first + count, WORDS_A_ZONE):
        texts = [
            " ".join(f"Wort{number}x" for number in range(at, at + 100))
            for at in range(start, start + WORDS_A_ZONE, 100)
        ]
        if in_zone:
            with tokenizer.vocab.memory_zone():
                assert sum(map(len, tokenizer.pipe(texts))) == WORDS_A_ZONE
        else:
            assert sum(map(len, tokenizer.pipe(texts))) == WORDS_A_ZONE

in_zone, count = sys.argv[1] == "zone", int(sys.argv[2])
tokenizer = ferrule.blank("en").tokenizer
pass_words(tokenizer, 0, count // 4, True)  # buffers reach their size
before, lexemes = resident(), len(tokenizer.vocab)
pass_words(tokenizer, 10**7, count, in_zone)
print((resident() - before) / count, len(tokenizer.vocab) - lexemes)
"""


def growth(where: str, count: int) -> tuple[float, int]:
    """Resident bytes a word type, and lexemes, that are kept while `count` new word types pass."""
    done = subprocess.run(
        [sys.executable, "-c", SERVICE, where, str(count)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    bytes_a_word, lexemes = done.stdout.split()
    return float(bytes_a_word), int(lexemes)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_words_of_ended_zones_take_no_memory():
    bytes_a_word, lexemes = growth("zone", 200_000)
    assert lexemes == 0
    assert bytes_a_word < MOST_BYTES_A_WORD


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_measure_sees_words_that_are_kept():
    bytes_a_word, lexemes = growth("kept", 100_000)
    assert lexemes == 100_000
    assert bytes_a_word > 5 * MOST_BYTES_A_WORD


if __name__ == "__main__":
    n_words = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    for place in ("zone", "kept"):
        a_word, n_lexemes = growth(place, n_words)
        print(f"{place}: {n_words} new words, {a_word:.2f} bytes each stay, {n_lexemes} lexemes")
