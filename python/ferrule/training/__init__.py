"""Training data: examples, alignment, corpora, batches, augmentation; and the training loop.

The public names are spaCy's. Each is imported when it is first asked for, so that `import ferrule` stays fast
and a low room can be imported without the ones above it.

>>> from ferrule.training import iob_to_biluo
>>> iob_to_biluo(["B-LOC", "I-LOC", "O"])
['B-LOC', 'L-LOC', 'O']
"""

from __future__ import annotations

import importlib
from typing import Any

_MODULES: dict[str, tuple[str, ...]] = {
    "alignment": ("Alignment",),
    "alignment_array": ("AlignmentArray",),
    "augment": (
        "create_combined_augmenter",
        "create_lower_casing_augmenter",
        "create_orth_variants_augmenter",
        "dont_augment",
        "orth_variants_augmenter",
    ),
    "batchers": ("minibatch", "minibatch_by_padded_size", "minibatch_by_words"),
    "corpus": ("Corpus", "JsonlCorpus", "PlainTextCorpus"),
    "example": ("Example", "validate_examples", "validate_get_examples"),
    "misalignment": ("MisalignmentReport", "report_misalignment"),
    "iob_utils": (
        "biluo_tags_from_offsets",
        "biluo_tags_to_offsets",
        "biluo_tags_to_spans",
        "biluo_to_iob",
        "doc_to_biluo_tags",
        "iob_to_biluo",
        "offsets_from_biluo_tags",
        "offsets_to_biluo_tags",
        "remove_bilu_prefix",
        "spans_from_biluo_tags",
        "split_bilu_label",
        "tags_to_entities",
    ),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'ferrule.training' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"ferrule.training.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
