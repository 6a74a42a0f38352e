"""The attributes components say they write and read: `doc.ents`, `token.tag`, `span._.score`."""

from __future__ import annotations

from collections.abc import Iterable

from ferrule.errors import nearest_names

__all__ = ["check_attributes"]


def check_attributes(names: Iterable[str]) -> list[str]:
    """`names` as a list; ValueError for one that is no attribute of a document, span or token."""
    from ferrule.tokens import Doc, Span, Token

    objects = {"doc": Doc, "span": Span, "token": Token}
    checked = list(names)
    for name in checked:
        owner, _, attribute = name.partition(".")
        if owner not in objects:
            raise ValueError(f"{name!r}: expected an attribute of doc, span or token, such as 'token.tag'")
        if not attribute:
            raise ValueError(f"{name!r}: expected the name of an attribute after it, such as '{owner}.text'")
        first, _, extension = attribute.partition(".")
        if first == "_":
            if not extension or "." in extension:
                raise ValueError(f"{name!r}: expected one extension attribute, such as '{owner}._.my_score'")
        elif attribute.endswith("_"):
            raise ValueError(f"{name!r}: declare it without the underscore, as {name.rstrip('_')!r}")
        elif not hasattr(objects[owner], attribute):
            near = nearest_names(
                attribute, (each for each in dir(objects[owner]) if not each.startswith("_"))
            )
            raise ValueError(
                f"{name!r}: {owner} has no attribute {attribute!r}"
                + (f"; did you mean {owner}.{near[0]}?" if near else "")
            )
    return checked
