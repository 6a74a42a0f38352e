"""`spacy.TextCatReduce.v1`: token vectors of a document, reduced to one, under a linear classifier."""

from __future__ import annotations

from typing import Any

from thinc.api import (
    Linear,
    Logistic,
    Model,
    Softmax,
    chain,
    concatenate,
    list2ragged,
    reduce_first,
    reduce_last,
    reduce_max,
    reduce_mean,
    resizable,
)
from thinc.types import Floats2d

from ferrule.ml.resize import resize_layer, resizer
from ferrule.ml.shortcuts import on_rust
from ferrule.registry import registry

__all__ = ["TextCatCNN", "TextCatReduce"]


@registry.architectures("spacy.TextCatReduce.v1")
def TextCatReduce(
    tok2vec: Model[list[Any], list[Floats2d]],
    exclusive_classes: bool,
    use_reduce_first: bool,
    use_reduce_last: bool,
    use_reduce_max: bool,
    use_reduce_mean: bool,
    nO: int | None = None,
) -> Model[list[Any], Floats2d]:
    """Return a layer from documents to float32 (n_docs, nO).

    exclusive_classes: one category a document; otherwise each is a question of its own. The
    others say which of the first, last, greatest and mean numbers of a document's tokens go in.

    Raises ValueError when no reduction is chosen.
    """
    chosen = {
        reduce_first: use_reduce_first,
        reduce_last: use_reduce_last,
        reduce_max: use_reduce_max,
        reduce_mean: use_reduce_mean,
    }
    reductions = [build() for build, is_used in chosen.items() if is_used]
    if not reductions:
        raise ValueError(
            "TextCatReduce: no reduction is chosen; set one or more of use_reduce_first, use_reduce_last, "
            "use_reduce_max and use_reduce_mean to true."
        )
    width = tok2vec.maybe_get_dim("nO")
    rows = chain(tok2vec, list2ragged())
    reduction = concatenate(*reductions) if len(reductions) > 1 else reductions[0]
    reduced = chain(rows, reduction)
    n_inputs = None if width is None else width * len(reductions)
    output_layer: Model[Any, Any]
    if exclusive_classes:
        output_layer = Softmax(nO=nO, nI=n_inputs)
        model = chain(reduced, resizable(output_layer, resize_layer=resize_layer))
    else:
        output_layer = Linear(nO=nO, nI=n_inputs)
        model = chain(chain(reduced, resizable(output_layer, resize_layer=resize_layer)), Logistic())
    for layer in (reduction, output_layer):
        on_rust(layer)
    model.set_ref("output_layer", output_layer)
    model.set_ref("tok2vec", tok2vec)
    model.attrs["resize_output"] = resizer(exclusive_classes)
    model.attrs["multi_label"] = not exclusive_classes
    if nO is not None:
        model.set_dim("nO", nO)
    return model


@registry.architectures("spacy.TextCatCNN.v2")
def TextCatCNN(
    tok2vec: Model[list[Any], list[Floats2d]], exclusive_classes: bool, nO: int | None = None
) -> Model[list[Any], Floats2d]:
    """Return `TextCatReduce` over the mean of the tokens."""
    return TextCatReduce(
        tok2vec,
        exclusive_classes,
        use_reduce_first=False,
        use_reduce_last=False,
        use_reduce_max=False,
        use_reduce_mean=True,
        nO=nO,
    )
