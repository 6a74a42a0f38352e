"""From text to documents, by rules: affixes, infixes, special cases, matches."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import srsly

from ferrule import _core, attrs
from ferrule._typing import PathOrStr
from ferrule.reading import read_some
from ferrule.registry import registry
from ferrule.storage import unpack
from ferrule.tokens import Doc
from ferrule.vocab import Vocab

__all__ = ["Tokenizer", "compile_infix_regex", "compile_prefix_regex", "compile_suffix_regex"]

Search: TypeAlias = "str | Callable[..., Any] | None"
"""A Python pattern, a method of a compiled one, another function, or nothing."""

# The method of a compiled pattern that each rule calls.
_METHODS = {
    "prefix_search": "search",
    "suffix_search": "search",
    "infix_finditer": "finditer",
    "token_match": "match",
    "url_match": "match",
}
# A batch of texts is read in parts, and is complete when it has so many characters.
_TEXTS_BETWEEN_LOOKS = 250
_ENOUGH_CHARACTERS = 1_000_000
# What a token of a special case may say.
_TOKEN_ATTRS = frozenset({attrs.ORTH, attrs.NORM})


class Tokenizer(_core.TokenizerCore):
    """Cuts texts at white space, then peels prefixes and suffixes off each piece and splits it at infixes.

    The result is spaCy's for the same rules, and `doc.text == text` for every text. Pieces are taken apart
    once and remembered. Time is linear in the text.

    vocab: the vocabulary of the documents.
    rules: special cases: for each string its tokens, as dicts with `ORTH` and, if wanted, `NORM`.
    prefix_search, suffix_search, infix_finditer, token_match, url_match: a Python pattern, or the method of a
        compiled one that spaCy takes (`re.compile(pattern).search`); these run in the core. Any other
        function is called as it is, which is slow.
    faster_heuristics: look for special cases among finished tokens only where other rules take them apart.

    Raises ValueError for a pattern the core cannot run (with the reason) and for special cases whose tokens
    are not their string.

    >>> tokenizer = Tokenizer(
    ...     Vocab(),
    ...     rules={"don't": [{"ORTH": "do"}, {"ORTH": "n't", "NORM": "not"}]},
    ...     prefix_search=r"^[(]",
    ...     suffix_search=r"[).]$",
    ... )
    >>> [token.text for token in tokenizer("(I don't.)")]
    ['(', 'I', 'do', "n't", '.', ')']
    >>> tokenizer.explain("(don't)")
    [('PREFIX', '('), ('SPECIAL-1', 'do'), ('SPECIAL-2', "n't"), ('SUFFIX', ')')]
    """

    def __init__(
        self,
        vocab: Vocab,
        rules: Mapping[str, Sequence[Mapping[Any, str]]] | None = None,
        prefix_search: Search = None,
        suffix_search: Search = None,
        infix_finditer: Search = None,
        token_match: Search = None,
        url_match: Search = None,
        faster_heuristics: bool = True,
    ) -> None:
        given = (prefix_search, suffix_search, infix_finditer, token_match, url_match)
        self._apply(dict(zip(_METHODS, given, strict=True)), rules or {}, faster_heuristics)

    def __call__(self, text: str) -> Doc:
        """The document of a text.

        Raises TypeError for what is no str, ValueError for a lone surrogate.
        """
        doc: Doc = self._tokenize(text, Doc)
        return doc

    def pipe(self, texts: Iterable[str], batch_size: int = 4000) -> Iterator[Doc]:
        """The documents of a stream of texts, in order, made in several threads.

        batch_size: how many texts are read and made together at most; long ones are fewer.

        Raises ValueError for a `batch_size` below 1. Documents before a text that is refused are delivered.
        """
        if batch_size < 1:
            raise ValueError(f"Tokenizer.pipe: batch_size must be at least 1, found {batch_size}.")
        stream = iter(texts)
        while True:
            batch, error = _read(stream, batch_size)
            if error is None:
                try:
                    docs = self._tokenize_many(batch, Doc)
                except (TypeError, ValueError):
                    yield from map(self, batch)
                    raise
                yield from docs
            else:
                yield from map(self, batch)
                raise error
            if not batch:
                return

    def score(self, examples: Iterable[Any], **kwargs: Any) -> dict[str, Any]:
        """How well the predicted documents of `examples` are cut: `token_acc`, `token_f` and so on."""
        from ferrule.scorer import Scorer

        return dict(Scorer.score_tokenization(examples))

    # -- rules

    def add_special_case(self, string: str, substrings: Sequence[Mapping[Any, str]]) -> None:
        """Makes `string` these tokens wherever it is a token, or affixes were peeled off it.

        substrings: dicts with `ORTH`, the token's string, and, if wanted, `NORM`, its normal form.

        Raises ValueError for other attributes and where the tokens do not join to `string`.

        >>> tokenizer = Tokenizer(Vocab())
        >>> tokenizer.add_special_case("gimme", [{"ORTH": "gim", "NORM": "give"}, {"ORTH": "me"}])
        >>> [(token.text, token.norm_) for token in tokenizer("gimme that")]
        [('gim', 'give'), ('me', 'me'), ('that', 'that')]
        """
        self._add_special(string, _special_tokens(string, substrings))

    @property
    def rules(self) -> dict[str, list[dict[int, str]]]:
        """Special cases by string: tokens as dicts of attribute ids. A copy; set it to change them."""
        return {
            string: [_token_dict(orth, norm) for orth, norm in tokens] for string, tokens in self._specials()
        }

    @rules.setter
    def rules(self, rules: Mapping[str, Sequence[Mapping[Any, str]]] | None) -> None:
        self._configure([], _special_cases(rules or {}), None)

    @property
    def faster_heuristics(self) -> bool:
        """Whether special cases are looked for only where other rules take them apart."""
        return self._faster_heuristics

    @faster_heuristics.setter
    def faster_heuristics(self, value: bool) -> None:
        self._configure([], None, value)
        self._faster_heuristics = value

    def find_infix(self, string: str) -> list[re.Match[str]]:
        """The matches a string would be split at."""
        if not isinstance(self._searches["infix_finditer"], str):
            function: Callable[[str], Any] | None = getattr(self, "infix_finditer")  # noqa: B009
            return list(function(string)) if function else []
        pattern = re.compile(self._searches["infix_finditer"])
        found = (pattern.match(string, start) for start, _ in self._find_infix(string))
        return [match for match in found if match]

    # -- whole tokenizers

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """The rules, and the vocabulary unless `exclude` names it, as the bytes spaCy's `from_bytes` takes.

        Raises ValueError where a rule is a function of your own, which bytes cannot hold.
        """
        excluded = set(exclude)
        message: dict[str, Any] = {}
        if "vocab" not in excluded:
            message["vocab"] = self.vocab.to_bytes()
        for name, search in self._searches.items():
            if search is not None and not isinstance(search, str):
                raise ValueError(
                    f"Tokenizer.to_bytes: {name} is a function, {search!r}, which cannot be saved."
                )
            message[name] = search
        message["exceptions"] = self.rules
        message["faster_heuristics"] = self.faster_heuristics
        data: bytes = srsly.msgpack_dumps(
            {name: part for name, part in message.items() if name not in excluded}
        )
        return data

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> Tokenizer:
        """Takes the rules from bytes of `to_bytes`, spaCy's or ours, and returns the tokenizer.

        Raises ValueError where the bytes are no saved tokenizer or hold a pattern that cannot be run; the
        tokenizer is as before then.
        """
        message = _read_message(bytes_data)
        excluded = set(exclude)
        searches = {name: message.get(name) for name in _METHODS if name in message and name not in excluded}
        rules = message.get("exceptions") if "exceptions" not in excluded else None
        faster = message.get("faster_heuristics") if "faster_heuristics" not in excluded else None
        if searches.items() <= self._searches.items() and faster in (None, self._faster_heuristics):
            # Most saved pipelines have the rules of their language, which this one was made with.
            if rules is not None and sorted(_special_cases(rules)) != self._specials():
                self._apply({}, rules, None)
        else:
            self._apply(searches, rules, faster)
        if "vocab" in message and "vocab" not in excluded:
            self.vocab.from_bytes(message["vocab"])
        return self

    def to_disk(self, path: PathOrStr, *, exclude: Iterable[str] = ()) -> None:
        """Writes the rules to a file, without the vocabulary, as spaCy does."""
        Path(path).write_bytes(self.to_bytes(exclude=[*exclude, "vocab"]))

    def from_disk(self, path: PathOrStr, *, exclude: Iterable[str] = ()) -> Tokenizer:
        """Takes the rules from a file of `to_disk`, spaCy's or ours, and returns the tokenizer."""
        return self.from_bytes(Path(path).read_bytes(), exclude=[*exclude, "vocab"])

    def __reduce__(self) -> tuple[Any, ...]:
        given = [
            self._as_function(name) if callable(search) else search for name, search in self._searches.items()
        ]
        return type(self), (self.vocab, self.rules, *given, self.faster_heuristics)

    # -- inside

    def _apply(
        self,
        searches: Mapping[str, Search],
        rules: Mapping[str, Sequence[Mapping[Any, str]]] | None,
        faster_heuristics: bool | None,
    ) -> None:
        given = {name: _pattern_or_function(name, search) for name, search in searches.items()}
        self._configure(
            list(given.items()), None if rules is None else _special_cases(rules), faster_heuristics
        )
        self._searches = {**getattr(self, "_searches", dict.fromkeys(_METHODS)), **given}
        if faster_heuristics is not None:
            self._faster_heuristics = faster_heuristics

    def _as_function(self, name: str) -> Callable[..., Any] | None:
        search = self._searches[name]
        if isinstance(search, str):
            function: Callable[..., Any] = getattr(re.compile(search), _METHODS[name])
            return function
        return search


