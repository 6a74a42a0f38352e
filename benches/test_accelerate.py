"""`accelerate` against the untouched spaCy pipeline: each component over the same documents, in one run.

    OPENBLAS_NUM_THREADS=1 FERRULE_NUM_THREADS=1 python -m pytest benches/test_accelerate.py -q

Weights are random where speed does not depend on them; the entity recognizer is trained for some steps, since
its transitions do. `whole pipeline` begins with texts and so contains spaCy's tokenizer.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pairing import fastest

spacy = pytest.importorskip("spacy")
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "*"}
BOW = {
    "@architectures": "spacy.TextCatBOW.v3",
    **{"exclusive_classes": False, "ngram_size": 2, "no_output_layer": False, "length": 262144},
}
N_DOCS, BATCH = 400, 200


def _lines(*parts: str) -> str:
    file = DATA.joinpath(*parts)
    if not file.is_file():
        pytest.skip(f"needs {file}")
    return gzip.decompress(file.read_bytes()).decode("utf8")


@pytest.fixture(scope="module")
def messages() -> list[tuple[list[str], list[str]]]:
    """Words and entity tags of WNUT 17."""
    blocks = [block for block in _lines("wnut17", "wnut17-train.conll.gz").split("\n\n") if block.strip()]
    rows = [[line.split("\t") for line in block.splitlines() if line.strip()] for block in blocks[:N_DOCS]]
    return [([row[0] for row in block], [row[1] for row in block]) for block in rows]


@pytest.fixture(scope="module")
def texts(messages: list[tuple[list[str], list[str]]]) -> list[str]:
    """As many messages as bank customers' questions."""
    rows = csv.DictReader(_lines("banking77", "banking77-test.csv.gz").splitlines())
    questions = [row["text"] for row in rows][: N_DOCS // 2]
    found = [" ".join(words) for words, _ in messages[: N_DOCS // 2]] + questions
    return [text for text in found if " " in text]  # spaCy's n-grams fail on a single word


@pytest.fixture(scope="module")
def pair(messages: list[tuple[list[str], list[str]]]) -> tuple[Any, Any]:
    """The same pipeline twice: as it is, and accelerated."""
    from spacy.training import Example
    from thinc.api import fix_random_seed

    from ferrule.interop.spacy import accelerate

    fix_random_seed(0)
    random.seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec")
    nlp.add_pipe("tagger", config={"model": {"tok2vec": LISTENER}})
    nlp.add_pipe("ner")
    nlp.add_pipe("textcat")
    nlp.add_pipe("textcat_multilabel", config={"model": BOW})
    for label in ("A", "B", "C", "D"):
        for name in ("textcat", "textcat_multilabel"):
            nlp.get_pipe(name).add_label(label)
    for number in range(50):  # as many tags as English has
        nlp.get_pipe("tagger").add_label(f"TAG{number}")
    doc_class = spacy.tokens.Doc
    examples = [
        Example(
            doc_class(nlp.vocab, words), doc_class(nlp.vocab, words, ents=tags, tags=["TAG0"] * len(words))
        )
        for words, tags in messages
    ]
    optimizer = nlp.initialize(lambda: examples)
    with nlp.select_pipes(enable="ner"):
        for _ in range(20):
            nlp.update(random.sample(examples, 32), sgd=optimizer)
    fast = spacy.util.load_model_from_config(nlp.config, auto_fill=False).from_bytes(nlp.to_bytes())
    print(accelerate(fast))
    return nlp, fast


def _assert_same(ours: list[Any], theirs: list[Any]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        assert [token.tag_ for token in one] == [token.tag_ for token in other]
        entities = [[(ent.start, ent.end, ent.label_) for ent in doc.ents] for doc in (one, other)]
        assert entities[0] == entities[1]
        assert one.cats == pytest.approx(other.cats, abs=1e-4)


@pytest.mark.parametrize(
    "names", [["tok2vec", "tagger"], ["ner"], ["textcat"], ["textcat_multilabel"]], ids="+".join
)
def test_components(
    names: list[str],
    pair: tuple[Any, Any],
    texts: list[str],
    report: Callable[[str, dict[str, float], str], None],
) -> None:
    docs = [[nlp.make_doc(text) for text in texts] for nlp in pair]

    def annotate(which: int) -> list[Any]:
        stream: Any = [doc.copy() for doc in docs[which]]
        for name in names:
            stream = pair[which].get_pipe(name).pipe(stream, batch_size=BATCH)
        return list(stream)

    _assert_same(annotate(1), annotate(0))
    seconds = fastest({"spaCy": lambda: annotate(0), "accelerated": lambda: annotate(1)}, rounds=5)
    report(f"accelerate: {' + '.join(names)}", seconds, "accelerated")


def test_whole_pipeline(
    pair: tuple[Any, Any], texts: list[str], report: Callable[[str, dict[str, float], str], None]
) -> None:
    seconds = fastest(
        {
            "spaCy": lambda: list(pair[0].pipe(texts, batch_size=BATCH)),
            "accelerated": lambda: list(pair[1].pipe(texts, batch_size=BATCH)),
        },
        rounds=5,
    )
    report("accelerate: whole pipeline", seconds, "accelerated")
