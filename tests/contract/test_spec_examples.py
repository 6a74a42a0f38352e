"""Every Python example of the specification runs, with its placeholder names made real.

The examples lost their indentation and say `spacy`; both are put back. Where an example and its table
disagree the table decides; `TABLE_DECIDES` lists those places.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from thinc.api import Model, fix_random_seed
from user_components import short_and_long_words
from word_length_tagger import WordLengthTagger, length_model

import ferrule

SPECIFICATION = Path(__file__).resolve().parents[3] / "shared" / "spec" / "trainable-pipe.md"
SECTION = re.compile(r"^## (?P<title>.*?) \{id=\"(?P<id>[^\"]+)\"", re.MULTILINE)
EXAMPLE = re.compile(r"^> ```python\n(?P<code>(?:>.*\n)+?)> ```$", re.MULTILINE)
TABLE_DECIDES = {
    "initialize(lambda: [], pipeline=nlp.pipeline)": "initialize(lambda: [], nlp=nlp)",
    "student.distill(teacher_pipe": "student_pipe.distill(teacher_pipe",
}
PLACEHOLDERS = {
    "from spacy.": "from ferrule.",
    "(TrainablePipe):": "(ReadyPipe):",
    '"ner"': '"your_custom_pipe"',
    '"/': 'folder + "/',
}


def examples_of_specification() -> dict[str, str]:
    """Section and number -> code, as it can run; empty where the specification is not at hand."""
    if not SPECIFICATION.is_file():
        return {}
    text = SPECIFICATION.read_text("utf8")
    starts = [(match.start(), match["id"]) for match in SECTION.finditer(text)]
    found: dict[str, str] = {}
    for match in EXAMPLE.finditer(text):
        section = [name for start, name in starts if start < match.start()][-1]
        number = sum(name.split(" ")[0] == section for name in found) + 1
        found[f"{section} {number}"] = made_real(match["code"])
    return found


def made_real(quoted: str) -> str:
    lines, indented = [], False
    for line in re.sub(r"^> ?", "", quoted, flags=re.MULTILINE).splitlines():
        indented = indented and bool(line.strip())
        lines.append(f"    {line.strip()}" if indented else line)
        indented = indented or line.endswith(":")
    code = "\n".join(lines)
    for written, meant in {**TABLE_DECIDES, **PLACEHOLDERS}.items():
        code = code.replace(written, meant)
    return code


EXAMPLES = examples_of_specification()


class ReadyPipe(WordLengthTagger):
    """What the examples leave out as `...`: a component that can predict at once."""

    def __init__(self, vocab: Any, model: Model[Any, Any], name: str, **cfg: Any) -> None:
        super().__init__(vocab, model, name, labels=["SHORT", "LONG"], **cfg)
        self.model.initialize()


@ferrule.registry.architectures("specification.Ready.v1")
def ready_model() -> Model[Any, Any]:
    return length_model()


@pytest.fixture(scope="module")
def your_custom_pipe(shared_data: Path) -> str:
    """The factory that the specification's first example registers."""
    assert EXAMPLES, f"no example found in {SPECIFICATION}"
    namespace = {"ReadyPipe": ReadyPipe, "MODEL": {"@architectures": "specification.Ready.v1"}}
    exec(EXAMPLES["init 1"], namespace)  # noqa: S102  the specification is ours
    return "your_custom_pipe"


def surroundings(section: str, folder: Path) -> dict[str, Any]:
    """The names that an example uses without saying what they are."""
    fix_random_seed(0)
    nlp, teacher, student = (ferrule.blank("en") for _ in range(3))
    if section.startswith("get_teacher_student_loss"):
        teacher.add_pipe("your_custom_pipe")
    examples = short_and_long_words(nlp)
    docs = [example.predicted for example in examples]
    optimizer = nlp.create_optimizer()
    names: dict[str, Any] = {"nlp": nlp, "teacher": teacher, "student": student, "examples": examples}
    names.update(docs=docs, doc1=docs[0], doc2=docs[1], optimizer=optimizer, sgd=optimizer)
    names.update(folder=str(folder), custom_model=length_model())
    if section not in CALLS_ADD_PIPE:
        names["pipe"] = nlp.add_pipe("your_custom_pipe")
    if section.startswith("from_bytes"):
        names["pipe"] = ferrule.blank("en").add_pipe("your_custom_pipe")
    if section.startswith("from_disk"):
        ferrule.blank("en").add_pipe("your_custom_pipe").to_disk(folder / "path" / "to" / "pipe")
    return names


CALLS_ADD_PIPE = frozenset(
    section for section, code in EXAMPLES.items() if re.search(r"(?<!\w)nlp\.add_pipe\(", code)
)

# What must hold after an example, beyond that it ran.
AFTERWARDS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "call 1": lambda names: names["processed"] is names["doc"],
    "predict 1": lambda names: [len(rows) for rows in names["scores"]] == [5, 6],
    "set_annotations 1": lambda names: all(token.tag_ for doc in names["docs"] for token in doc),
    "update 1": lambda names: names["losses"]["your_custom_pipe"] > 0,
    "distill 1": lambda names: names["losses"]["your_custom_pipe"] >= 0,
    "get_loss 1": lambda names: names["loss"] > 0,
    "add_label 1": lambda names: "MY_LABEL" in names["pipe"].labels,
    "is_resizable 1": lambda names: names["can_resize"] is False,
    "to_disk 1": lambda names: (Path(names["folder"]) / "path/to/pipe/model").is_file(),
    "use_params 1": lambda names: (Path(names["folder"]) / "best_model/model").is_file(),
}


@pytest.mark.parametrize("section", EXAMPLES or ["the specification"])
def test_an_example_of_the_specification_runs(your_custom_pipe: str, section: str, tmp_path: Path) -> None:
    if section == "init 1":
        assert isinstance(ferrule.blank("en").add_pipe(your_custom_pipe), ReadyPipe)
        return
    names = surroundings(section, tmp_path)
    exec(EXAMPLES[section], names)  # noqa: S102
    assert AFTERWARDS.get(section, lambda names: True)(names)


def test_every_example_is_there(shared_data: Path) -> None:
    text = SPECIFICATION.read_text("utf8")
    assert len(EXAMPLES) == text.count("> ```python")
    assert AFTERWARDS.keys() <= EXAMPLES.keys()
    for written in TABLE_DECIDES:
        assert written in text
