"""Training a student pipeline from a teacher, as the `[distillation]` section of its config says."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any

from ferrule.errors import ConfigError
from ferrule.language import Language, load_from_config
from ferrule.pipeline.teacher_rows import TeacherRows
from ferrule.training.checkpoint import set_seed
from ferrule.training.distillation_settings import DistillationSettings, distillation_section
from ferrule.training.example import Example
from ferrule.training.kept_scores import keep_scores, load_scores
from ferrule.training.loop import run_training
from ferrule.training.outputs import RunFolder
from ferrule.training.roles import check_frozen, check_names
from ferrule.training.settings import TrainingSettings, resolve_corpora
from ferrule.training.teachers import Teacher

if TYPE_CHECKING:
    from thinc.config import Config

    from ferrule._typing import Losses, PathOrStr
    from ferrule.training.report import RunFigures

__all__ = ["DistillationSettings", "distill", "distillation_section", "init_student"]


def init_student(config: Config, teacher: Teacher) -> Language:
    """The student's pipeline, initialized: labels are those of the teacher, sizes come from the corpus.

    Components with a `source` keep their weights; so do frozen ones. Raises ConfigError for a config that
    does not fit together, and for a component that has no teacher.
    """
    nlp = load_from_config(config)
    filled = nlp.config.interpolate()
    settings = DistillationSettings.from_config(filled)
    training = settings.training(filled)
    check_names(nlp, training)
    set_seed(training.seed)
    sourced = [name for name, block in config.get("components", {}).items() if "source" in block]
    corpus = _corpus(filled, settings)
    names = _teachers_of(nlp, teacher, settings, training)
    with (
        nlp.select_pipes(disable=[*training.frozen_components, *sourced]),
        _labels_of_teacher(nlp, {name: teacher.label_data(names[name]) for name in names}),
    ):
        sample = None if training.max_epochs >= 0 else 100
        nlp.initialize(lambda: islice(corpus(nlp), sample), sgd=training.optimizer)
    check_frozen(nlp, training)
    return nlp


def distill(
    nlp: Language,
    teacher: Teacher,
    output_path: PathOrStr | None = None,
    *,
    resume: bool = False,
    stdout: IO[str] | None = None,
    stderr: IO[str] | None = None,
) -> RunFigures:
    """Train `nlp`, initialized by `init_student`, from `teacher`, which stays as it is; gives the figures.

    Models, checkpoint and report are left in `output_path` as by `ferrule.training.loop.train`; Ctrl-C
    and `resume` work as there. With ``scores`` in `[distillation]` the teacher is asked once, and never
    again for the same corpus. A document whose own tokens differ from the gold ones teaches without its gold
    annotation but for categories, which must be there for `textcat` where `gold_share` is not 0.

    Raises ConfigError, ValueError for an empty corpus, StaleScoresError for kept scores of another teacher or
    corpus.
    """
    config = nlp.config.interpolate()
    settings = DistillationSettings.from_config(config)
    training = settings.training(config)
    stdout = stdout or sys.stdout
    corpus = _corpus(config, settings)
    names = _teachers_of(nlp, teacher, settings, training)
    sources = _sources(nlp, teacher, names, settings, corpus, stdout)
    arguments = {name: _arguments(nlp.get_pipe(name), settings) for name in names}
    need_categories = [
        name for name in names if getattr(nlp.get_pipe(name), "support_missing_values", True) is False
    ]

    def teach(batch: list[Example], drop: float, losses: Losses) -> None:
        if settings.gold_share and need_categories:
            _check_categories(batch, need_categories[0])
        nlp.distill(
            sources(batch),
            batch,
            drop=drop,
            sgd=False,
            losses=losses,
            component_cfg=arguments,
            exclude=training.frozen_components,
            annotates=training.annotating_components,
            student_to_teacher=names,
        )

    (dev_corpus,) = resolve_corpora(config, [training.dev_corpus])
    return run_training(
        nlp,
        training,
        corpus,
        dev_corpus,
        folder=RunFolder(output_path, nlp, training, kind="Distillation"),
        resume=resume,
        stdout=stdout,
        stderr=stderr,
        teach=teach,
    )


def _corpus(config: Config, settings: DistillationSettings) -> Callable[[Any], Iterator[Example]]:
    """The examples of all corpora, with the same tokens on both sides, without empty ones."""
    readers = resolve_corpora(config, settings.corpora)

    def read(nlp: Any) -> Iterator[Example]:
        for example in chain.from_iterable(reader(nlp) for reader in readers):
            if len(example.predicted):
                yield _same_tokens(example)

    return read


def _same_tokens(example: Example) -> Example:
    words = [token.text for token in example.predicted]
    if words == [token.text for token in example.reference]:
        return example
    reference = example.predicted.copy()
    reference.cats = dict(example.reference.cats)  # they do not depend on the tokens
    return Example(example.predicted, reference)


def _teachers_of(
    nlp: Language, teacher: Teacher, settings: DistillationSettings, training: TrainingSettings
) -> dict[str, str]:
    """The teacher's component of each component that is to be taught."""
    found = {}
    for name, pipe in nlp.pipeline:
        if name in training.frozen_components or not getattr(pipe, "is_distillable", False):
            continue
        if hasattr(pipe, "listening_components"):  # taught by the components that listen to it
            continue
        theirs = settings.student_to_teacher.get(name, name)
        if theirs not in teacher.pipes:
            raise ConfigError(
                f"the component {name!r} has no teacher: the teacher has {', '.join(teacher.pipes)}, not "
                f"{theirs!r}. Name one in [distillation.student_to_teacher], or name {name!r} in "
                "[training] frozen_components."
            )
        found[name] = theirs
    if not found:
        raise ConfigError(f"none of the components {', '.join(nlp.pipe_names)} can be distilled")
    return found


