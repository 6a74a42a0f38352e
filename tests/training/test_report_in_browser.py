"""Pages opened in headless Chromium: the report's charts and the documents' marks are drawn, with a size."""

from __future__ import annotations

import json
import os
import re
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ferrule.cli.document_page import render_documents
from ferrule.tokens import Doc, Span
from ferrule.training.report import RunFigures, render_page
from ferrule.training.report.figures import confusion_of
from ferrule.vocab import Vocab

ROOT = Path(__file__).resolve().parents[2]
TIME_LIMIT = 120  # seconds; it takes one or two, and far more where other work fills the machine

# The page itself has no script; this one only measures what was drawn, and writes it into the page.
MEASURE = """<script>
const size = element => { const box = element.getBoundingClientRect(); return [box.width, box.height]; };
const measured = MEASURED;
const place = document.createElement("pre");
place.id = "measured";
place.textContent = JSON.stringify(measured);
document.body.append(place);
</script>"""
CHARTS = """[...document.querySelectorAll("svg")].map(svg => ({
  label: svg.getAttribute("aria-label"),
  size: size(svg),
  lines: [...svg.querySelectorAll("polyline")].map(line => line.getTotalLength()),
  inside: [...svg.querySelectorAll("polyline, circle, rect")].every(shape => {
    const [outer, inner] = [svg.getBoundingClientRect(), shape.getBoundingClientRect()];
    return inner.left >= outer.left - 1 && inner.right <= outer.right + 1
      && inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;
  }),
  cells: [...svg.querySelectorAll("rect")].filter(cell => size(cell)[0] > 2).length,
  fills: [...svg.querySelectorAll("rect")].map(cell => getComputedStyle(cell).fill),
  texts: [...svg.querySelectorAll("text")].filter(text => text.getBBox().width > 0).length,
}))"""
MARKS = """["mark", ".token", ".unsure", ".cats i"].map(kind => ({
  kind, boxes: [...document.querySelectorAll(kind)].map(size), wide: document.documentElement.scrollWidth,
  colours: [...document.querySelectorAll(kind)].map(each => getComputedStyle(each).backgroundColor),
}))"""


@pytest.fixture(scope="module")
def browser() -> str:
    """A headless Chromium; without one the test is skipped, or fails where `CI` is set."""
    run = subprocess.run([ROOT / "tools" / "browser.sh"], capture_output=True, text=True, check=True)
    found = run.stdout.strip()
    if not found:
        reason = "no headless Chromium was found; see CONTRIBUTING.md, or set FERRULE_BROWSER"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; CI is set, and a missing browser is a failure there")
        pytest.skip(reason)
    return found


def opened(
    browser: str, page: str, folder: Path, measured: str = CHARTS, width: int = 1200
) -> list[dict[str, Any]]:
    """What the browser drew of `page`: its charts, in order, or what else is to be `measured`."""
    file = folder / "page.html"
    script = MEASURE.replace("MEASURED", measured)
    file.write_text(page.replace("</body>", script + "</body>"), encoding="utf8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},2400", "--dump-dom"]
    profile = f"--user-data-dir={folder / 'profile'}"
    run = subprocess.run(
        [browser, *options, profile, "--host-resolver-rules=MAP * ~NOTFOUND", file.as_uri()],
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
        check=True,
    )
    text = re.search(r'<pre id="measured">(.*?)</pre>', run.stdout, re.DOTALL)
    assert text, f"the page did not come up: {run.stderr[-500:]}"
    drawn: list[dict[str, Any]] = json.loads(unescape(text.group(1)))
    return drawn


def figures() -> RunFigures:
    figures = RunFigures("A run", ["tok2vec", "tagger"])
    for step, score in ((0, 0.2), (20, 0.7), (40, 0.9), (60, 0.8)):
        figures.history.append(
            {
                "step": step,
                "epoch": 0,
                "seconds": 1.0 + step,
                "words": 100 * step + step**2,
                "score": score,
                "losses": {"tok2vec": 3.0, "tagger": 10.0 / (1 + step)},
                "scores": {"tag_acc": score},
            }
        )
    figures.confusion["tags"] = confusion_of(["VB", "NN"], [[3, 0], [1, 4]])
    return figures


def test_the_charts_of_a_report_are_drawn(browser: str, tmp_path: Path) -> None:
    charts = opened(browser, render_page(figures()), tmp_path)
    assert [chart["label"] for chart in charts] == [
        "loss by step",
        "score by step",
        "words a second by step",
        "confusion",
    ]
    loss, scores, speed, confusion = charts
    for chart in charts:
        assert min(chart["size"]) > 50, chart
        assert chart["inside"], chart
    for chart, n_lines in ((loss, 2), (scores, 2), (speed, 1)):
        assert len(chart["lines"]) == n_lines
        assert min(chart["lines"]) > 100
        assert chart["texts"] > 4
    assert confusion["cells"] == 3
    assert len(set(confusion["fills"])) == 2  # right and wrong differ
    assert confusion["texts"] == 4


def test_a_page_without_charts_is_seen_as_such(browser: str, tmp_path: Path) -> None:
    assert opened(browser, render_page(RunFigures("Empty", [])), tmp_path) == []


@pytest.mark.parametrize("width", [500, 1200])
def test_entities_tags_and_categories_of_documents_are_drawn(
    browser: str, tmp_path: Path, width: int
) -> None:
    words = ["Anna", "Berg", "left", "Ely", "with-a-very-long-word-" * 8]
    doc = Doc(Vocab(), words=words, tags=["NNP", "NNP", "VBD", "NNP", "NN"])
    doc.set_ents([Span(doc, 0, 2, label="PERSON"), Span(doc, 3, 4, label="PLACE")])
    doc.cats = {"NEWS": 0.9, "SPORT": 0.1}
    probabilities = np.array([[1.0, 0.0], [0.3, 0.7], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    doc.activations = {"tagger": {"probabilities": probabilities, "label_ids": np.array([0, 1, 0, 0, 0])}}
    drawn = opened(browser, render_documents([doc], "One"), tmp_path, MARKS, width)
    found = {each["kind"]: each for each in drawn}
    assert [len(found[kind]["boxes"]) for kind in found] == [2, 5, 1, 2]
    assert min(min(box) for kind in ("mark", ".token", ".unsure") for box in found[kind]["boxes"]) > 8
    first, second = found[".cats i"]["boxes"]
    assert first[0] > 5 * second[0] > 0
    assert len(set(found["mark"]["colours"])) == 2
    assert found["mark"]["wide"] <= width  # nothing sticks out
