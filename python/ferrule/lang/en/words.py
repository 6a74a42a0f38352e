"""English words that carry little meaning, and words for numbers."""

from __future__ import annotations

_CARDINALS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred
thousand
""".split()

_ORDINALS = """
first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth
fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth fortieth
fiftieth sixtieth seventieth eightieth ninetieth hundredth thousandth
""".split()

_POWERS = [f"{latin}illion" for latin in "m b tr quadr quint sext sept oct non dec".split()] + [
    "gajillion",
    "bazillion",
]

NUMBER_WORDS: frozenset[str] = frozenset(
    [*_CARDINALS, *_ORDINALS, *_POWERS, *(f"{power}th" for power in _POWERS)]
)
"""Words for numbers and places in an order, in lower case, without compounds such as `twenty-one`."""

ORDINAL_ENDINGS = ("st", "nd", "rd", "th")
"""What makes digits an ordinal."""
