"""What a training run leaves in its folder: the models, the checkpoint, the report."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ferrule.training.checkpoint import TrainingState, load_run, restore_random, save_run
from ferrule.training.report import RunFigures, versions, write_page

if TYPE_CHECKING:
    from thinc.config import Config

    from ferrule._typing import PathOrStr
    from ferrule.language import Language
    from ferrule.training.settings import TrainingSettings

__all__ = ["BEST_MODEL", "CHECKPOINT", "LAST_MODEL", "RunFolder", "unfinished_step"]

BEST_MODEL = "model-best"
LAST_MODEL = "model-last"
CHECKPOINT = "checkpoint"
REPORT = "report"


def unfinished_step(folder: PathOrStr) -> int | None:
    """The last step of a run in `folder` that is not done; None where there is none."""
    file = Path(folder) / CHECKPOINT / "run.json"
    try:
        state = json.loads(file.read_text(encoding="utf8"))["state"]
        return None if state.get("finished") else int(state["step"]) - 1
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


class RunFolder:
    """The folder of a run; with None for a folder, nothing is saved.

    kind: heads the report. config: what the report shows of the settings, the pipeline's own config for None.
    """

    def __init__(
        self,
        folder: PathOrStr | None,
        nlp: Language,
        settings: TrainingSettings,
        *,
        kind: str = "Training",
        config: Config | None = None,
    ) -> None:
        self.kind = kind
        self.config = config
        self.folder = None if folder is None else Path(folder)
        self.nlp = nlp
        self.settings = settings
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def last_model(self) -> Path | None:
        """Where the last model is, or None."""
        return None if self.folder is None else self.folder / LAST_MODEL

    @property
    def how_to_go_on(self) -> str:
        """What a stopped run tells its user."""
        if self.folder is None:
            return "Nothing was saved, for no output folder was given."
        return f"Everything is saved in {self.folder}; the same command with --resume goes on from there."

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """While the block runs, no other process runs a training in this folder.

        Raises ValueError if one does already. Where the system has no such locks, nothing is checked.
        """
        try:
            import fcntl
        except ImportError:
            yield
            return
        if self.folder is None:
            yield
            return
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ValueError(
                    f"{self.folder}: another run is writing there; wait for its end, or name another folder"
                ) from error
            except OSError:
                pass  # a network drive without locks
            yield
        finally:
            os.close(descriptor)

    def save(self, state: TrainingState, *, is_best: bool) -> None:
        """Save the models with averaged weights, the checkpoint with the plain ones, each whole."""
        if self.folder is None:
            return
        with self.nlp.use_params(self.settings.optimizer.averages or {}):
            prepare = self.settings.before_to_disk
            nlp = prepare(self.nlp) if prepare else self.nlp
            nlp.to_disk(self.folder / LAST_MODEL)
            if is_best:
                nlp.to_disk(self.folder / BEST_MODEL)
        save_run(self.folder / CHECKPOINT, self.nlp, self.settings.optimizer, state)

    def resume(self, batches: Iterator[Any]) -> TrainingState:
        """The state of the checkpoint, with weights, optimizer, random generators and `batches` moved
        there.
        """
        if self.folder is None:
            raise ValueError("train: resume=True needs the output_path of the run that is to go on")
        state, random_state = load_run(self.folder / CHECKPOINT, self.nlp, self.settings.optimizer)
        for _ in range(state.step):
            next(batches, None)
            self.settings.optimizer.step_schedules()
        restore_random(random_state)
        return state

    def figures(self, state: TrainingState) -> RunFigures:
        """The figures of the run so far; scores, labels and confusion are those of the best evaluation."""
        figures = RunFigures(
            title=f"{self.kind} of {self.nlp.meta.get('name') or 'a pipeline'} ({self.nlp.lang})",
            pipeline=list(self.nlp.pipe_names),
            history=state.history,
            confusion=state.best_confusion,
            config=(self.nlp.config if self.config is None else self.config).to_str(),
            versions=versions(),
        )
        figures.set_scores(state.best_scores, state.best_labels)
        return figures

    def report(self, figures: RunFigures) -> None:
        """Write report.html and report.json."""
        if self.folder is not None:
            write_page(figures, self.folder / f"{REPORT}.html")
            figures.to_json(self.folder / f"{REPORT}.json")
