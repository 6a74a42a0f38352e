"""Charts as SVG text, without scripts and without anything from the network."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape

__all__ = ["confusion_chart", "line_chart", "ticks"]

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 12, 34
COLOURS = ("#3b6fb6", "#c8553d", "#3f8f5f", "#8a5aa8", "#b8862b", "#4a9aa8", "#a8487a", "#6b7280")

Series = Mapping[str, Sequence[tuple[float, float]]]


def line_chart(series: Series, *, x_title: str, y_title: str) -> str:
    """A line for each named list of (x, y), with axes, a legend and the values as tooltips.

    Points that are not finite are left out; without any points the chart says so.
    """
    finite = {
        name: [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
        for name, points in series.items()
    }
    every = [point for points in finite.values() for point in points]
    if not every:
        return "<p>Nothing was recorded.</p>"
    x_ticks = ticks(min(x for x, _ in every), max(x for x, _ in every))
    y_ticks = ticks(min(y for _, y in every), max(y for _, y in every))
    to_x = _scale(x_ticks[0], x_ticks[-1], LEFT, WIDTH - RIGHT)
    to_y = _scale(y_ticks[0], y_ticks[-1], HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(y_title)} by {escape(x_title)}">'
    ]
    for value in y_ticks:
        y = to_y(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_number(value)}</text>')
    for value in x_ticks:
        parts.append(
            f'<text x="{to_x(value):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">'
            f"{_number(value)}</text>"
        )
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 4}" text-anchor="end">{escape(x_title)}</text>')
    for number, (name, points) in enumerate(finite.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{to_x(x):.1f},{to_y(y):.1f}" for x, y in points)
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{path}"/>')
        parts += [
            f'<circle cx="{to_x(x):.1f}" cy="{to_y(y):.1f}" r="3" fill="{colour}">'
            f"<title>{escape(name)}, {escape(x_title)} {_number(x)}: {_number(y)}</title></circle>"
            for x, y in points
        ]
    return "\n".join([*parts, "</svg>", _legend(list(finite))])


def confusion_chart(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """A grid with a row for each gold label and a column for each predicted one; darker is more of the row.

    `counts[gold][predicted]`, as long as `labels` both ways.
    """
    if not labels:
        return "<p>Nothing was recorded.</p>"
    cell = max(10, min(36, 560 // len(labels)))
    margin = 8 + 7 * max(len(label) for label in labels)
    side = margin + cell * len(labels) + 4
    parts = [
        f'<svg viewBox="0 0 {side} {side}" style="max-width:{side}px" role="img" aria-label="confusion">'
    ]
    for row, label in enumerate(labels):
        at = margin + cell * row + cell / 2
        parts.append(f'<text x="{margin - 4}" y="{at + 4:.1f}" text-anchor="end">{escape(label)}</text>')
        parts.append(
            f'<text transform="translate({at + 4:.1f},{margin - 4}) rotate(-90)">{escape(label)}</text>'
        )
        total = sum(counts[row]) or 1
        for column, count in enumerate(counts[row]):
            if not count:
                continue
            kind = "right" if row == column else "wrong"
            shade = 0.12 + 0.88 * math.sqrt(count / total)
            parts.append(
                f'<rect class="{kind}" x="{margin + cell * column}" y="{margin + cell * row}" '
                f'width="{cell - 1}" height="{cell - 1}" fill-opacity="{shade:.2f}"><title>'
                f"{escape(label)} taken for {escape(labels[column])}: {count} of {total}</title></rect>"
            )
    return "\n".join([*parts, "</svg>"])


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round values from at most `low` to at least `high`, in even steps, about so many; at least two.

    >>> ticks(0.0, 0.93)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    if high - low < 1e-12 * max(1.0, abs(high)):
        low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    raw = (high - low) / about
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(magnitude * factor for factor in (1, 2, 2.5, 5, 10) if magnitude * factor >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, 1 - math.floor(math.log10(step)))
    return [round(step * number, digits) for number in range(first, last + 1)]


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    return lambda value: start + (value - low) / (high - low) * (end - start)


def _number(value: float) -> str:
    if value and abs(value) < 1e-3:
        return f"{value:.1e}"
    if abs(value) >= 1e4:
        return f"{value / 1e6:g} M" if abs(value) >= 1e6 else f"{value / 1e3:g} k"
    return f"{value:.4g}"


def _legend(names: Sequence[str]) -> str:
    entries = [
        f'<span><i style="background:{COLOURS[number % len(COLOURS)]}"></i>{escape(name)}</span>'
        for number, name in enumerate(names)
    ]
    return f'<p class="legend">{" ".join(entries)}</p>'
