"""The thinc backend "ferrule": `NumpyOps` with its arithmetic in Rust.

>>> from thinc.api import get_ops, use_ops
>>> import ferrule.ops
>>> get_ops("ferrule").name
'ferrule'
>>> with use_ops("ferrule"):
...     pass  # models made here run on it

Importing this module makes the name known and changes nothing else. An installed Ferrule is found by thinc
without the import.
"""

from .rust_ops import RustOps

__all__ = ["RustOps"]
