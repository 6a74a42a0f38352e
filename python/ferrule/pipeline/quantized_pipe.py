"""Whether a component predicts in bytes, and how to make it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from thinc.api import Model

from ferrule.ml.listener import Tok2VecListener
from ferrule.ml.quantization import (
    dequantize_tree,
    quantizable_encoders,
    quantize_tree,
    quantized_encoders,
)
from ferrule.pipeline.pipe import Pipe

__all__ = ["QuantizablePipe"]


class QuantizablePipe(Pipe):
    """The part of `TrainablePipe` that runs the token encoder in bytes."""

    model: Any

    @property
    def is_quantizable(self) -> bool:
        """Whether the model has a token encoder that can run in bytes."""
        return isinstance(self.model, Model) and bool(quantizable_encoders(self.model))

    @property
    def is_quantized(self) -> bool:
        """Whether a token encoder of the model runs in bytes."""
        return isinstance(self.model, Model) and bool(quantized_encoders(self.model))

    def quantize(self, docs: Iterable[Any]) -> None:
        """Predict with the token encoder in bytes from now on: faster, with a few other results.

        docs: of the kind that will be predicted; some hundred are enough. Their annotations do not matter.
        Saved with the component. The weights stay float32, and must not change: `dequantize` before training.

        Raises ValueError if the model has no encoder that can run in bytes, the documents have no tokens, or
        there are no weights yet.
        """
        if not self.is_quantizable:
            nodes = self.model.walk() if isinstance(self.model, Model) else ()
            listens = any(isinstance(node, Tok2VecListener) for node in nodes)
            remedy = (
                "Its encoder is the shared tok2vec component's: quantize that one."
                if listens
                else "That is the encoder of spacy.HashEmbedCNN.v2 or ferrule.HashEmbedCNN.v1 (and of "
                "MultiHashEmbed with MaxoutWindowEncoder) with window_size 1, depth 2 or more and without "
                "static vectors."
            )
            raise ValueError(
                f"{self._label('quantize')}: the model has no token encoder that can run in bytes. {remedy}"
            )
        quantize_tree(self.model, list(docs))

    def dequantize(self) -> None:
        """Predict in float32 again, with exactly the results of before `quantize`."""
        if isinstance(self.model, Model):
            dequantize_tree(self.model)
