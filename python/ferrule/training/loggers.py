"""What a training run shows: a table of scores, a progress bar in a terminal, and a file of JSON lines.

A logger is a function that the config makes. Called as `logger(nlp, stdout, stderr)` when training starts,
it returns two functions: `log_step(info)`, called after every update with the step's figures at an
evaluation and None between evaluations, and `finalize()`, called once at the end, also after an error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from ferrule.registry import registry

if TYPE_CHECKING:
    from ferrule.language import Language

__all__ = ["console_logger", "console_logger_v1", "console_logger_v2", "console_logger_v3"]

LogStep = Callable[["dict[str, Any] | None"], None]
Logger = Callable[["Language", IO[str], IO[str]], "tuple[LogStep, Callable[[], None]]"]
BarKind = Literal["train", "eval"]


@registry.loggers("spacy.ConsoleLogger.v1")
def console_logger_v1(progress_bar: bool = False) -> Logger:
    """A table of scores, and on request a bar that fills up to the next evaluation."""
    return console_logger("eval" if progress_bar else None)


@registry.loggers("spacy.ConsoleLogger.v2")
def console_logger_v2(
    progress_bar: bool = False, console_output: bool = True, output_file: str | None = None
) -> Logger:
    """As v1; the table can be left out, and evaluations be written as JSON lines to `output_file`."""
    return console_logger("eval" if progress_bar else None, console_output, output_file)


@registry.loggers("spacy.ConsoleLogger.v3")
def console_logger_v3(
    progress_bar: BarKind | None = None, console_output: bool = True, output_file: str | None = None
) -> Logger:
    """As v2; the bar fills up to the next evaluation ("eval") or to the last step ("train")."""
    return console_logger(progress_bar, console_output, output_file)


@registry.loggers("ferrule.ConsoleLogger.v1")
def console_logger(
    progress_bar: BarKind | None = "train", console_output: bool = True, output_file: str | None = None
) -> Logger:
    """Ferrule's default: the table, and a progress bar where the output is a terminal.

    `output_file` gets one JSON object an evaluation, appended, with the keys that `log_step` is given.
    """

    def start(
        nlp: Language, stdout: IO[str] = sys.stdout, stderr: IO[str] = sys.stderr
    ) -> tuple[LogStep, Callable[[], None]]:
        table = _Table(nlp)
        if console_output:
            stdout.write(table.head())
            stdout.flush()
        bar = _bar(nlp, progress_bar, stderr) if progress_bar and console_output else None

        def log_step(info: dict[str, Any] | None) -> None:
            if bar:
                bar.advance()
            if info is None:
                return
            if output_file is not None:
                _append_json(Path(output_file), info)
            if console_output:
                if bar:
                    bar.clear()
                stdout.write(table.row(info))
                stdout.flush()
                if bar:
                    bar.restart(info["step"] + 1)

        def finalize() -> None:
            if bar:
                bar.clear()

        return log_step, finalize

    return start


class _Table:
    """The rows of the score table: epoch, step, losses, the weighted scores, the total, words a second."""

    def __init__(self, nlp: Language) -> None:
        weights = nlp.config["training"].get("score_weights") or {}
        frozen = set(nlp.config["training"].get("frozen_components") or ())
        self.losses = [
            name
            for name, component in nlp.pipeline
            if getattr(component, "is_trainable", False) and name not in frozen
        ]
        self.scores = [name for name, weight in weights.items() if weight is not None]
        self.titles = [
            "E",
            "#",
            *(f"LOSS {name.upper()}" for name in self.losses),
            *(name.upper() for name in self.scores),
            "SCORE",
            "WORDS/S",
        ]
        self.widths = [3, 6, *(max(len(title), 8) for title in self.titles[2:])]

    def head(self) -> str:
        return self._line(self.titles) + self._line(["-" * width for width in self.widths])

    def row(self, info: dict[str, Any]) -> str:
        scores = info["other_scores"]
        speed = info["words"] / info["seconds"] if info["seconds"] else None
        cells = [
            str(info["epoch"]),
            str(info["step"]),
            *(_number(info["losses"].get(name), 2) for name in self.losses),
            *(_number(scores.get(name), 2, scale=1 if name == "speed" else 100) for name in self.scores),
            _number(info["score"], 4),
            _number(speed, 0),
        ]
        return self._line(cells)

    def _line(self, cells: list[str]) -> str:
        return "  ".join(cell.rjust(width) for cell, width in zip(cells, self.widths, strict=True)) + "\n"


def _number(value: Any, digits: int, scale: float = 1.0) -> str:
    return f"{value * scale:.{digits}f}" if isinstance(value, (int, float)) else "-"


class _Bar:
    """A progress bar on a terminal, drawn by rich."""

    def __init__(self, total: int | None, each_evaluation: bool, stream: IO[str]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.total = total
        self.each_evaluation = each_evaluation
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("steps, left:"),
            TimeRemainingColumn(),
            console=Console(file=stream, force_terminal=True),
            transient=True,
        )
        self.task = self.progress.add_task("Training", total=total)
        self.progress.start()

    def advance(self) -> None:
        self.progress.advance(self.task)

    def clear(self) -> None:
        self.progress.stop()

    def restart(self, n_steps: int) -> None:
        """Go on below a row of the table; `n_steps` are done, those before a resumed run included."""
        if self.each_evaluation:
            self.progress.reset(self.task, total=self.total)
        else:
            self.progress.update(self.task, completed=n_steps)
        self.progress.start()


def _bar(nlp: Language, kind: BarKind, stream: IO[str]) -> _Bar | None:
    """A bar where `stream` is a terminal, else None: a log file gets plain lines."""
    if not stream.isatty():
        return None
    settings = nlp.config["training"]
    steps, every = settings.get("max_steps") or None, settings.get("eval_frequency")
    each_evaluation = kind == "eval" or steps is None
    total = (
        every if each_evaluation or steps is None else steps + 1
    )  # the step numbered max_steps is taken too
    return _Bar(total, each_evaluation, stream)


def _append_json(path: Path, info: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf8") as file:
        file.write(json.dumps(info, default=float) + "\n")
