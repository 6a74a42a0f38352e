"""Documents, tokens, spans, and the formats they are kept in."""

from __future__ import annotations

from ferrule.tokens.doc import Doc
from ferrule.tokens.docbin import DocBin
from ferrule.tokens.docbin_writer import DocBinWriter
from ferrule.tokens.morphanalysis import MorphAnalysis
from ferrule.tokens.span import Span
from ferrule.tokens.span_group import SpanGroup
from ferrule.tokens.span_groups import SpanGroups
from ferrule.tokens.token import Token

__all__ = ["Doc", "DocBin", "DocBinWriter", "MorphAnalysis", "Span", "SpanGroup", "SpanGroups", "Token"]
