"""Where each token starts and ends in its text, for a whole document at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["token_offsets"]


def token_offsets(doc: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """`(starts, ends)`, int64 (n_tokens,) each: the character offsets of every token in `doc.text`.

    `ends` excludes the space after the token. Asks only for `Doc.to_array(["LENGTH", "SPACY"])`, so it takes
    Ferrule's documents and spaCy's. Two empty arrays for an empty document.

    >>> from ferrule.tokens import Doc
    >>> from ferrule.vocab import Vocab
    >>> starts, ends = token_offsets(Doc(Vocab(), words=["Hello", "you", "!"], spaces=[True, False, False]))
    >>> starts.tolist(), ends.tolist()
    ([0, 6, 9], [5, 9, 10])
    """
    columns = np.asarray(doc.to_array(["LENGTH", "SPACY"])).reshape(-1, 2).astype(np.int64)
    lengths = columns[:, 0]
    steps = lengths + (columns[:, 1] != 0)
    starts = np.cumsum(steps) - steps
    return starts, starts + lengths
