"""Functions a config can name to run before and after a pipeline is set up."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ferrule.registry import registry

if TYPE_CHECKING:
    from ferrule.language import Language

__all__ = ["create_copy_from_base_model"]


@registry.callbacks("spacy.copy_from_base_model.v1")
def create_copy_from_base_model(
    tokenizer: str | None = None, vocab: str | None = None
) -> Callable[[Language], Language]:
    """A callback for `[initialize.before_init]` that copies parts of saved pipelines into the new one.

    `tokenizer` and `vocab` are folders (or names) of saved pipelines; None leaves that part as it is.
    """

    def copy_from_base_model(nlp: Language) -> Language:
        from ferrule.language import load

        if tokenizer is not None:
            base = load(tokenizer, exclude=["vocab"])
            nlp.tokenizer.from_bytes(base.tokenizer.to_bytes(exclude=["vocab"]))
        if vocab is not None:
            nlp.vocab.from_bytes(load(vocab).vocab.to_bytes())
        return nlp

    return copy_from_base_model
