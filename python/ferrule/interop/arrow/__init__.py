"""Documents as Arrow tables and data frames, and back: one row a document, tokens nested in it.

Needs pyarrow: ``pip install "ferrule[arrow]"``; `to_pandas` and `to_polars` also the library they are named
after. `SCHEMA` says what is kept.

>>> import ferrule
>>> nlp = ferrule.blank("en")
>>> table = docs_to_table([nlp("Two words."), nlp("One more.")])
>>> table.num_rows, [token["text"] for token in table["tokens"][0].as_py()]
(2, ['Two', 'words', '.'])
>>> [doc.text for doc in docs_from_arrow(table, nlp.vocab)]
['Two words.', 'One more.']
"""

from __future__ import annotations

from ferrule.interop.arrow.frames import to_pandas, to_polars
from ferrule.interop.arrow.reading import docs_from_arrow
from ferrule.interop.arrow.schema import SCHEMA
from ferrule.interop.arrow.writing import docs_to_batch, docs_to_batches, docs_to_table

__all__ = [
    "SCHEMA",
    "docs_from_arrow",
    "docs_to_batch",
    "docs_to_batches",
    "docs_to_table",
    "to_pandas",
    "to_polars",
]
