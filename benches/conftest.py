"""Prints the ratios that the benchmarks found, one line a comparison, at the end of the run."""

from __future__ import annotations

import platform
from collections.abc import Callable

import pytest

LINES: list[str] = []


@pytest.fixture
def report() -> Callable[[str, dict[str, float], str], None]:
    """Takes `(title, seconds by name, subject)` and keeps a line of how much faster the subject is."""

    def keep(title: str, seconds: dict[str, float], subject: str) -> None:
        own = seconds[subject]
        ratios = "  ".join(f"{name} x{time / own:.2f}" for name, time in seconds.items() if name != subject)
        LINES.append(f"{title:42} {own * 1e3:9.3f} ms   {ratios}")

    return keep


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Writes the kept lines."""
    if LINES:
        terminalreporter.section(
            f"ratios (times as fast as ...) on {platform.processor() or platform.machine()}"
        )
        for line in LINES:
            terminalreporter.write_line(line)
