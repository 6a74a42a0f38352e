"""What is peeled off words and where they are split, in languages that say nothing else.

Each entry is a Python pattern; prefixes are tried at the start of a string, suffixes at its end.
"""

from __future__ import annotations

from ferrule.lang.characters import LETTERS, LOWER, SYMBOLS, UPPER

# Inside character classes.
PUNCTUATION = r"…,:;!?¿؟¡()\[\]{}<>_#*&。？！，、；：～·।،۔؛٪"
QUOTES = "'\"”“`‘´’‚„»«「」『』（）〔〕【】《》〈〉⟦⟧"
CONCATENATED_QUOTES = "'\"”“`‘´’‚,„»«「」『』（）〔〕【】《》〈〉⟦⟧"
CURRENCY_SIGNS = "$£€¥฿﷼\u20a0-\u20a9\u20ab-\u20bf"

ELLIPSIS = r"\.\.+"
_SYMBOL = f"[{SYMBOLS}]"
HYPHENS = "(?:-|–|—|--|---|——|~)"

_LENGTHS = "km km² km³ m m² m³ dm dm² dm³ cm cm² cm³ mm mm² mm³ ha µm nm yd in ft"
_WEIGHTS = "kg g mg µg t lb oz"
_SPEEDS_AND_PRESSURES = "m/s km/h kmh mph hPa Pa mbar"
_DATA = "mb MB kb KB gb GB tb TB T G M K %"
_CYRILLIC_UNITS = (
    "км км² км³ м м² м³ дм дм² дм³ см см² см³ мм мм² мм³ нм кг г мг м/с км/ч кПа Па мбар "
    "Кб КБ кб Мб МБ мб Гб ГБ гб Тб ТБ тб"
)
_ARABIC_UNITS = "كم كم² كم³ م م² م³ سم سم² سم³ مم مم² مم³ غرام جرام جم كغ ملغ كوب اكواب"
_UNITS = "|".join(
    " ".join([_LENGTHS, _WEIGHTS, _SPEEDS_AND_PRESSURES, _DATA, _CYRILLIC_UNITS, _ARABIC_UNITS]).split()
)

PREFIXES: tuple[str, ...] = (
    "[§%=—–]",
    r"\+(?![0-9])",
    f"[{PUNCTUATION}]",
    ELLIPSIS,
    f"[{QUOTES}]",
    r"(?:US|C|A)\$",
    f"[{CURRENCY_SIGNS}]",
    _SYMBOL,
)
"""What is peeled off the front; a plus sign only where no digit follows."""

SUFFIXES: tuple[str, ...] = (
    f"[{PUNCTUATION}]",
    "……",
    ELLIPSIS,
    f"[{QUOTES}]",
    _SYMBOL,
    "['’][sS]",
    "[—–]",
    # After a number: a plus sign, a currency, a unit.
    r"(?<=[0-9])\+",
    rf"(?<=[0-9])(?:(?:US|C|A)\$|[{CURRENCY_SIGNS}])",
    f"(?<=[0-9])(?:{_UNITS})",
    # A full stop after a temperature, a small letter, a digit, a sign, or two capitals, but not after one.
    r"(?<=°[FfCcKk])\.",
    rf"(?<=[0-9{LOWER}%²\-+|{PUNCTUATION}{QUOTES}])\.",
    rf"(?<=[{UPPER}][{UPPER}])\.",
)
"""What is peeled off the back."""


def infixes(before_hyphen: str) -> tuple[str, ...]:
    """Where words are split inside.

    before_hyphen: what may stand before a hyphen, as the inside of a character class, besides letters.
    """
    letter = f"[{LETTERS}]"
    return (
        ELLIPSIS,
        "…",
        _SYMBOL,
        # Arithmetic between digits.
        r"(?<=[0-9])[+\-*^](?=[0-9-])",
        # A full stop between the end of a sentence and the beginning of the next.
        rf"(?<=[{LOWER}{CONCATENATED_QUOTES}])\.(?=[{UPPER}{CONCATENATED_QUOTES}])",
        f"(?<={letter}),(?={letter})",
        f"(?<=[{LETTERS}{before_hyphen}]){HYPHENS}(?={letter})",
        f"(?<=[{LETTERS}0-9])[:<>=/](?={letter})",
    )


INFIXES: tuple[str, ...] = infixes(before_hyphen="")
"""Where words are split inside; hyphens between letters only."""