def _search_property(name: str) -> property:
    def getter(self: Tokenizer) -> Callable[..., Any] | None:
        return self._as_function(name)

    def setter(self: Tokenizer, search: Search) -> None:
        self._apply({name: search}, None, None)

    return property(
        getter, setter, doc=f"The rule `{name}` as a function. Set it to a pattern or a function."
    )


for _name in _METHODS:
    setattr(Tokenizer, _name, _search_property(_name))


def _pattern_or_function(name: str, search: Search) -> Search:
    """The pattern behind a compiled one's method, so that the core can run it; else the function itself."""
    pattern = getattr(search, "__self__", None)
    if not isinstance(pattern, re.Pattern) or getattr(search, "__name__", "") != _METHODS[name]:
        return search
    flags = pattern.flags & ~re.UNICODE
    if flags == 0:
        return str(pattern.pattern)
    # The flags may stand in the pattern itself already.
    return f"(?i){pattern.pattern}" if flags == re.IGNORECASE else search


def _special_tokens(string: str, substrings: Sequence[Mapping[Any, str]]) -> list[tuple[str, str | None]]:
    tokens = []
    for substring in substrings:
        by_id = substring if substring.keys() <= _TOKEN_ATTRS else attrs.intify_attrs(substring)
        if len(by_id) != len(substring) or not by_id.keys() <= _TOKEN_ATTRS or attrs.ORTH not in by_id:
            raise ValueError(
                f"Tokenizer: the special case {string!r} has a token {dict(substring)!r}; each has an ORTH "
                "and may have a NORM, and nothing else."
            )
        tokens.append((by_id[attrs.ORTH], by_id.get(attrs.NORM)))
    joined = "".join(orth for orth, _ in tokens)
    if joined != string or not string or any(not orth for orth, _ in tokens):
        raise ValueError(
            f"Tokenizer: the tokens of the special case {string!r} join to {joined!r}. A tokenizer does not "
            "change the text: change a token's NORM instead of its ORTH, and leave none empty."
        )
    return tokens


