"""Documents as data frames of pandas and polars."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ferrule.interop.arrow.writing import docs_to_table
from ferrule.tokens import Doc

__all__ = ["to_pandas", "to_polars"]


def to_pandas(docs: Iterable[Doc]) -> Any:
    """A pandas data frame with the columns of `SCHEMA`, one row a document; nested values are Python's.

    >>> import ferrule
    >>> to_pandas([ferrule.blank("en")("Two words.")]).loc[0, "text"]
    'Two words.'
    """
    return docs_to_table(docs).to_pandas()


def to_polars(docs: Iterable[Doc]) -> Any:
    """A polars data frame with the columns of `SCHEMA`, one row a document, nested as lists and structs.

    >>> import ferrule
    >>> frame = to_polars([ferrule.blank("en")("Two words.")])
    >>> frame.explode("tokens").unnest("tokens", separator=".").get_column("tokens.text").to_list()
    ['Two', 'words', '.']
    """
    import polars

    return polars.from_arrow(docs_to_table(docs))
