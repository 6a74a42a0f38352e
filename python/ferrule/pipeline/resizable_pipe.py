"""How many outputs the model of a component has, and whether labels can be added to it."""

from __future__ import annotations

from typing import Any

from thinc.api import Model

from ferrule.errors import LabelError
from ferrule.pipeline.pipe import Pipe

__all__ = ["ResizablePipe"]


class ResizablePipe(Pipe):
    """The part of `TrainablePipe` that asks for the outputs of the model and changes their number."""

    model: Any
    # What `rehearse` holds on to; it has the outputs that the model has.
    _rehearsal_model: Model[Any, Any] | None = None

    @property
    def is_resizable(self) -> bool:
        """Whether the number of outputs can change: the model has an attribute `resize_output`."""
        return isinstance(self.model, Model) and "resize_output" in self.model.attrs

    def set_output(self, nO: int) -> None:
        """Change the number of outputs to `nO`, by `model.attrs["resize_output"](model, nO)`.

        The model kept for rehearsal gets as many, so that what is new there is as unlikely as it was here.
        Raises NotImplementedError if the component is not resizable, TypeError or ValueError unless `nO` is a
        whole number above 0.
        """
        if isinstance(nO, bool) or not hasattr(nO, "__index__"):
            raise TypeError(
                f"{self._label('set_output')}: nO must be a whole number, found {type(nO).__name__}: {nO!r}"
            )
        if nO < 1:
            raise ValueError(f"{self._label('set_output')}: nO must be at least 1, found {nO}")
        if not self.is_resizable:
            raise NotImplementedError(
                f"{self._label('set_output')}: the output of this model cannot be resized. Give the model an "
                f"attribute 'resize_output', a function of (model, nO), or build a new model with {nO} "
                "outputs."
            )
        resized = self.model.attrs["resize_output"](self.model, nO)
        if isinstance(resized, Model):
            self.model = resized
        if self._rehearsal_model is not None:
            resized = self._rehearsal_model.attrs["resize_output"](self._rehearsal_model, nO)
            if isinstance(resized, Model):
                self._rehearsal_model = resized

    def add_label(self, label: str) -> int:
        """Add a label to predict: 1 if it is new, 0 if not. Subclasses with labels implement this."""
        raise self._not_implemented("add_label")

    def _allow_extra_label(self) -> None:
        """Raise LabelError if the model has its outputs already and cannot get more."""
        n_outputs = None
        if self.model.has_dim("nO"):
            n_outputs = self.model.get_dim("nO")
        elif self.model.has_ref("output_layer") and self.model.get_ref("output_layer").has_dim("nO"):
            n_outputs = self.model.get_ref("output_layer").get_dim("nO")
        if n_outputs is not None and n_outputs == len(self.labels) and not self.is_resizable:
            raise LabelError(
                f"{self._label('add_label')}: the model has its {n_outputs} outputs already, one a label, "
                "and "
                f"cannot be resized. Add labels before initialize, or use a model with 'resize_output'."
            )
