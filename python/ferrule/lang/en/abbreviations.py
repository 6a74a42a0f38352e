"""Abbreviations that keep their full stop, and clock times."""

from __future__ import annotations

from ferrule.lang.exceptions import SpecialCases, cases

# Abbreviations whose normal form is the word.
_STATES = {
    "Ak.": "Alaska",
    "Ala.": "Alabama",
    "Ariz.": "Arizona",
    "Ark.": "Arkansas",
    "Calif.": "California",
    "Colo.": "Colorado",
    "Conn.": "Connecticut",
    "Del.": "Delaware",
    "Fla.": "Florida",
    "Ga.": "Georgia",
    "Ia.": "Iowa",
    "Id.": "Idaho",
    "Ill.": "Illinois",
    "Ind.": "Indiana",
    "Kan.": "Kansas",
    "Kans.": "Kansas",
    "Ky.": "Kentucky",
    "La.": "Louisiana",
    "Mass.": "Massachusetts",
    "Mich.": "Michigan",
    "Minn.": "Minnesota",
    "Miss.": "Mississippi",
    "N.C.": "North Carolina",
    "N.D.": "North Dakota",
    "N.H.": "New Hampshire",
    "N.J.": "New Jersey",
    "N.M.": "New Mexico",
    "N.Y.": "New York",
    "Neb.": "Nebraska",
    "Nebr.": "Nebraska",
    "Nev.": "Nevada",
    "Okla.": "Oklahoma",
    "Ore.": "Oregon",
    "Pa.": "Pennsylvania",
    "S.C.": "South Carolina",
    "Tenn.": "Tennessee",
    "Va.": "Virginia",
    "Wash.": "Washington",
    "Wis.": "Wisconsin",
}

_MONTHS = {
    "Jan.": "January",
    "Feb.": "February",
    "Mar.": "March",
    "Apr.": "April",
    "Jun.": "June",
    "Jul.": "July",
    "Aug.": "August",
    "Sep.": "September",
    "Sept.": "September",
    "Oct.": "October",
    "Nov.": "November",
    "Dec.": "December",
}

_OTHERS = {"Mt.": "Mount", "w/o": "without", "and/or": "and/or"}

# Abbreviations that are their own normal form.
_PLAIN = """
Adm. Bros. Co. co. Corp. D.C. Dr. E.G. E.g. e.g. Gen. Gov. I.E. I.e. i.e. Inc. Jr. Ltd. Md. Messrs.
Mo. Mont. Mr. Mrs. Ms. Ph.D. Prof. Rep. Rev. Sen. St. a.m. p.m. v.s. vs.
""".split()

_HALVES_OF_THE_DAY = {"am": "a.m.", "a.m.": "a.m.", "pm": "p.m.", "p.m.": "p.m."}

ABBREVIATIONS: SpecialCases = cases(
    ([short] for short in _PLAIN),
    ([pair] for pair in (_STATES | _MONTHS | _OTHERS).items()),
    ([str(hour), (half, norm)] for hour in range(1, 13) for half, norm in _HALVES_OF_THE_DAY.items()),
)
"""Special cases: abbreviations and clock times such as `8pm`."""
