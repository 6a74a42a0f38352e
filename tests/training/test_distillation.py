"""Whole pipelines distilled: what is learnt, kept scores, resuming, other teachers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from thinc.api import Adam, Config

import ferrule
from ferrule.errors import ConfigError, LabelError
from ferrule.language import Language
from ferrule.registry import registry
from ferrule.training import Example
from ferrule.training.distillation import DistillationSettings, _same_tokens, distill, init_student
from ferrule.training.kept_scores import StaleScoresError
from ferrule.training.presets import starting_config
from ferrule.training.teachers import ScoringFunction, Teacher, load_teacher

COMPONENTS = ["tagger", "textcat", "ner"]
WORDS = ["Anna", "left", "Ely", "early", ".", "Bo", "saw", "Anna", "in", "York", "today"]
TAGS = ["NNP", "VBD", "NNP", "RB", ".", "NNP", "VBD", "NNP", "IN", "NNP", "RB"]
ENTITIES = ["U-PER", "O", "U-LOC", "O", "O", "U-PER", "O", "U-PER", "O", "U-LOC", "O"]

# Loss and gradient of kept scores are those of the teacher itself but for the order of float32 sums.
SAME_LOSS = 1e-5


@registry.readers("tests.annotated.v1")
def read_annotated() -> Any:
    def corpus(nlp: Language) -> Iterator[Example]:
        for first in range(8):
            at = [(first + place) % len(WORDS) for place in range(3 + first % 4)]
            doc = ferrule.tokens.Doc(nlp.vocab, words=[WORDS[i] for i in at])
            cats = {"ODD": float(first % 2), "EVEN": float(1 - first % 2)}
            gold = {"tags": [TAGS[i] for i in at], "entities": [ENTITIES[i] for i in at], "cats": cats}
            yield Example.from_dict(doc, gold)

    return corpus


def config_of(size: str = "small", steps: int = 8) -> Config:
    config = Config(starting_config("en", COMPONENTS, size))
    reader = {"@readers": "tests.annotated.v1"}
    config["corpora"] = {"train": reader, "dev": reader}
    config["training"].update(
        max_steps=steps,
        eval_frequency=4,
        batcher={"@batchers": "spacy.batch_by_sequence.v1", "size": 3},
    )
    config["training"]["optimizer"].update(learn_rate=0.01, use_averages=False)
    config["components"]["textcat"]["model"] = {
        "@architectures": "spacy.TextCatBOW.v3",
        "exclusive_classes": True,
        "ngram_size": 1,
        "no_output_layer": False,
        "length": 256,
    }
    config["components"]["tok2vec"]["model"]["embed"]["rows"] = [200, 100, 100, 100]
    return config


@pytest.fixture(scope="module")
def teacher_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline that knows the eight sentences."""
    nlp = ferrule.language.load_from_config(config_of())
    examples = list(read_annotated()(nlp))
    nlp.initialize(lambda: examples)
    optimizer = Adam(0.01)
    for _ in range(25):
        nlp.update(examples, sgd=optimizer)
    folder = tmp_path_factory.mktemp("teacher") / "model"
    nlp.to_disk(folder)
    return folder


@pytest.fixture
def teacher(teacher_folder: Path) -> Teacher:
    return load_teacher(teacher_folder)


def student_of(teacher: Teacher, steps: int = 8, **settings: Any) -> Language:
    config = config_of(steps=steps)
    config["distillation"] = settings
    return init_student(config, teacher)


def run(
    nlp: Language, teacher: Teacher, folder: Path | None = None, **arguments: Any
) -> list[dict[str, Any]]:
    figures = distill(nlp, teacher, folder, stdout=StringIO(), stderr=StringIO(), **arguments)
    return [{k: v for k, v in entry.items() if k not in ("seconds", "scores")} for entry in figures.history]


def weights(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("model"))}


