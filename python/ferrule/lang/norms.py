"""Normal forms of every language: quotes, dashes and full-width signs as ASCII, currencies as dollars."""

from __future__ import annotations

_SAME = {
    "'s": ["'S", "’s", "’S"],
    "'": ["’", "‘", "´", "`"],
    '"': ["”", "“", "''", "``", "´´", "„", "»", "«", "‘‘", "’’"],
    "-": ["—", "–", "--", "---", "——"],
    "...": ["…"],
    ".": ["。", "।"],
    "?": ["？"],
    "!": ["！"],
    ",": ["，"],
    ";": ["；"],
    ":": ["："],
    "$": "€ £ ¥ ฿ US$ C$ A$ ₺ ₹ ৳ ₩ Mex$ ₣ E£".split(),
}

EVERYWHERE: dict[str, str] = {"'s": "'s"} | {form: norm for norm, forms in _SAME.items() for form in forms}
"""Normal forms by string."""
