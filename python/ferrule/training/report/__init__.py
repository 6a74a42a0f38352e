"""A run's figures as JSON, and as one HTML page that needs nothing else."""

from __future__ import annotations

from ferrule.training.report.figures import RunFigures, versions
from ferrule.training.report.page import render_page, write_page

__all__ = ["RunFigures", "render_page", "versions", "write_page"]