def test_every_component_learns_and_the_teacher_stays_as_it_is(
    teacher: Teacher, teacher_folder: Path
) -> None:
    before = teacher.pipeline.to_bytes()
    nlp = student_of(teacher, steps=40, temperature=2.0)
    assert nlp.get_pipe("tagger").labels == teacher.pipeline.get_pipe("tagger").labels
    history = run(nlp, teacher)
    assert teacher.pipeline.to_bytes() == before
    assert load_teacher(teacher_folder).fingerprint == teacher.fingerprint
    first, last = history[1]["losses"], history[-1]["losses"]
    for name in COMPONENTS:
        assert last[name] < first[name] / 2, name
    text = "Anna left Ely early"
    ours, theirs = nlp(text), teacher.pipeline(text)
    assert [token.tag_ for token in ours] == [token.tag_ for token in theirs]
    assert [(ent.text, ent.label_) for ent in ours.ents] == [(ent.text, ent.label_) for ent in theirs.ents]
    assert ours.cats.keys() == theirs.cats.keys()


def test_the_config_of_the_student_keeps_no_labels(teacher: Teacher) -> None:
    nlp = student_of(teacher)
    assert nlp.config["initialize"]["components"] == {}


def test_kept_scores_teach_what_the_teacher_itself_teaches(teacher: Teacher, tmp_path: Path) -> None:
    by_pipeline, kept, asked = ({}, {}, {})
    for losses, settings in ((asked, {}), (kept, {"scores": str(tmp_path / "scores")})):
        nlp = student_of(teacher, steps=4, temperature=1.5, **settings)
        losses.update(run(nlp, teacher)[-1]["losses"])
    assert asked == kept
    nlp = student_of(teacher)
    examples = list(read_annotated()(nlp))
    cfg = {"tagger": {"temperature": 1.5}, "ner": {"temperature": 1.5}}
    nlp.distill(teacher.pipeline, examples, sgd=False, losses=by_pipeline, component_cfg=cfg)
    again = student_of(teacher)
    rows = teacher.teach(COMPONENTS, [example.reference for example in examples])
    pipes = {name: _Fixed(taught) for name, taught in rows.items()}
    losses = again.distill(pipes, examples, sgd=False, component_cfg=cfg)
    for name in COMPONENTS:
        assert losses[name] == pytest.approx(by_pipeline[name], rel=SAME_LOSS)


class _Fixed:
    def __init__(self, taught: Any) -> None:
        self.taught = taught

    def teacher_rows(self, docs: Any) -> Any:
        return self.taught