def _check_categories(batch: list[Example], name: str) -> None:
    """Raise ConfigError for a document without categories: `name` would learn that none applies."""
    for example in batch:
        if not example.reference.cats:
            raise ConfigError(
                f"{name!r} cannot learn from gold annotation of {example.reference.text[:40]!r}, which has "
                "no categories. Leave such texts out of [distillation] corpus, or set gold_share to 0."
            )


Sources = Callable[[list[Example]], "Mapping[str, Any] | Language"]


def _sources(
    nlp: Language,
    teacher: Teacher,
    names: Mapping[str, str],
    settings: DistillationSettings,
    corpus: Callable[[Any], Iterable[Example]],
    stdout: IO[str],
) -> Sources:
    """A function that gives what teaches a batch: kept scores, the teacher's, or the teacher itself."""
    theirs = sorted(set(names.values()))
    without = [name for name in theirs if not teacher.gives_rows(name)]
    if without and (settings.scores or teacher.pipeline is None):
        raise ConfigError(
            f"the scores of {without[0]!r} cannot be kept: the component has no method teacher_rows. Leave "
            "`scores` of [distillation] out."
        )
    if without:
        return lambda batch: teacher.pipeline
    if settings.scores is None:

        def ask(batch: list[Example]) -> dict[str, Any]:
            taught = teacher.teach(theirs, [example.reference for example in batch])
            return {name: _Given(rows) for name, rows in taught.items()}

        return ask

    def docs() -> Iterator[Any]:
        return (example.reference for example in corpus(nlp))

    if (Path(settings.scores) / "scores.json").is_file():
        kept = load_scores(settings.scores, teacher, theirs, docs)
        stdout.write(f"Scores of the teacher: {settings.scores}\n")
    else:
        kept = keep_scores(settings.scores, teacher, theirs, docs, progress=_counter(stdout))
        stdout.write(f"Scores of the teacher, computed: {settings.scores}\n")
    return lambda batch: kept


def _counter(stream: IO[str]) -> Callable[[int], None] | None:
    """Shows in a terminal how many documents the teacher has scored; nothing in a log."""
    if not stream.isatty():
        return None

    def show(n_docs: int) -> None:
        stream.write(f"\rAsking the teacher: {n_docs:,} documents \r")
        stream.flush()

    return show


class _Given:
    """Scores of one batch, as its teacher."""

    def __init__(self, rows: TeacherRows) -> None:
        self._rows = rows

    def teacher_rows(self, docs: Iterable[Any]) -> TeacherRows:
        return self._rows


def _arguments(pipe: Any, settings: DistillationSettings) -> dict[str, Any]:
    """What `pipe.distill` is given: only what differs from its defaults, and only what it knows of."""
    found: dict[str, Any] = {}
    if settings.gold_share:
        found["gold_share"] = settings.gold_share
    takes = inspect.signature(pipe.get_teacher_student_loss).parameters
    if settings.temperature != 1.0 and "temperature" in takes:
        found["temperature"] = settings.temperature
    return found


@contextmanager
def _labels_of_teacher(nlp: Language, labels: Mapping[str, Any]) -> Iterator[None]:
    """While the block runs, the components are initialized with these labels, where the config names none."""
    initialize = nlp.config["initialize"]
    before = initialize.get("components") or {}
    blocks = {name: dict(block) for name, block in before.items()}
    with TemporaryDirectory() as folder:
        for number, (name, data) in enumerate(labels.items()):
            takes = inspect.signature(nlp.get_pipe(name).initialize).parameters
            block = blocks.setdefault(name, {})
            if data is None or "labels" not in takes or "labels" in block:
                continue
            path = (
                Path(folder) / f"{number}.json"
            )  # a label may have dots, which a config cannot hold in a key
            path.write_text(json.dumps(data), encoding="utf8")
            block["labels"] = {"@readers": "spacy.read_labels.v1", "path": str(path)}
        initialize["components"] = blocks
        try:
            yield
        finally:
            initialize["components"] = before
