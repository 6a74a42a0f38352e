"""The report as one HTML page: no scripts, nothing from the network."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ferrule.storage import write_whole
from ferrule.training.report.charts import confusion_chart, line_chart

if TYPE_CHECKING:
    from ferrule._typing import PathOrStr
    from ferrule.training.report.figures import RunFigures

__all__ = ["curves", "page", "render_page", "write_page"]

STYLE = resources.files("ferrule.training.report").joinpath("page.css").read_text("utf8")

DETAILS = re.compile(r"token_.*|cats_(micro|macro)_.*|.*_[pr]")
"""Scores that another one sums up: they stand in the table of all scores, not on top and in the chart."""


def render_page(figures: RunFigures) -> str:
    """The whole page; sections without anything to show are left out."""
    sections = [
        _facts(figures),
        _all_scores(figures),
        curves(figures),
        *(_label_table(name, rows) for name, rows in figures.labels.items() if rows),
        *(
            f"<h2>{escape(name)}: what was taken for what</h2><p>Rows are gold, columns predicted.</p>"
            + confusion_chart(matrix["labels"], matrix["counts"])
            for name, matrix in figures.confusion.items()
        ),
        _data(figures),
        _config(figures),
    ]
    versions = ", ".join(f"{name} {version}".strip() for name, version in figures.versions.items())
    body = "\n".join(section for section in sections if section)
    steps = f"<p>{escape(' → '.join(figures.pipeline))}</p>"
    if figures.stopped:
        steps += f"<p>{escape(figures.stopped)}</p>"
    return page(figures.title, f"{steps}\n{body}\n<p>{escape(versions)}</p>")


def page(title: str, body: str, style: str = "") -> str:
    """An HTML document of that title around `body`, which is HTML already; `style` adds to its CSS."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>\n{STYLE}{style}</style></head>\n"
        f"<body><h1>{escape(title)}</h1>\n{body}</body></html>\n"
    )


def write_page(figures: RunFigures, path: PathOrStr) -> None:
    """Write the page to a file; folders are made."""
    write_whole(path, render_page(figures))


def _facts(figures: RunFigures) -> str:
    names = {"speed": "words a second, evaluation"}
    facts = [(names.get(name, name), _percent(name, figures.scores[name])) for name in _main(figures.scores)]
    best = figures.best
    if best is not None:
        last = figures.history[-1]
        facts = [("best score", f"{best['score']:.4f}"), ("at step", str(best["step"])), *facts]
        if last["seconds"]:
            facts.append(("words a second, training", f"{last['words'] / last['seconds']:,.0f}"))
            facts.append(("training time", f"{last['seconds']:.0f} s"))
    boxes = "".join(f"<div><b>{escape(value)}</b><span>{escape(name)}</span></div>" for name, value in facts)
    return f'<div class="facts">{boxes}</div>' if boxes else ""


def curves(figures: RunFigures) -> str:
    """Loss, scores and throughput by step as charts; empty without history."""
    if not figures.history:
        return ""
    losses = _losses(figures)
    scores = {name: points for name, points in _series(figures, "scores").items() if name != "speed"}
    scores = {name: scores[name] for name in _main(scores)}
    scores["score"] = [(entry["step"], entry["score"]) for entry in figures.history]
    return (
        '<div class="charts">'
        f"<div><h2>Loss a step</h2>{line_chart(losses, x_title='step', y_title='loss')}</div>"
        f"<div><h2>Scores</h2>{line_chart(scores, x_title='step', y_title='score')}</div>"
        f"<div><h2>Words a second</h2>{line_chart(_speed(figures), x_title='step', y_title='words a second')}"
        "</div></div>"
    )


def _main(scores: Iterable[str]) -> list[str]:
    """The names without those that another one sums up; all where nothing else is there."""
    names = list(scores)
    return [name for name in names if not DETAILS.fullmatch(name)] or names


def _speed(figures: RunFigures) -> dict[str, list[tuple[float, float]]]:
    """Words a second since the evaluation before, in training, and in each evaluation."""
    training, evaluation = [], []
    seconds, words = 0.0, 0
    for entry in figures.history:
        if words and entry["seconds"] > seconds:
            training.append((entry["step"], (entry["words"] - words) / (entry["seconds"] - seconds)))
        seconds, words = entry["seconds"], entry["words"]
        if "speed" in entry["scores"]:
            evaluation.append((entry["step"], entry["scores"]["speed"]))
    found = {"training (with evaluations)": training, "evaluation": evaluation}
    return {name: points for name, points in found.items() if points}


def _losses(figures: RunFigures) -> dict[str, list[tuple[float, float]]]:
    """The mean of each step since the evaluation before; the history has sums."""
    steps = [-1, *(entry["step"] for entry in figures.history)]
    n_steps = {step: max(1, step - before) for before, step in pairwise(steps)}
    return {
        name: [(step, value / n_steps[int(step)]) for step, value in points]
        for name, points in _series(figures, "losses").items()
    }


def _series(figures: RunFigures, kind: str) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for entry in figures.history:
        for name, value in entry[kind].items():
            found.setdefault(name, []).append((entry["step"], value))
    return found


def _all_scores(figures: RunFigures) -> str:
    if len(figures.scores) == len(_main(figures.scores)):
        return ""
    rows = [[escape(name), _percent(name, value)] for name, value in figures.scores.items()]
    return f"<details><summary>All scores</summary>{_table(['score', ''], rows)}</details>"


def _label_table(name: str, rows: list[dict[str, Any]]) -> str:
    counted = all("n" in row for row in rows)
    head = ["label", "precision %", "recall %", "F %"]
    cells = [[escape(str(row["label"])), *(_plain_percent(row.get(key)) for key in "prf")] for row in rows]
    if counted:
        head += ["gold", "most often taken for"]
        for row, own in zip(rows, cells, strict=True):
            own += [f"{row['n']:,}", escape(taken_for(row))]
    return f"<h2>{escape(name)}</h2>{_table(head, cells, words=(5,))}"


def _table(head: list[str], rows: list[list[str]], words: tuple[int, ...] = ()) -> str:
    """A table of cells that are HTML already; the first column and `words` stand left, numbers right."""

    def line(cells: list[str], tag: str) -> str:
        return "".join(
            f'<{tag} class="words">{cell}</{tag}>' if place in words else f"<{tag}>{cell}</{tag}>"
            for place, cell in enumerate(cells)
        )

    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{line(head, "th")}</tr>{body}</table></div>'


def taken_for(row: dict[str, Any]) -> str:
    """The labels a row's label was most often taken for, with their counts."""
    return ", ".join(f"{name} {count}" for name, count in row.get("taken_for", {}).items())


def _data(figures: RunFigures) -> str:
    if not figures.data:
        return ""
    columns = list(dict.fromkeys(key for facts in figures.data.values() for key in facts))
    rows = [
        [escape(name), *(escape(_plain(facts.get(column))) for column in columns)]
        for name, facts in figures.data.items()
    ]
    return f"<h2>Data</h2>{_table(['corpus', *map(escape, columns)], rows)}"


def _config(figures: RunFigures) -> str:
    if not figures.config:
        return ""
    return (
        "<h2>Config</h2><details><summary>Every setting</summary>"
        f"<pre>{escape(figures.config)}</pre></details>"
    )


def _percent(name: str, value: Any) -> str:
    if not isinstance(value, (int, float)):
        return "–"
    return f"{value:,.0f}" if name == "speed" else f"{100 * value:.2f} %"


def _plain_percent(value: Any) -> str:
    return f"{100 * value:.2f}" if isinstance(value, (int, float)) else "–"


def _plain(value: Any) -> str:
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
