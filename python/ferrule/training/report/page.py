"""The report as one HTML page: no scripts, nothing from the network."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ferrule.training.report.charts import confusion_chart, line_chart

if TYPE_CHECKING:
    from ferrule._typing import PathOrStr
    from ferrule.training.report.figures import RunFigures

__all__ = ["curves", "page", "render_page", "write_page"]

STYLE = """
:root { color-scheme: light dark; --ink: #1f2733; --soft: #667085; --line: #d8dde6; --paper: #fff; --panel:
#f6f7f9;
  --right: #3f8f5f; --wrong: #c8553d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e5e9f0; --soft: #9aa4b5; --line: #39424f; --paper:
#161b22;
  --panel: #1f2630; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
  max-width: 1080px; padding: 24px; }
h1 { font-size: 24px; margin: 0; } h2 { font-size: 17px; margin: 32px 0 8px; } p { color: var(--soft);
margin: 4px 0; } .facts { display: flex; flex-wrap: wrap; gap: 12px; margin: 16px 0; } .facts div {
background: var(--panel); border-radius: 8px; padding: 10px 16px; min-width: 110px; } .facts b { display:
block; font-size: 20px; } .facts span { color: var(--soft); font-size: 13px; } .charts { display: grid;
grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 24px; } svg { width: 100%; height: auto; }
svg text { font-size: 11px; fill: var(--soft); } .grid { stroke: var(--line); } .right { fill: var(--right);
} .wrong { fill: var(--wrong); } .legend span { margin-right: 14px; } .legend i { display: inline-block;
width: 10px; height: 10px; border-radius: 2px;
  margin-right: 5px; }
table { border-collapse: collapse; } th, td { padding: 3px 14px 3px 0; text-align: right; }
th:first-child, td:first-child { text-align: left; } th { color: var(--soft); font-weight: 600; }
td { border-top: 1px solid var(--line); font-variant-numeric: tabular-nums; }
pre { background: var(--panel); border-radius: 8px; padding: 12px; overflow: auto; font-size: 12.5px; }
"""


def render_page(figures: RunFigures) -> str:
    """The whole page; sections without anything to show are left out."""
    sections = [
        _facts(figures),
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
    return page(figures.title, f"{steps}\n{body}\n<p>{escape(versions)}</p>")


def page(title: str, body: str) -> str:
    """An HTML document of that title around `body`, which is HTML already."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n"
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>\n'
        f"<body><h1>{escape(title)}</h1>\n{body}</body></html>\n"
    )


def write_page(figures: RunFigures, path: PathOrStr) -> None:
    """Write the page to a file; folders are made."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(render_page(figures), encoding="utf8")


def _facts(figures: RunFigures) -> str:
    names = {"speed": "words a second, evaluation"}
    facts = [(names.get(name, name), _percent(name, value)) for name, value in figures.scores.items()]
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
    losses = _series(figures, "losses")
    scores = {
        name: points
        for name, points in _series(figures, "scores").items()
        if name != "speed" and len({value for _, value in points}) > 1  # gold tokens make flat lines
    }
    scores["score"] = [(entry["step"], entry["score"]) for entry in figures.history]
    return (
        '<div class="charts">'
        f"<div><h2>Loss</h2>{line_chart(losses, x_title='step', y_title='loss')}</div>"
        f"<div><h2>Scores</h2>{line_chart(scores, x_title='step', y_title='score')}</div>"
        f"<div><h2>Words a second</h2>{line_chart(_speed(figures), x_title='step', y_title='words a second')}"
        "</div></div>"
    )


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


def _series(figures: RunFigures, kind: str) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {}
    for entry in figures.history:
        for name, value in entry[kind].items():
            found.setdefault(name, []).append((entry["step"], value))
    return found


def _label_table(name: str, rows: list[dict[str, Any]]) -> str:
    counted = all("n" in row for row in rows)
    body = "".join(
        f"<tr><td>{escape(str(row['label']))}</td>"
        + "".join(f"<td>{_percent(key, row.get(key))}</td>" for key in "prf")
        + (f"<td>{row['n']:,}</td><td>{escape(taken_for(row))}</td>" if counted else "")
        + "</tr>"
        for row in rows
    )
    head = "<tr><th>label</th><th>precision</th><th>recall</th><th>F</th>"
    head += "<th>gold</th><th>most often taken for</th></tr>" if counted else "</tr>"
    return f"<h2>{escape(name)}</h2><table>{head}{body}</table>"


def taken_for(row: dict[str, Any]) -> str:
    """The labels a row's label was most often taken for, with their counts."""
    return ", ".join(f"{name} {count}" for name, count in row.get("taken_for", {}).items())


def _data(figures: RunFigures) -> str:
    if not figures.data:
        return ""
    columns = list(dict.fromkeys(key for facts in figures.data.values() for key in facts))
    head = "".join(f"<th>{escape(column)}</th>" for column in ["corpus", *columns])
    rows = "".join(
        f"<tr><td>{escape(name)}</td>"
        + "".join(f"<td>{escape(_plain(facts.get(column)))}</td>" for column in columns)
        + "</tr>"
        for name, facts in figures.data.items()
    )
    return f"<h2>Data</h2><table><tr>{head}</tr>{rows}</table>"


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


def _plain(value: Any) -> str:
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
