"""What is known of a word type: the same wherever it occurs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ferrule import attrs

if TYPE_CHECKING:
    import numpy as np

    from ferrule.vocab import Vocab

__all__ = ["Lexeme"]


class Lexeme:
    """An entry of the vocabulary, made by `vocab["word"]`: a view, so changes are seen everywhere.

    Names that end in `_` are strings, the same names without it string ids. Raises ValueError when it is used
    after the memory zone it came with has ended.

    >>> from ferrule.vocab import Vocab
    >>> apple = Vocab()["Apple"]
    >>> apple.lower_, apple.shape_, apple.prefix_, apple.is_title, apple.like_num
    ('apple', 'Xxxxx', 'A', True, False)
    """

    __slots__ = ("_index", "_zone", "vocab")

    def __init__(self, vocab: Vocab, orth: int) -> None:
        self.vocab = vocab
        self._index = vocab._index_of_orth(orth)
        self._zone = 0 if vocab.is_kept(self._index) else vocab.zone()

    # -- values by attribute id

    def _get(self, attribute: int) -> int:
        self._check_alive()
        return self.vocab.lexeme_value(self._index, attribute)

    def _set(self, attribute: int, value: int) -> None:
        self._check_alive()
        self.vocab.set_lexeme_value(self._index, attribute, value)

    def _get_string(self, attribute: int) -> str:
        return self.vocab.strings.as_string(self._get(attribute))

    def _set_string(self, attribute: int, value: str) -> None:
        self._set(attribute, self.vocab.strings.add(value))

    def _check_alive(self) -> None:
        if not self.vocab.is_alive(self._zone):
            raise ValueError(
                "Lexeme: the memory zone it came with has ended. Copy what you need before the zone's end."
            )

    def set_attrs(self, **attributes: Any) -> None:
        """Sets attributes by name, such as `norm="not"` or `is_stop=True`.

        Raises ValueError for a name that is no attribute of a word type.
        """
        for name, value in attributes.items():
            attribute = attrs.intify_attr(name)
            if attribute is None:
                raise ValueError(
                    f"Lexeme.set_attrs: {name!r} is no attribute; those are the names in ferrule.attrs.IDS."
                )
            if isinstance(value, str):
                self._set_string(attribute, value)
            else:
                self._set(attribute, int(value))

    def set_flag(self, flag_id: int, value: bool) -> None:
        """Sets or clears a flag, 0 to 63."""
        self._set(flag_id, int(value))

    def check_flag(self, flag_id: int) -> bool:
        """Whether a flag, 0 to 63, is set."""
        return bool(self._get(flag_id))

    @property
    def flags(self) -> int:
        """All flags, one bit each."""
        self._check_alive()
        return self.vocab.lexeme_flags(self._index)

    # -- strings

    @property
    def text(self) -> str:
        """The string itself."""
        self._check_alive()
        return self.vocab.lexeme_text(self._index)

    @property
    def orth_(self) -> str:
        """The string itself."""
        return self.text

    @property
    def orth(self) -> int:
        """The id of the string itself."""
        return self._get(attrs.ORTH)

    # -- vectors

    @property
    def has_vector(self) -> bool:
        """Whether the vocabulary has a vector for the word."""
        return self.vocab.has_vector(self.orth)

    @property
    def vector(self) -> np.ndarray:
        """The vector of the word, float32 `(vectors_length,)`; zeros where it has none."""
        return self.vocab.get_vector(self.orth)

    @vector.setter
    def vector(self, vector: np.ndarray) -> None:
        self.vocab.set_vector(self.orth, vector)

    @property
    def vector_norm(self) -> float:
        """The length (L2 norm) of the vector."""
        vector = self.vector
        return float((vector * vector).sum() ** 0.5)

    def similarity(self, other: Any) -> float:
        """Cosine of the angle to the vector of a lexeme, token, span or doc; 0.0 where one has no vector."""
        if getattr(other, "orth", None) == self.orth:
            return 1.0
        norms = self.vector_norm * other.vector_norm
        return 0.0 if norms == 0 else float((self.vector * other.vector).sum() / norms)

    # -- the rest

    @property
    def rank(self) -> int:
        """The row of the word in the saved vectors, 2**64 - 1 for a word without one."""
        return self._get(attrs.ID)

    @rank.setter
    def rank(self, rank: int) -> None:
        self._set(attrs.ID, rank)

    @property
    def prob(self) -> float:
        """Smoothed log probability, from the lookup table `lexeme_prob`."""
        return self._look_up("lexeme_prob", self.vocab.cfg.get("oov_prob", -20.0))

    @prob.setter
    def prob(self, prob: float) -> None:
        self._keep("lexeme_prob", prob)

    @property
    def cluster(self) -> int:
        """Brown cluster id, from the lookup table `lexeme_cluster`."""
        return self._look_up("lexeme_cluster", 0)

    @cluster.setter
    def cluster(self, cluster: int) -> None:
        self._keep("lexeme_cluster", cluster)

    @property
    def sentiment(self) -> float:
        """A number for how positive the word is, from the lookup table `lexeme_sentiment`."""
        return self._look_up("lexeme_sentiment", 0.0)

    @sentiment.setter
    def sentiment(self, sentiment: float) -> None:
        self._keep("lexeme_sentiment", sentiment)

    def _look_up(self, table: str, default: Any) -> Any:
        lookups = self.vocab.lookups
        return lookups.get_table(table).get(self.orth, default) if lookups.has_table(table) else default

    def _keep(self, table: str, value: Any) -> None:
        lookups = self.vocab.lookups
        kept = lookups.get_table(table) if lookups.has_table(table) else lookups.add_table(table)
        kept[self.orth] = value

    @property
    def is_oov(self) -> bool:
        """Whether the word is out of the vocabulary of the vectors: it has none."""
        return not self.has_vector

    def __hash__(self) -> int:
        return self.orth

    def __eq__(self, other: object) -> bool:
        return self.orth == getattr(other, "orth", other)

    def __lt__(self, other: Lexeme) -> bool:
        return self.orth < other.orth

    def __repr__(self) -> str:
        return f"<Lexeme {self.text!r}>"

    if TYPE_CHECKING:
        # Made by _add_properties below.
        lower: int
        lower_: str
        norm: int
        norm_: str
        shape: int
        shape_: str
        prefix: int
        prefix_: str
        suffix: int
        suffix_: str
        lang: int
        lang_: str
        is_alpha: bool
        is_ascii: bool
        is_digit: bool
        is_lower: bool
        is_punct: bool
        is_space: bool
        is_title: bool
        is_upper: bool
        is_stop: bool
        is_bracket: bool
        is_quote: bool
        is_left_punct: bool
        is_right_punct: bool
        is_currency: bool
        like_url: bool
        like_num: bool
        like_email: bool


_STRINGS = {
    "lower": "in lower case",
    "norm": "in its normal form",
    "shape": "as an outline, such as `Xxxxx`",
    "prefix": "its first character",
    "suffix": "its last three characters",
    "lang": "the language of the vocabulary",
}

_FLAGS = {
    "is_alpha": "it is letters only",
    "is_ascii": "it is ASCII only",
    "is_digit": "it is digits only",
    "is_lower": "it is in lower case",
    "is_punct": "it is punctuation only",
    "is_space": "it is white space only",
    "is_title": "it is in title case",
    "is_upper": "it is in upper case",
    "is_stop": "it is a stop word of the language",
    "is_bracket": "it is a bracket",
    "is_quote": "it is a quotation mark",
    "is_left_punct": "it is an opening bracket or quotation mark",
    "is_right_punct": "it is a closing bracket or quotation mark",
    "is_currency": "it is currency signs only",
    "like_url": "it looks like a web address",
    "like_num": "it looks like a number, in digits or in words",
    "like_email": "it looks like an e-mail address",
}


def _add_properties() -> None:
    def id_property(attribute: int, doc: str) -> property:
        return property(
            lambda self: self._get(attribute),
            lambda self, value: self._set(attribute, value),
            doc=f"String id: {doc}.",
        )

    def string_property(attribute: int, doc: str) -> property:
        return property(
            lambda self: self._get_string(attribute),
            lambda self, value: self._set_string(attribute, value),
            doc=f"The word, {doc}.",
        )

    def flag_property(attribute: int, doc: str) -> property:
        return property(
            lambda self: self.check_flag(attribute),
            lambda self, value: self.set_flag(attribute, value),
            doc=f"Whether {doc}.",
        )

    for name, doc in _STRINGS.items():
        attribute = attrs.IDS[name.upper()]
        setattr(Lexeme, name, id_property(attribute, doc))
        setattr(Lexeme, f"{name}_", string_property(attribute, doc))
    for name, doc in _FLAGS.items():
        setattr(Lexeme, name, flag_property(attrs.IDS[name.upper()], doc))


_add_properties()
