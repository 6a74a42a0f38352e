"""The commands from end to end, each in a process of its own, on the example corpus."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ferrule import _core, blank
from ferrule.tokens import DocBin

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "railway_desk"
TEXTS = ["Anna Berg lost a scarf in Eastvale.", "The soup wasn't cold!"]


def ferrule(*arguments: str | Path, stdin: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
    run = subprocess.run(
        [sys.executable, "-m", "ferrule", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == code, run.stdout + run.stderr
    assert "Traceback" not in run.stderr
    return run


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the converted corpus, a config and a trained tagger."""
    folder = tmp_path_factory.mktemp("project")
    ferrule("convert", EXAMPLE, folder / "corpus")
    ferrule("init", "config", folder / "config.cfg", "--pipeline", "tagger", "--size", "small")
    train(folder)
    return folder


def train(folder: Path, *more: str) -> str:
    corpus = folder / "corpus"
    run = ferrule(
        "train",
        folder / "config.cfg",
        "--output",
        folder / "out",
        f"--paths.train={corpus / 'train.spacy'}",
        f"--paths.dev={corpus / 'dev.spacy'}",
        "--training.max_steps",
        "120",
        "--training.eval_frequency=40",
        *more,
    )
    return run.stdout


def test_training_prints_a_table_and_where_the_models_are(project: Path) -> None:
    lines = train(project).splitlines()
    assert lines[0] == "Pipeline: tok2vec, tagger"
    assert [line.split()[1] for line in lines[3:7]] == ["0", "40", "80", "120"]
    assert [line.partition(":")[0] for line in lines[-3:]] == ["Best score", "Saved", "Report"]


def test_evaluating_scores_well_and_writes_json_and_html(project: Path) -> None:
    run = ferrule(
        "evaluate",
        project / "out" / "model-best",
        project / "corpus" / "dev.spacy",
        "--output",
        project / "scores.json",
        "--html",
        project / "scores.html",
    )
    scores = json.loads((project / "scores.json").read_text())
    assert scores["tag_acc"] > 0.8
    assert f"{100 * scores['tag_acc']:.2f}" in run.stdout
    assert "<svg" in (project / "scores.html").read_text(encoding="utf8")


def test_a_part_of_a_corpus_is_held_out_by_chance_and_always_the_same(tmp_path: Path) -> None:
    rows = [f"text {number},{'A' if number % 2 else 'B'}" for number in range(200)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *rows]), encoding="utf8")
    nlp = blank("en")

    def parts(folder: str, *options: str) -> list[list[str]]:
        ferrule("convert", tmp_path / "a.csv", tmp_path / folder, "--dev-share", "0.1", *options)
        bins = [DocBin().from_disk(tmp_path / folder / part / "a.spacy") for part in ("train", "dev")]
        return [[doc.text for doc in part.get_docs(nlp.vocab)] for part in bins]

    train, dev = parts("one")
    assert sorted(train + dev) == sorted(f"text {number}" for number in range(200))
    assert 10 <= len(dev) <= 30
    assert parts("two") == [train, dev]
    assert parts("three", "--seed", "1")[1] != dev
    run = ferrule("convert", tmp_path / "a.csv", tmp_path / "four", "--dev-share", "1", code=1)
    assert "0 documents of a into train" in run.stderr and not (tmp_path / "four").exists()


def test_json_lines_out_keep_order_text_and_other_keys(project: Path) -> None:
    source = "".join(json.dumps({"text": text, "id": number}) + "\n" for number, text in enumerate(TEXTS))
    (project / "in.jsonl.gz").write_bytes(gzip.compress(source.encode()))
    ferrule("annotate", project / "out" / "model-best", project / "in.jsonl.gz", "-o", project / "a.jsonl")
    records = [json.loads(line) for line in (project / "a.jsonl").read_text().splitlines()]
    assert [(record["id"], record["text"]) for record in records] == list(enumerate(TEXTS))
    for record in records:
        for token in record["tokens"]:
            assert record["text"][token["start"] : token["end"]] == token["text"]
            assert token["tag"]


def test_standard_input_to_standard_output(project: Path) -> None:
    run = ferrule("annotate", project / "out" / "model-best", stdin="\n".join(TEXTS))
    assert [json.loads(line)["text"] for line in run.stdout.splitlines()] == TEXTS


def test_conllu_out_can_be_converted_back(project: Path) -> None:
    model = project / "out" / "model-best"
    ferrule("annotate", model, "-t", TEXTS[0], "-t", TEXTS[1], "-o", project / "b.conllu")
    ferrule("convert", project / "b.conllu", project / "back")
    import ferrule as package
    from ferrule.tokens import DocBin

    docs = list(DocBin().from_disk(project / "back" / "b.spacy").get_docs(package.blank("en").vocab))
    again = list(package.load(model).pipe(TEXTS))
    assert [doc.text for doc in docs] == TEXTS
    assert [[t.tag_ for t in doc] for doc in docs] == [[t.tag_ for t in doc] for doc in again]