def test_a_second_student_asks_no_teacher(
    teacher: Teacher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = str(tmp_path / "scores")
    first = run(student_of(teacher, scores=scores), teacher)
    monkeypatch.setattr(Teacher, "teach", lambda *_: pytest.fail("the teacher was asked"))
    second = run(student_of(teacher, scores=scores), teacher)
    assert first == second
    rows = np.memmap(tmp_path / "scores" / "0.rows", dtype="<f4", mode="r")
    assert rows.size


def test_stale_scores_are_refused(teacher: Teacher, tmp_path: Path) -> None:
    scores = tmp_path / "scores"
    run(student_of(teacher, scores=str(scores), steps=1), teacher)
    other = Teacher(teacher.pipes, "of another", teacher.pipeline)
    with pytest.raises(StaleScoresError, match="another teacher"):
        run(student_of(other, scores=str(scores)), other)
    facts = json.loads((scores / "scores.json").read_text())
    nlp = student_of(teacher, scores=str(scores))
    nlp.config["corpora"]["text"] = {"@readers": "spacy.PlainTextCorpus.v1", "path": str(tmp_path / "a.txt")}
    nlp.config["distillation"]["corpus"] = ["corpora.train", "corpora.text"]
    (tmp_path / "a.txt").write_text("Anna saw Bo .\n", encoding="utf8")
    with pytest.raises(StaleScoresError, match="another corpus"):
        run(nlp, teacher)
    assert [each["name"] for each in facts["components"]] == sorted(COMPONENTS)
    (tmp_path / "taken").mkdir()
    with pytest.raises(StaleScoresError, match="holds no kept scores"):
        run(student_of(teacher, scores=str(tmp_path / "taken")), teacher)


def test_plain_text_teaches_too(teacher: Teacher, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Anna saw Bo .\n\nBo left York early .\n", encoding="utf8")
    nlp = student_of(teacher, steps=2)
    nlp.config["corpora"]["text"] = {"@readers": "spacy.PlainTextCorpus.v1", "path": str(tmp_path / "a.txt")}
    nlp.config["distillation"]["corpus"] = "corpora.text"
    assert run(nlp, teacher)[-1]["losses"]["tagger"] > 0


@pytest.mark.parametrize("stop", [3, 6])
def test_a_resumed_distillation_comes_to_the_same_bits(teacher: Teacher, tmp_path: Path, stop: int) -> None:
    straight = run(student_of(teacher, steps=9), teacher, tmp_path / "straight")
    run(student_of(teacher, steps=stop), teacher, tmp_path / "resumed")
    resumed = run(student_of(teacher, steps=9), teacher, tmp_path / "resumed", resume=True)
    assert resumed == straight
    assert weights(tmp_path / "straight" / "model-last")
    for name in ("model-last", "model-best"):
        assert weights(tmp_path / "resumed" / name) == weights(tmp_path / "straight" / name)


def test_gold_annotation_takes_its_share(teacher: Teacher) -> None:
    nlp = student_of(teacher, steps=2, gold_share=1.0)
    gold = run(nlp, teacher)
    assert gold != run(student_of(teacher, steps=2), teacher)


def test_gold_categories_must_be_there(teacher: Teacher, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Anna saw Bo .\n", encoding="utf8")
    nlp = student_of(teacher, steps=2, gold_share=0.5)
    nlp.config["corpora"]["text"] = {"@readers": "spacy.PlainTextCorpus.v1", "path": str(tmp_path / "a.txt")}
    nlp.config["distillation"]["corpus"] = "corpora.text"
    with pytest.raises(ConfigError, match=r"'textcat' cannot learn from gold annotation of 'Anna saw Bo \."):
        run(nlp, teacher)


def test_categories_stay_where_tokens_differ(teacher: Teacher) -> None:
    nlp = student_of(teacher)
    reference = ferrule.tokens.Doc(nlp.vocab, words=["An", "na"], spaces=[False, False])
    reference.cats = {"ODD": 1.0, "EVEN": 0.0}
    same = _same_tokens(Example(nlp.make_doc("Anna"), reference))
    assert [token.text for token in same.reference] == ["Anna"]
    assert same.reference.cats == reference.cats


def test_any_function_can_teach(tmp_path: Path) -> None:
    labels = ["NNP", "other"]

    def score(docs: list[Any]) -> list[Any]:
        return [
            np.array([[float(w.text[0].isupper()), float(not w.text[0].isupper())] for w in d]) for d in docs
        ]

    registry.misc("tests.capitals.v1", func=lambda: {"tagger": ScoringFunction(labels, score)})
    teacher = load_teacher("tests.capitals.v1")
    config = Config(starting_config("en", ["tagger"], "small"))
    config["corpora"] = config_of()["corpora"]
    config["training"].update(max_steps=60, eval_frequency=30)
    config["training"]["optimizer"]["learn_rate"] = 0.01
    nlp = init_student(config, teacher)
    run(nlp, teacher)
    assert [token.tag_ for token in nlp("Anna saw York")] == ["NNP", "other", "NNP"]


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (lambda docs: [], "0 arrays for 1 documents"),
        (lambda docs: [np.zeros((9, 2))], r"shape \(9, 2\)"),
        (lambda docs: [np.full((1, 2), np.nan)], "not finite"),
    ],
)
def test_scores_of_a_function_are_checked(scores: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ScoringFunction(["A", "B"], scores).teacher_rows([ferrule.blank("en")("Anna")])


def test_labels_of_teacher_and_student_must_agree(teacher: Teacher) -> None:
    nlp = student_of(teacher)
    examples = list(read_annotated()(nlp))
    pipe = nlp.get_pipe("tagger")
    with pytest.raises(LabelError, match="only the teacher has"):
        pipe.distill(ScoringFunction(["X"], lambda docs: [np.ones((len(doc), 1)) for doc in docs]), examples)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"temperatur": 2.0}, "did you mean 'temperature'"),
        ({"temperature": 0.0}, "above 0"),
        ({"gold_share": 1.5}, "between 0 and 1"),
    ],
)
def test_settings_are_checked(section: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DistillationSettings.from_config(Config({"distillation": section}))


def test_a_component_without_teacher_is_named(teacher: Teacher) -> None:
    with pytest.raises(ConfigError, match="'tagger' has no teacher"):
        student_of(Teacher({"textcat": teacher.pipes["textcat"]}, "x"))
    with pytest.raises(ConfigError, match="no teacher of that name"):
        load_teacher("nobody")
