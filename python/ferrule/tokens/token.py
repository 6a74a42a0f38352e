"""A token: a position in a document, with its attributes and its place in the dependency tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ferrule import attrs
from ferrule.tokens.morphanalysis import MorphAnalysis, normalize_features
from ferrule.tokens.parts_of_speech import check_pos, check_pos_id
from ferrule.tokens.similarity import cosine_similarity
from ferrule.tokens.token_attributes import FlagAttribute, IdAttribute, StringAttribute
from ferrule.tokens.token_tree import TokenTree
from ferrule.tokens.underscore import ExtensionMethods, Underscore

if TYPE_CHECKING:
    from ferrule.lexeme import Lexeme
    from ferrule.tokens.doc import Doc
    from ferrule.tokens.span import Span
    from ferrule.vocab import Vocab

_IOB_STRINGS = ("", "I", "O", "B")
_SENT_START_OF = {True: 1, False: 2**64 - 1, None: 0}


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


class Token(TokenTree, ExtensionMethods):
    """A word, punctuation mark, symbol or run of whitespace: a view of its document, made when asked for.

    `token.attr` is an id, `token.attr_` the string. Setting an attribute writes to the document.

    >>> from ferrule.tokens import Doc
    >>> from ferrule.vocab import Vocab
    >>> doc = Doc(Vocab(), words=["Good", "dog"], tags=["JJ", "NN"])
    >>> [(token.text, token.tag_, token.is_title) for token in doc]
    [('Good', 'JJ', True), ('dog', 'NN', False)]
    """

    __slots__ = ()

    def __init__(self, vocab: Vocab, doc: Doc, offset: int):
        """The token at `offset` of `doc`; IndexError outside it. `doc[offset]` is the usual way."""
        if not 0 <= offset < len(doc):
            raise IndexError(f"Token: position {offset} is outside the document of {len(doc)} tokens")
        self.doc = doc
        self.i = offset

    # --- of the word type, not settable ---
    lex_id = IdAttribute(attrs.ID, "Rank of the word type, the row of its vector in saved arrays.")
    rank = IdAttribute(attrs.ID, "The same as `lex_id`.")
    orth = IdAttribute(attrs.ORTH, "Id of the token's text.")
    orth_ = StringAttribute(attrs.ORTH, "The token's text.")
    lower = IdAttribute(attrs.LOWER, "Id of the lower-case form.")
    lower_ = StringAttribute(attrs.LOWER, "Lower-case form.")
    shape = IdAttribute(attrs.SHAPE, "Id of the word's shape.")
    shape_ = StringAttribute(attrs.SHAPE, "Shape of the word, such as `Xxxxx`.")
    prefix = IdAttribute(attrs.PREFIX, "Id of the first character.")
    prefix_ = StringAttribute(attrs.PREFIX, "First character.")
    suffix = IdAttribute(attrs.SUFFIX, "Id of the last three characters.")
    suffix_ = StringAttribute(attrs.SUFFIX, "Last three characters.")
    lang = IdAttribute(attrs.LANG, "Id of the vocabulary's language.")
    lang_ = StringAttribute(attrs.LANG, "Language of the vocabulary.")
    is_alpha = FlagAttribute(attrs.IS_ALPHA, "Only letters.")
    is_ascii = FlagAttribute(attrs.IS_ASCII, "Only ASCII characters.")
    is_digit = FlagAttribute(attrs.IS_DIGIT, "Only digits.")
    is_lower = FlagAttribute(attrs.IS_LOWER, "In lower case.")
    is_upper = FlagAttribute(attrs.IS_UPPER, "In upper case.")
    is_title = FlagAttribute(attrs.IS_TITLE, "In title case.")
    is_punct = FlagAttribute(attrs.IS_PUNCT, "Only punctuation.")
    is_space = FlagAttribute(attrs.IS_SPACE, "Only whitespace.")
    is_bracket = FlagAttribute(attrs.IS_BRACKET, "A bracket.")
    is_quote = FlagAttribute(attrs.IS_QUOTE, "A quotation mark.")
    is_left_punct = FlagAttribute(attrs.IS_LEFT_PUNCT, "Punctuation that opens.")
    is_right_punct = FlagAttribute(attrs.IS_RIGHT_PUNCT, "Punctuation that closes.")
    is_currency = FlagAttribute(attrs.IS_CURRENCY, "A currency symbol.")
    is_stop = FlagAttribute(attrs.IS_STOP, "On the language's stop list.")
    like_url = FlagAttribute(attrs.LIKE_URL, "Looks like a URL.")
    like_num = FlagAttribute(attrs.LIKE_NUM, "Looks like a number.")
    like_email = FlagAttribute(attrs.LIKE_EMAIL, "Looks like an e-mail address.")
    # --- of this token ---
    norm = IdAttribute(attrs.NORM, "Id of the norm.", writable=True)
    norm_ = StringAttribute(attrs.NORM, "Norm; the word type's unless set here.", writable=True)
    tag = IdAttribute(attrs.TAG, "Id of the fine-grained tag.", writable=True)
    tag_ = StringAttribute(attrs.TAG, "Fine-grained tag.", writable=True)
    dep = IdAttribute(attrs.DEP, "Id of the dependency label.", writable=True)
    dep_ = StringAttribute(attrs.DEP, "Dependency label.", writable=True)
    ent_type = IdAttribute(attrs.ENT_TYPE, "Id of the entity label.", writable=True)
    ent_type_ = StringAttribute(attrs.ENT_TYPE, "Entity label.", writable=True)
    ent_kb_id = IdAttribute(attrs.ENT_KB_ID, "Id of the entity's knowledge base id.", writable=True)
    ent_kb_id_ = StringAttribute(attrs.ENT_KB_ID, "The entity's knowledge base id.", writable=True)
    ent_id = IdAttribute(attrs.ENT_ID, "Id of the entity's id.", writable=True)
    ent_id_ = StringAttribute(attrs.ENT_ID, "The entity's id.", writable=True)
    lemma = IdAttribute(attrs.LEMMA, "Id of the lemma.", writable=True)
    lemma_ = StringAttribute(attrs.LEMMA, "Lemma.", writable=True)
    idx = IdAttribute(attrs.IDX, "Offset of the first character in the text.")
    ent_iob = IdAttribute(attrs.ENT_IOB, "3 begins an entity, 1 is inside, 2 outside, 0 is unset.")

    @property
    def ent_iob_(self) -> str:
        """`B`, `I`, `O`, or empty where entities are unset."""
        return _IOB_STRINGS[self.ent_iob]

    @classmethod
    def iob_strings(cls) -> tuple[str, ...]:
        """What each value of `ent_iob` stands for."""
        return _IOB_STRINGS

    @property
    def pos(self) -> int:
        """Id of the coarse part of speech."""
        return self.doc._get(attrs.POS, self.i)

    @pos.setter
    def pos(self, value: int) -> None:
        self.doc._set(attrs.POS, self.i, value)

    @property
    def pos_(self) -> str:
        """Coarse part of speech, one of Universal Dependencies' (and SPACE)."""
        return check_pos_id(self.pos)

    @pos_.setter
    def pos_(self, value: str) -> None:
        self.doc._set_string(attrs.POS, self.i, check_pos(value))

    @property
    def morph(self) -> MorphAnalysis:
        """The morphological features."""
        return MorphAnalysis.from_id(self.vocab, self.doc._get(attrs.MORPH, self.i))

    @morph.setter
    def morph(self, value: MorphAnalysis) -> None:
        if not isinstance(value, MorphAnalysis):
            raise TypeError(
                f"token.morph: expected MorphAnalysis, found {type(value).__name__}; use set_morph"
            )
        if value.vocab is not self.vocab:
            raise ValueError("token.morph: the analysis has another vocabulary than the document")
        self.doc._set(attrs.MORPH, self.i, value.key)

    def set_morph(self, features: str | dict[str, str] | int | MorphAnalysis | None) -> None:
        """Set the features: `"Case=Nom|Number=Sing"`, a dict, the id of such a string; None unsets them."""
        if features is None:
            self.doc._set(attrs.MORPH, self.i, 0)
        elif isinstance(features, MorphAnalysis):
            self.morph = features
        else:
            known = self.vocab.strings[features] if isinstance(features, int) else features
            self.doc._set_string(attrs.MORPH, self.i, normalize_features(known))

    def has_morph(self) -> bool:
        """Whether features are set, be they empty."""
        return self.doc._get(attrs.MORPH, self.i) != 0

    # --- text ---
    @property
    def vocab(self) -> Vocab:
        """The document's vocabulary."""
        return self.doc.vocab

    @property
    def lex(self) -> Lexeme:
        """The word type."""
        return self.vocab[self.orth]

    @property
    def text(self) -> str:
        """The token's text."""
        return self.doc._text(self.i, self.i + 1, False)

    @property
    def text_with_ws(self) -> str:
        """The token's text and the space behind it, if there is one."""
        return self.doc._text(self.i, self.i + 1, True)

    @property
    def whitespace_(self) -> str:
        """A space where one follows the token, else the empty string."""
        return " " if self.doc._get(attrs.SPACY, self.i) else ""

    @property
    def is_oov(self) -> bool:
        """True where the vocabulary has no vector for the word."""
        return not self.vocab.has_vector(self.orth)

    @property
    def prob(self) -> float:
        """Log probability of the word type, from the vocabulary's lookups."""
        return self.lex.prob

    @property
    def cluster(self) -> int:
        """Brown cluster of the word type, from the vocabulary's lookups."""
        return self.lex.cluster

    @property
    def sentiment(self) -> float:
        """What the user hook `sentiment` says, else the word type's sentiment."""
        hook = self.doc.user_token_hooks.get("sentiment")
        return hook(self) if hook else self.lex.sentiment

    def check_flag(self, flag_id: int) -> bool:
        """Whether the word type has the flag with this attribute id."""
        return bool(self.doc._get(flag_id, self.i))

    def nbor(self, i: int = 1) -> Token:
        """The token `i` positions further (before, if negative); IndexError outside the document."""
        position = self.i + i
        if not 0 <= position < len(self.doc):
            raise IndexError(f"nbor({i}): token {self.i} has no such neighbour in {len(self.doc)} tokens")
        return self.doc[position]

    # --- vectors ---
    @property
    def has_vector(self) -> bool:
        """Whether the word has a vector (or the user hook `has_vector` says so)."""
        hook = self.doc.user_token_hooks.get("has_vector")
        if hook:
            return bool(hook(self))
        if not len(self.vocab.vectors) and self.doc.tensor.size:
            return True
        return self.vocab.has_vector(self.orth)

    @property
    def vector(self) -> np.ndarray:
        """The word's vector, float32 (width,); without vectors, the row of `doc.tensor`."""
        hook = self.doc.user_token_hooks.get("vector")
        if hook:
            return hook(self)
        if not len(self.vocab.vectors) and self.doc.tensor.size:
            return self.doc.tensor[self.i]
        return self.vocab.get_vector(self.orth)

    @property
    def vector_norm(self) -> float:
        """Euclidean length of the vector."""
        hook = self.doc.user_token_hooks.get("vector_norm")
        return hook(self) if hook else float(np.linalg.norm(self.vector))

    @property
    def tensor(self) -> np.ndarray:
        """The token's row of `doc.tensor`; IndexError where the document has none."""
        return self.doc.tensor[self.i]

    def similarity(self, other: Any) -> float:
        """Cosine of the two vectors, 0.0 where either is zero; `other` is a Doc, Span, Token or Lexeme."""
        hook = self.doc.user_token_hooks.get("similarity")
        return hook(self, other) if hook else cosine_similarity(self, other)

    # --- sentences ---
    @property
    def sent(self) -> Span:
        """The sentence that the token is in; ValueError where boundaries are unset."""
        return self.doc[self.i : self.i + 1].sent

    @property
    def is_sent_start(self) -> bool | None:
        """Whether the token starts a sentence; None where unset. Settable while the document has no parse."""
        start = _signed(self.doc._get(attrs.SENT_START, self.i))
        return None if start == 0 else start > 0

    @is_sent_start.setter
    def is_sent_start(self, value: bool | None) -> None:
        if value not in (True, False, None):
            raise ValueError(f"token.is_sent_start: expected True, False or None, found {value!r}")
        if self.doc.has_annotation("DEP"):
            raise ValueError(
                "token.is_sent_start cannot be set in a document with a dependency parse: its "
                "sentences follow the trees; set boundaries before parsing"
            )
        self.doc._set(attrs.SENT_START, self.i, _SENT_START_OF[value])

    @property
    def sent_start(self) -> int:
        """1, -1 or 0 for yes, no and unset, spaCy's older name of `is_sent_start`."""
        return _signed(self.doc._get(attrs.SENT_START, self.i)) if self.i else 0

    @sent_start.setter
    def sent_start(self, value: bool | None) -> None:
        self.is_sent_start = value

    @property
    def is_sent_end(self) -> bool | None:
        """Whether the token ends a sentence; None where unset."""
        return True if self.i + 1 == len(self.doc) else self.doc[self.i + 1].is_sent_start

    @is_sent_end.setter
    def is_sent_end(self, value: bool | None) -> None:
        if self.i + 1 == len(self.doc):
            raise ValueError("token.is_sent_end: the last token always ends a sentence; it cannot be set")
        self.doc[self.i + 1].is_sent_start = value

    # --- as an object ---
    @property
    def _(self) -> Underscore:
        """The extension attributes."""
        return Underscore(Underscore.token_extensions, self, start=self.idx)

    def __len__(self) -> int:
        start, end = self.doc._char_range(self.i)
        return end - start

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def __bytes__(self) -> bytes:
        return self.text.encode("utf8")

    def __hash__(self) -> int:
        return hash((self.doc, self.i))

    def __reduce__(self) -> Any:
        raise NotImplementedError("a Token is a view and cannot be pickled; pickle its Doc instead")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Token) and self.doc is other.doc and self.i == other.i

    def _compare(self, other: object, compare: Callable[[int, int], bool]) -> Any:
        # As in spaCy, tokens of different documents are ordered by their positions.
        return compare(self.i, other.i) if isinstance(other, Token) else NotImplemented

    def __lt__(self, other: object) -> Any:
        return self._compare(other, int.__lt__)

    def __le__(self, other: object) -> Any:
        return self._compare(other, int.__le__)

    def __gt__(self, other: object) -> Any:
        return self._compare(other, int.__gt__)

    def __ge__(self, other: object) -> Any:
        return self._compare(other, int.__ge__)


def make_token(doc: Doc, i: int) -> Token:
    """The token at a position that is known to be inside the document."""
    token = Token.__new__(Token)
    token.doc = doc
    token.i = i
    return token
