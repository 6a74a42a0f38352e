"""Softmax, losses and layers over NumPy arrays, in Rust.

The last axis of an array is a row; the axes before it count rows. An array of one axis is one row.

**Types.** float32 is computed in float32 by vector code, float16 through float32, float64 and longer in
float64 by plain loops. The result has the type of the scores. Other types are refused. Any memory layout is
accepted; an array that is not C-contiguous, or that shares memory with `out`, is copied first. Arguments are
never changed, except `out`.

**out** is written and returned; it may be the scores themselves, strided, or of another float type. No cell
outside it changes.

**Threads.** `n_threads` is the most to use: 1 for the calling thread alone, None for what
`ferrule.set_num_threads` says. Small arrays stay in the calling thread. The GIL is released. The result has
the same bits for any number of threads.

**Losses** are `(loss, gradient)`: a float in nats, and an array like the scores. `reduction="sum"` adds the
rows' losses, `"mean"` divides by the total weight of the rows that take part; the gradient is that of the
number returned. A row that is masked, missing or of weight 0 gives no loss and a gradient of zeros, whatever
it holds. With no row at all the loss is 0. A loss takes one array, or a list of arrays of a document each
("ragged"); then targets, labels and masks are lists too, and the gradient is a list.

**NaN and infinities.** A row with NaN or inf among its logits has NaN probabilities; -inf beside finite
numbers has probability 0. Other rows are not affected.
"""

from __future__ import annotations

from .batch import Floats, Ragged, Reduction
from .divergence import kl_divergence
from .elementwise import binary_cross_entropy, squared_error
from .labels import categorical_crossentropy, cross_entropy
from .layers import backprop_layer_norm, dropout, layer_norm
from .rows import argmax, backprop_log_softmax, backprop_softmax, log_softmax, logsumexp, softmax

__all__ = [
    "Floats",
    "Ragged",
    "Reduction",
    "argmax",
    "backprop_layer_norm",
    "backprop_log_softmax",
    "backprop_softmax",
    "binary_cross_entropy",
    "categorical_crossentropy",
    "cross_entropy",
    "dropout",
    "kl_divergence",
    "layer_norm",
    "log_softmax",
    "logsumexp",
    "softmax",
    "squared_error",
]
