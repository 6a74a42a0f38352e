"""`ferrule annotate`: memory stays flat, and a bad line costs nothing that was there or was done.

Run as a script it prints the peak of the memory for texts of 4, 8 and 16 MB, or as many as its arguments say:

    python tests/cli/test_annotate.py 4 8 16
"""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import ferrule
from ferrule.language import Language
from ferrule.training import Example

PEAK_OF_CHILD = """
import resource, subprocess, sys
run = subprocess.run([sys.executable, "-m", "ferrule", "annotate", *sys.argv[1:]], stderr=subprocess.PIPE)
sys.stderr.buffer.write(run.stderr)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(run.returncode)
"""

BYTES_KEPT_PER_BYTE_READ = {"jsonl": 8, "conllu": 8, "spacy": 16, "parquet": 16}
"""Most growth of the peak for each further byte of text, every other word new; measured: 1 to 5, and 10 for
DocBin, whose second file is put together while the allocator still holds pieces of the first.
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("model") / "tagger")


def save_model(folder: Path) -> Path:
    """A folder with a tagger of the smallest size, whose tags are of no interest."""
    tok2vec = {"@architectures": "spacy.HashEmbedCNN.v2", "width": 8, "depth": 1, "embed_size": 100}
    tok2vec |= {"window_size": 1, "maxout_pieces": 2, "subword_features": True, "pretrained_vectors": None}
    nlp: Language = ferrule.blank("en")
    nlp.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": tok2vec}})
    example = Example.from_dict(nlp.make_doc("one train"), {"tags": ["CD", "NN"]})
    nlp.initialize(lambda: [example])
    nlp.to_disk(folder)
    return folder


def write_parquet(path: Path, size: int) -> None:
    """The lines that `write_text` writes, as rows with a number beside each."""
    lines = path.with_suffix(".lines")
    write_text(lines, size)
    texts = lines.read_text().splitlines()
    pq.write_table(pa.table({"text": texts, "id": range(len(texts))}), path, row_group_size=2000)


def write_text(path: Path, size: int) -> None:
    """`size` bytes of sentences, in lines, in JSON lines or (.raw) without a single newline."""
    rng = random.Random(0)
    with path.open("w") as file:
        while file.tell() < size:
            words = [f"x{rng.randrange(10**9)}" if n % 2 else "train" for n in range(12)]
            text = " ".join(words) + "."
            if path.suffix == ".raw":
                file.write(text + " ")
            else:
                file.write((json.dumps({"text": text}) if path.suffix == ".jsonl" else text) + "\n")


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak in the units of Linux")
@pytest.mark.parametrize(
    ("source", "output", "megabytes"),
    [
        ("a.txt", "a.jsonl", (1, 3)),
        ("a.raw", "a.conllu", (1, 3)),
        ("a.jsonl", "b.jsonl", (1, 3)),
        # A DocBin file is put together in memory, so the smaller input fills one whole file too.
        ("a.txt", "a.spacy", (2, 4)),
        ("a.parquet", "b.parquet", (2, 4)),
    ],
)
def test_memory_stays_flat(
    model: Path, tmp_path: Path, source: str, output: str, megabytes: tuple[int, int]
) -> None:
    peaks = [peak(model, tmp_path / source, tmp_path / output, size * 1_000_000) for size in megabytes]
    kept = BYTES_KEPT_PER_BYTE_READ[output.rpartition(".")[2]]
    assert peaks[1] - peaks[0] < 2_000_000 * kept


def peak(model: Path, source: Path, output: Path, size: int) -> int:
    """The most bytes resident at a time while `size` bytes of text are annotated."""
    (write_parquet if source.suffix == ".parquet" else write_text)(source, size)
    run = subprocess.run(
        [sys.executable, "-c", PEAK_OF_CHILD, model, source, "-o", output],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return int(run.stdout) * 1024


def annotate(model: Path, *arguments: str | Path, code: int = 0) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "ferrule", "annotate", model, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == code, run.stderr
    assert "Traceback" not in run.stderr
    return run.stderr


@pytest.mark.parametrize("name", ["out.jsonl", "out.conllu", "out.spacy"])
def test_a_bad_line_keeps_the_old_file_and_what_was_done(model: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "one"}\n{"text": "two"}\n{"text": \n')
    (tmp_path / name).write_text("old")
    stderr = annotate(model, tmp_path / "in.jsonl", "-o", tmp_path / name, code=1)
    assert "in.jsonl, line 3: not JSON" in stderr
    assert f"{name}.partial (2 documents before the error)" in stderr
    assert (tmp_path / name).read_text() == "old"
    assert (tmp_path / f"{name}.partial").stat().st_size > 0


def test_a_bad_first_line_leaves_no_file(model: Path, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text("[]\n")
    annotate(model, tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl", code=1)
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_file_can_be_annotated_in_place(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "one train", "id": 7}\n'))
    annotate(model, path, "-o", path)
    (record,) = map(json.loads, gzip.decompress(path.read_bytes()).splitlines())
    assert record["id"] == 7
    assert [token["text"] for token in record["tokens"]] == ["one", "train"]


def test_long_output_goes_to_further_docbin_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ferrule.cli import writers
    from ferrule.tokens import DocBin

    monkeypatch.setattr(writers, "TOKENS_IN_A_FILE", 4)
    nlp = ferrule.blank("en")
    with writers.open_writer("spacy", tmp_path / "o.spacy", nlp) as writer:
        for number, text in enumerate(["a b", "c d e", "f"]):
            with nlp.memory_zone():
                writer.write(nlp(text), {"id": number})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o-2.spacy", "o.spacy"]
    files = [tmp_path / "o.spacy", tmp_path / "o-2.spacy"]
    docs = [doc for file in files for doc in DocBin(store_user_data=True).from_disk(file).get_docs(nlp.vocab)]
    assert [(doc.text, doc.user_data["id"]) for doc in docs] == [("a b", 0), ("c d e", 1), ("f", 2)]


def test_parquet_goes_in_and_comes_out_with_its_columns(model: Path, tmp_path: Path) -> None:
    table = pa.table({"id": pa.array([7, 8, 9], pa.int16()), "body": ["one train", "", "two trains leave"]})
    pq.write_table(table, tmp_path / "in.parquet")
    annotate(model, tmp_path / "in.parquet", "-o", tmp_path / "out.parquet", "--text-key", "body")
    out = pq.read_table(tmp_path / "out.parquet")
    assert out.schema.names == ["id", "text", "tokens", "ents", "cats", "spans"]
    assert out["id"].type == pa.int16()
    assert out["id"].to_pylist() == [7, 8, 9]
    assert out["text"].to_pylist() == table["body"].to_pylist()
    tokens = out["tokens"].to_pylist()
    words = [[token["text"] for token in row] for row in tokens]
    assert words == [["one", "train"], [], ["two", "trains", "leave"]]
    assert all(
        token["tag"] in ("CD", "NN") and 0 < token["tag_score"] <= 1 for row in tokens for token in row
    )


def test_other_formats_become_parquet_and_parquet_becomes_others(model: Path, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "one train", "id": 3}\n{"text": "two"}\n')
    annotate(model, tmp_path / "in.jsonl", "-o", tmp_path / "a.parquet")
    assert pq.read_table(tmp_path / "a.parquet")["extra"].to_pylist() == ['{"id": 3}', None]
    annotate(model, tmp_path / "a.parquet", "-o", tmp_path / "b.jsonl")
    lines = (tmp_path / "b.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["one train", "two"]


def test_parquet_that_does_not_fit_is_refused_and_what_was_done_is_kept(model: Path, tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["one train"] * 300 + [None]}), tmp_path / "null.parquet")
    out = tmp_path / "out.parquet"
    stderr = annotate(model, tmp_path / "null.parquet", "-o", out, code=1)
    assert "row 300: the text is null" in stderr
    assert "out.parquet.partial (300 documents before the error)" in stderr
    assert not out.exists()
    assert pq.read_table(tmp_path / "out.parquet.partial").num_rows == 300
    stderr = annotate(model, tmp_path / "null.parquet", "--text-key", "body", "-o", out, code=1)
    assert "no column 'body'; found text" in stderr
    (tmp_path / "bad.parquet").write_text("no such thing")
    assert "not a Parquet file" in annotate(model, tmp_path / "bad.parquet", code=1)
    assert "name one with --output" in annotate(model, "--text", "one", "--to", "parquet", code=1)


def main(megabytes: list[int]) -> None:
    """Prints the peaks of each format of output."""
    with tempfile.TemporaryDirectory() as folder:
        model = save_model(Path(folder, "tagger"))
        for name in ("jsonl", "conllu", "spacy", "parquet"):
            source = Path(folder, "in.parquet" if name == "parquet" else "in.txt")
            peaks = [peak(model, source, Path(folder, f"out.{name}"), size * 1_000_000) for size in megabytes]
            shown = ", ".join(f"{size} MB: {n / 1e6:.0f}" for size, n in zip(megabytes, peaks, strict=True))
            print(f"{name}: peak in MB for texts of {shown}", flush=True)


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [4, 8, 16])
