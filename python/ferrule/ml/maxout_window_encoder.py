"""`spacy.MaxoutWindowEncoder.v2`: convolutions with maxout, layer norm and residual connections."""

from __future__ import annotations

from thinc.api import Maxout, Model, with_array
from thinc.types import Floats2d

from ferrule.ml.window_encoder import residual_windows, window_width
from ferrule.registry import registry

__all__ = ["MaxoutWindowEncoder"]


@registry.architectures("spacy.MaxoutWindowEncoder.v2")
def MaxoutWindowEncoder(
    width: int, window_size: int, maxout_pieces: int, depth: int
) -> Model[list[Floats2d], list[Floats2d]]:
    """Return a layer from float32 (n_tokens, width) to the same shape, for each document of a batch.

    A token sees ``window_size * depth`` tokens on either side. Between documents go as many rows of
    zeros, and those rows pass through every block like tokens do: trained weights count on it.

    >>> MaxoutWindowEncoder(96, window_size=1, maxout_pieces=3, depth=4).attrs["pad"]
    4
    """
    encoder = MaxoutWindowEncoderV1(width, window_size, maxout_pieces, depth)
    # The reach travels as the padding of `with_array` in this version, as an attribute in the first.
    reach = encoder.attrs.pop("receptive_field")
    return with_array(encoder, pad=reach)


@registry.architectures("spacy.MaxoutWindowEncoder.v1")
def MaxoutWindowEncoderV1(
    width: int, window_size: int, maxout_pieces: int, depth: int
) -> Model[Floats2d, Floats2d]:
    """Return the encoder from rows to rows, its reach in tokens in ``attrs["receptive_field"]``.

    >>> MaxoutWindowEncoderV1(96, window_size=1, maxout_pieces=3, depth=4).attrs["receptive_field"]
    4
    """
    transform = Maxout(
        nO=width, nI=window_width(width, window_size), nP=maxout_pieces, dropout=0.0, normalize=True
    )
    encoder = residual_windows(window_size, transform, width=width, depth=depth)
    encoder.attrs["receptive_field"] = window_size * depth
    return encoder