def _special_cases(
    rules: Mapping[str, Sequence[Mapping[Any, str]]],
) -> list[tuple[str, list[tuple[str, str | None]]]]:
    return [(string, _special_tokens(string, substrings)) for string, substrings in rules.items()]


def _token_dict(orth: str, norm: str | None) -> dict[int, str]:
    return {attrs.ORTH: orth} if norm is None else {attrs.ORTH: orth, attrs.NORM: norm}


def _read_message(bytes_data: bytes) -> dict[str, Any]:
    wanted = "expected the bytes of a saved tokenizer"
    message = unpack(bytes_data, "a saved tokenizer")
    if not isinstance(message, dict):
        raise ValueError(f"Tokenizer.from_bytes: {wanted}, found a msgpack {type(message).__name__}.")
    for name in _METHODS:
        if not isinstance(message.get(name), str | None):
            raise ValueError(f"Tokenizer.from_bytes: {wanted}; its {name} is no pattern: {message[name]!r}.")
    if not isinstance(message.get("exceptions"), dict | None):
        raise ValueError(f"Tokenizer.from_bytes: {wanted}; its exceptions are no dict.")
    return message


def _read(stream: Iterator[str], count: int) -> tuple[list[str], Exception | None]:
    """The next texts of a stream, none at its end, and the error that stopped it, if one did."""
    batch: list[str] = []
    n_characters = 0
    while len(batch) < count and n_characters < _ENOUGH_CHARACTERS:
        part, error = read_some(stream, min(_TEXTS_BETWEEN_LOOKS, count - len(batch)))
        batch += part
        if error is not None or not part:
            return batch, error
        with suppress(TypeError):  # What has no length is refused when its turn comes.
            n_characters += sum(map(len, part))
    return batch, None


