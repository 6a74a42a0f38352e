"""Which component writes and needs what, and whether every need is met."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ferrule.pipeline.factories import FactoryMeta

__all__ = ["Analysis", "analyze", "table"]

Analysis = dict[str, dict[str, Any]]


def analyze(metas: Sequence[tuple[str, FactoryMeta]], keys: Sequence[str]) -> Analysis:
    """The summary, problems and attributes of components, in the order they run in.

    >>> analyze([("tagger", FactoryMeta("tagger", assigns=("token.tag",)))], ["assigns"])["summary"]
    {'tagger': {'assigns': ['token.tag']}}
    """
    summary: dict[str, Any] = {}
    problems: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    written: set[str] = set()
    for name, meta in metas:
        summary[name] = {key: _listed(getattr(meta, key)) for key in keys}
        problems[name] = [need for need in meta.requires if need not in written]
        written.update(meta.assigns)
        for role in ("assigns", "requires"):
            for attribute in getattr(meta, role):
                entry = attributes.setdefault(attribute, {"assigns": [], "requires": []})
                entry[role].append(name)
    return {"summary": summary, "problems": problems, "attrs": attributes}


def table(analysis: Analysis, keys: Sequence[str]) -> str:
    """The analysis as text to print."""
    rows = [["#", "Component", *(key.capitalize() for key in keys)]]
    for position, (name, facts) in enumerate(analysis["summary"].items()):
        cells = [facts[key] for key in keys]
        shown = [", ".join(cell) if isinstance(cell, list) else str(cell) for cell in cells]
        rows.append([str(position), name, *shown])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    unmet = {name: needs for name, needs in analysis["problems"].items() if needs}
    for name, needs in unmet.items():
        lines.append(f"{name} needs {', '.join(needs)}, which no earlier component writes")
    if not unmet:
        lines.append("No problems found.")
    return "\n".join(lines)


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
