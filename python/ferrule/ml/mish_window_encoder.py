"""`spacy.MishWindowEncoder.v2`: convolutions with mish activation, layer norm and residual connections."""

from __future__ import annotations

from thinc.api import Mish, Model, with_array
from thinc.types import Floats2d

from ferrule.ml.window_encoder import residual_windows, window_width
from ferrule.registry import registry

__all__ = ["MishWindowEncoder"]


@registry.architectures("spacy.MishWindowEncoder.v2")
def MishWindowEncoder(width: int, window_size: int, depth: int) -> Model[list[Floats2d], list[Floats2d]]:
    """Return a layer from float32 (n_tokens, width) to the same shape, for each document of a batch.

    As in spaCy, no padding separates the documents of a batch here, so the first and last tokens of a
    document see their neighbours in the batch.

    >>> MishWindowEncoder(96, window_size=1, depth=4).attrs["pad"]
    0
    """
    return with_array(MishWindowEncoderV1(width, window_size, depth))


@registry.architectures("spacy.MishWindowEncoder.v1")
def MishWindowEncoderV1(width: int, window_size: int, depth: int) -> Model[Floats2d, Floats2d]:
    """Return the encoder from rows to rows.

    >>> MishWindowEncoderV1(96, window_size=1, depth=4).get_dim("nO")
    96
    """
    transform = Mish(nO=width, nI=window_width(width, window_size), dropout=0.0, normalize=True)
    return residual_windows(window_size, transform, width=width, depth=depth)
