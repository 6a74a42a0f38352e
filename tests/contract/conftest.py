"""Keeps the torch component out of doctest collection where torch is not installed."""

from __future__ import annotations

import importlib.util

collect_ignore = [] if importlib.util.find_spec("torch") is not None else ["torch_component.py"]
