"""The attributes of a token, each described once: where its value is, and whether it can be set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    from ferrule.tokens.token import Token

Value = TypeVar("Value", int, str, bool)


class TokenAttribute(Generic[Value]):
    """A token's value of one attribute id, in the columns of its document."""

    def __init__(self, attr_id: int, doc: str, *, writable: bool = False):
        self.attr_id = attr_id
        self.writable = writable
        self.name = ""
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, token: None, owner: type) -> TokenAttribute[Value]: ...
    @overload
    def __get__(self, token: Token, owner: type) -> Value: ...
    def __get__(self, token: Token | None, owner: type) -> TokenAttribute[Value] | Value:
        if token is None:
            return self
        return self.read(token)

    def __set__(self, token: Token, value: Value) -> None:
        if not self.writable:
            raise AttributeError(f"token.{self.name} cannot be set: it belongs to the word type or the text")
        self.write(token, value)

    def read(self, token: Token) -> Any:
        """The value in the column."""
        raise NotImplementedError

    def write(self, token: Token, value: Any) -> None:
        """Put the value in the column."""
        raise NotImplementedError


class IdAttribute(TokenAttribute[int]):
    """A string's id or another unsigned number."""

    def read(self, token: Token) -> int:
        return token.doc._get(self.attr_id, token.i)

    def write(self, token: Token, value: int) -> None:
        token.doc._set(self.attr_id, token.i, value)


class StringAttribute(TokenAttribute[str]):
    """The string behind an id; setting it adds the string to the vocabulary. `None` unsets the attribute."""

    def read(self, token: Token) -> str:
        return token.doc._get_string(self.attr_id, token.i)

    def write(self, token: Token, value: str | None) -> None:
        if value is not None and not isinstance(value, str):
            raise TypeError(f"token.{self.name}: expected str, found {type(value).__name__}")
        token.doc._set_string(self.attr_id, token.i, value or "")


class FlagAttribute(TokenAttribute[bool]):
    """A yes or no about the word type."""

    def read(self, token: Token) -> bool:
        return bool(token.doc._get(self.attr_id, token.i))
