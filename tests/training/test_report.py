"""The report page: whole, self-contained, and showing what it was given."""

from __future__ import annotations

import itertools
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ferrule.training.report import RunFigures, render_page, write_page
from ferrule.training.report.charts import confusion_chart, line_chart, ticks
from ferrule.training.report.figures import MOST_LABELS, confusion_of


class Balance(HTMLParser):
    """Fails on a tag that is closed without being open, or left open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def figures() -> RunFigures:
    figures = RunFigures("A <run> & more", ["tok2vec", "tagger"], config="[training]\nseed = 0")
    for step, score in ((0, 0.2), (20, 0.7), (40, 0.7)):
        figures.history.append(
            {
                "step": step,
                "epoch": 0,
                "seconds": 1.0 + step,
                "words": 100 * step,
                "score": score,
                "losses": {"tagger": 10.0 / (1 + step)},
                "scores": {"tag_acc": score},
            }
        )
    figures.set_scores(
        {"tag_acc": 0.7, "speed": 12345.6, "tag_per_type": {"NN": {"p": 1, "r": 0.5, "f": 2 / 3}}},
        {"tags": [{"label": "VB", "p": 0.5, "r": 0.25, "f": 1 / 3, "n": 1234, "taken_for": {"NN": 7}}]},
    )
    figures.confusion["tagger"] = confusion_of(["VB", "NN"], [[1, 0], [1, 1]])
    figures.data = {"train": {"documents": 1000, "tokens": 9999}, "dev": {"documents": 10}}
    return figures


def test_the_page_is_well_formed_and_asks_the_network_for_nothing(figures: RunFigures) -> None:
    page = render_page(figures)
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    assert not re.search(r"https?://|<script|<link|@import|url\(", page)


def test_text_from_outside_is_escaped(figures: RunFigures) -> None:
    page = render_page(figures)
    assert "A &lt;run&gt; &amp; more" in page
    assert "<run>" not in page


def test_the_page_shows_curves_scores_labels_data_and_config(figures: RunFigures) -> None:
    page = render_page(figures)
    assert page.count("<polyline") == 1 + 2 + 1
    for text in (
        "70.00 %",
        "12,346",
        "66.67<",
        "NN taken for VB: 1 of 2",
        "9,999",
        "seed = 0",
        "1,234",
        "NN 7",
    ):
        assert text in page


def test_the_best_is_the_earliest_of_equals(figures: RunFigures) -> None:
    assert figures.best is not None
    assert figures.best["step"] == 20


def test_json_has_the_same_figures(figures: RunFigures, tmp_path: Path) -> None:
    figures.to_json(tmp_path / "new" / "report.json")
    saved = json.loads((tmp_path / "new" / "report.json").read_text())
    assert saved["history"] == figures.history
    assert saved["labels"] == figures.labels
    assert saved["confusion"]["tagger"]["counts"] == [[1, 1], [0, 1]]
    write_page(figures, tmp_path / "new" / "report.html")
    assert (tmp_path / "new" / "report.html").read_text(encoding="utf8") == render_page(figures)


def test_an_empty_run_still_gives_a_page() -> None:
    page = render_page(RunFigures("Empty", []))
    assert "<h1>Empty</h1>" in page
    assert "<svg" not in page


@pytest.mark.parametrize("span", [(0.0, 0.93), (3.2, 3.2), (0.0, 0.0), (-1.0, 1.0), (1e-5, 3e-5), (5.0, 7e6)])
def test_ticks_are_even_and_enclose_the_values(span: tuple[float, float]) -> None:
    values = ticks(*span)
    steps = [right - left for left, right in itertools.pairwise(values)]
    assert values[0] <= span[0] <= span[1] <= values[-1]
    assert 2 <= len(values) <= 12
    assert max(steps) == pytest.approx(min(steps))


def test_points_that_are_not_finite_are_left_out() -> None:
    chart = line_chart({"a": [(0, float("nan")), (1, 2.0), (2, float("inf"))]}, x_title="x", y_title="y")
    assert chart.count("<circle") == 1
    assert "nan" not in chart
    assert line_chart({"a": []}, x_title="x", y_title="y") == "<p>Nothing was recorded.</p>"


def test_rare_labels_are_counted_together() -> None:
    labels = [f"L{number:02}" for number in range(50)]
    counts = [[50 - gold if gold == predicted else 0 for predicted in range(50)] for gold in range(50)]
    confusion = confusion_of(labels, counts)
    assert confusion["labels"] == [*labels[: MOST_LABELS - 1], "other"]
    assert sum(map(sum, confusion["counts"])) == sum(map(sum, counts))
    assert confusion_chart(confusion["labels"], confusion["counts"]).count('class="right"') == MOST_LABELS


def test_the_loss_is_shown_as_the_mean_of_a_step(figures: RunFigures) -> None:
    for entry, loss in zip(figures.history, (3.0, 40.0, 20.0), strict=True):
        entry["losses"] = {"tagger": loss}  # sums over 1, 20 and 20 steps
    page = render_page(figures)
    for step, mean in ((0, 3), (20, 2), (40, 1)):
        assert f"<title>tagger, step {step}: {mean}</title>" in page
