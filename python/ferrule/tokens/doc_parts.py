"""Documents made of other documents: copies, slices, and several as one."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ferrule.tokens.doc import Doc

#: What hangs on a document, and how a copy takes it over.
_COPIERS = {
    "_cats": copy.deepcopy,
    "_user_data": copy.copy,
    "_tensor": np.copy,
    "_activations": copy.copy,
    "_sentiment": copy.copy,
    "_user_hooks": dict,
    "_user_token_hooks": dict,
    "_user_span_hooks": dict,
}


def copy_doc(doc: Doc) -> Doc:
    """See `Doc.copy`."""
    other = type(doc).__new__(type(doc), doc.vocab)
    other._copy_columns(doc)
    for name, copied in _COPIERS.items():
        value = getattr(doc, name, None)
        if value is not None:
            setattr(other, name, copied(value))  # type: ignore[operator]
    if getattr(doc, "_spans", None):
        other._spans = doc.spans.copy(doc=other)
    return other