def compile_prefix_regex(entries: Iterable[str]) -> re.Pattern[str]:
    """One pattern of several that are to match at the start of a string.

    >>> compile_prefix_regex(["[(]", "§"]).pattern
    '^[(]|^§'
    """
    return re.compile("|".join(f"^{entry}" for entry in entries if entry.strip()))


def compile_suffix_regex(entries: Iterable[str]) -> re.Pattern[str]:
    """One pattern of several that are to match at the end of a string.

    >>> compile_suffix_regex(["[)]", "%"]).pattern
    '[)]$|%$'
    """
    return re.compile("|".join(f"{entry}$" for entry in entries if entry.strip()))


def compile_infix_regex(entries: Iterable[str]) -> re.Pattern[str]:
    """One pattern of several that are to match inside a string.

    >>> compile_infix_regex(["-", "/"]).pattern
    '-|/'
    """
    return re.compile("|".join(entry for entry in entries if entry.strip()))


@registry.tokenizers("spacy.Tokenizer.v1")
def create_tokenizer() -> Callable[[Any], Tokenizer]:
    """A function that makes the tokenizer of a pipeline, by the rules of its language (`nlp.Defaults`)."""

    def make_tokenizer(nlp: Any) -> Tokenizer:
        defaults = nlp.Defaults
        return Tokenizer(
            nlp.vocab,
            rules=defaults.tokenizer_exceptions,
            prefix_search=_joined(defaults.prefixes, "^{}"),
            suffix_search=_joined(defaults.suffixes, "{}$"),
            infix_finditer=_joined(defaults.infixes, "{}"),
            token_match=defaults.token_match,
            url_match=defaults.url_match,
        )

    return make_tokenizer


def _joined(entries: Iterable[str] | None, form: str) -> str | None:
    return "|".join(form.replace("{}", entry) for entry in entries if entry.strip()) if entries else None