def test_the_example_corpus_keeps_tags_entities_and_categories(project: Path) -> None:
    import ferrule as package
    from ferrule.tokens import DocBin

    docs = list(DocBin().from_disk(project / "corpus" / "dev.spacy").get_docs(package.blank("en").vocab))
    assert {ent.label_ for doc in docs for ent in doc.ents} == {"PERSON", "PLACE", "DATE", "TIME", "MONEY"}
    assert all(sum(doc.cats.values()) == 1 and len(doc.cats) == 6 for doc in docs)
    assert all(token.tag_ for doc in docs for token in doc)


def test_docbin_out_holds_the_documents(project: Path) -> None:
    ferrule("annotate", project / "out" / "model-best", "-t", TEXTS[0], "-o", project / "c.spacy")
    import ferrule as package
    from ferrule.tokens import DocBin

    (doc,) = DocBin().from_disk(project / "c.spacy").get_docs(package.blank("en").vocab)
    assert doc.text == TEXTS[0]
    assert doc[0].tag_


def test_info_shows_the_pipeline_without_loading_it(project: Path) -> None:
    facts = json.loads(ferrule("info", project / "out" / "model-best", "--json").stdout)
    assert facts["pipeline"] == ["tok2vec", "tagger"]
    assert facts["labels"]["tagger"] > 20
    assert facts["performance"]["tag_acc"] > 0.8
    assert re.search(
        r"instructions +(scalar|avx2|avx512), for bytes (scalar|avx2|vnni)", ferrule("info").stdout
    )


def test_debug_data_counts_and_warns(project: Path) -> None:
    corpus = project / "corpus"
    paths = [f"--paths.train={corpus / 'train.spacy'}", f"--paths.dev={corpus / 'dev.spacy'}"]
    out = ferrule("debug", "data", project / "config.cfg", *paths).stdout
    assert "Training corpus: 293 documents, 3697 tokens" in out
    assert "0 errors" in out
    same = [f"--paths.train={corpus / 'dev.spacy'}", f"--paths.dev={corpus / 'dev.spacy'}"]
    assert "76 texts stand in both corpora" in ferrule("debug", "data", project / "config.cfg", *same).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--training.max_stepz", "3"], "max_stepz: unknown setting; did you mean 'max_steps'"),
        (["--trainig.max_steps", "3"], "did you mean 'training'"),
        (["--components.tagger.factory", "taggr"], "tagger"),
        (["--components.tok2vec.model.@architectures", "spacy.Tok2Vec.v3"], "spacy.Tok2Vec.v2"),
        (["--paths.train", "missing.spacy"], "missing.spacy"),
        (["--paths.train", "null"], "--paths.train"),
    ],
)
def test_a_wrong_setting_is_one_message(project: Path, arguments: list[str], message: str) -> None:
    corpus = project / "corpus" / "dev.spacy"
    run = ferrule(
        "train",
        project / "config.cfg",
        f"--paths.train={corpus}",
        f"--paths.dev={corpus}",
        *arguments,
        code=1,
    )
    assert message in run.stderr
    assert run.stderr.startswith("ferrule: ")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.conllu", "1\tonly\tthree\n", "a.conllu, line 1"),
        ("b.conllu", "", "b.conllu"),
        ("c.jsonl", '{"text": 3}\n', "c.jsonl, line 1"),
        ("d.xyz", "what is this", "d.xyz"),
    ],
)
def test_a_malformed_corpus_is_named_with_its_line(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    run = ferrule("convert", tmp_path / name, tmp_path / "out", code=1)
    assert message in run.stderr.replace(":1", ", line 1")
    assert not (tmp_path / "out").exists()


def test_quantize_says_what_differs_and_info_that_it_is_quantized(project: Path, tmp_path: Path) -> None:
    corpus = project / "corpus" / "dev.spacy"
    run = ferrule(
        "quantize", project / "out" / "model-best", tmp_path / "int8", "--corpus", corpus, "--documents", 20
    )
    assert "in bytes: tok2vec; ranges from 20 documents" in run.stdout
    assert re.search(r"measured on \d+ other documents", run.stdout)
    assert re.search(r"tags +\d+ of \d+ differ", run.stdout)
    assert re.search(r"tag_acc +[\d.]+ before, [\d.]+ after", run.stdout)
    assert re.search(r"int8 +tok2vec", ferrule("info", tmp_path / "int8").stdout)
    slower = "more slowly in bytes" in run.stdout
    assert slower == (_core.byte_isa() != "vnni")


def test_quantize_refuses_what_has_no_such_encoder(tmp_path: Path) -> None:
    blank("en").to_disk(tmp_path / "blank")
    ferrule("convert", EXAMPLE, tmp_path / "corpus")
    corpus = tmp_path / "corpus" / "dev.spacy"
    run = ferrule("quantize", tmp_path / "blank", tmp_path / "int8", "--corpus", corpus, code=1)
    assert "no component has a token encoder that can run in bytes" in run.stderr
