"""The token encoders of a pipeline in bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ferrule.language.description import Description
from ferrule.language.processing import Processing
from ferrule.pipeline.trainable_pipe import TrainablePipe

__all__ = ["Quantizing"]


class Quantizing(Processing, Description):
    """The part of `Language` that quantizes."""

    def quantize(self, docs: Iterable[Any], *, components: Iterable[str] | None = None) -> list[str]:
        """Let token encoders predict in bytes (int8), and return the names of their components.

        docs: texts or documents of the kind that will be predicted. In some hundred of them the ranges of the
        encoders' numbers are found; their annotations do not matter, and they are not changed.
        components: names of components; by default all that have such an encoder.

        Predicting becomes faster, and a few predictions other ones: measure them on your own data, as
        ``ferrule quantize`` does. Saved with the pipeline. `update` refuses until `dequantize`.

        Raises ValueError if there is nothing to quantize: no component has such an encoder, or one of
        `components` has none; no documents have tokens; there are no weights yet. Then no component is
        quantized that was not. Raises TypeError for a single text.
        """
        if isinstance(docs, str):
            raise TypeError("nlp.quantize: expected texts or documents, such as a list, found a single str")
        made = [self._ensure_doc(item) for item in docs]
        if components is None:
            names = [name for name, pipe in self.components if getattr(pipe, "is_quantizable", False)]
        else:
            names = [components] if isinstance(components, str) else list(components)
        if not names:
            raise ValueError(
                f"nlp.quantize: no component has a token encoder that can run in bytes; the components are "
                f"{', '.join(self.component_names) or 'none'}."
            )
        pipes = [self._trainable(name, "quantize") for name in names]
        before = [pipe.is_quantized for pipe in pipes]
        done: list[TrainablePipe] = []
        try:
            for pipe in pipes:
                pipe.quantize(made)
                done.append(pipe)
        except Exception:
            for pipe, was in zip(done, before, strict=False):
                if not was:
                    pipe.dequantize()
            raise
        return names

    def dequantize(self, *, components: Iterable[str] | None = None) -> list[str]:
        """Let token encoders predict in float32 again; returns the names of the components that did not.

        components: names of components; by default all.
        """
        if components is None:
            components = self.quantized_components
        names = [components] if isinstance(components, str) else list(components)
        pipes = [self._trainable(name, "dequantize") for name in names]
        changed = [name for name, pipe in zip(names, pipes, strict=True) if pipe.is_quantized]
        for pipe in pipes:
            pipe.dequantize()
        return changed

    def _trainable(self, name: str, action: str) -> TrainablePipe:
        pipe = self.get_pipe(name)
        if not isinstance(pipe, TrainablePipe):
            raise ValueError(
                f"nlp.{action}: the component {name!r} is {type(pipe).__name__}, which has no token encoder."
            )
        return pipe
