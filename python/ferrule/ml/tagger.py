"""`spacy.Tagger.v2`: a softmax over labels for each token."""

from __future__ import annotations

from typing import Any

from thinc.api import Model, Softmax_v2, chain, with_array, zero_init
from thinc.types import Floats2d

from ferrule.ml.fused import fuse
from ferrule.ml.resize import resize_output
from ferrule.registry import registry

__all__ = ["Tagger"]


@registry.architectures("spacy.Tagger.v2")
def Tagger(
    tok2vec: Model[list[Any], list[Floats2d]], nO: int | None = None, normalize: bool = False
) -> Model[list[Any], list[Floats2d]]:
    """Return a layer from documents to float32 (n_tokens, nO) each.

    tok2vec: documents to rows; nO: number of labels, found at initialization when None.
    normalize: give probabilities when predicting; otherwise the unnormalized scores come out, which
    have the same best label and cost less. When training, probabilities always come out.

    The output layer (ref ``output_layer``) starts at zero. ``attrs["resize_output"]`` changes the
    number of labels of a trained model and keeps the scores of those that stay; spaCy's tree has no
    such attribute, and it is not saved.
    """
    width = tok2vec.get_dim("nO") if tok2vec.has_dim("nO") else None
    output_layer = Softmax_v2(nO, width, init_W=zero_init, normalize_outputs=normalize)
    softmax = with_array(output_layer)
    fuse(softmax)
    model = chain(tok2vec, softmax)
    model.set_ref("tok2vec", tok2vec)
    model.set_ref("softmax", output_layer)
    model.set_ref("output_layer", output_layer)
    model.attrs["resize_output"] = resize_output
    return model


@registry.architectures("spacy.Tagger.v1")
def TaggerV1(
    tok2vec: Model[list[Any], list[Floats2d]], nO: int | None = None
) -> Model[list[Any], list[Floats2d]]:
    """Return the same with probabilities when predicting."""
    return Tagger(tok2vec, nO, normalize=True)
