"""Special cases of every language: white space, emoticons, abbreviations of one letter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from ferrule.attrs import NORM, ORTH

SpecialCases: TypeAlias = "dict[str, list[dict[int, str]]]"


def case(tokens: Iterable[str | tuple[str, str]]) -> tuple[str, list[dict[int, str]]]:
    """A special case from its tokens, each a string or a string with its normal form.

    >>> case([("gon", "going"), ("na", "to")])
    ('gonna', [{65: 'gon', 67: 'going'}, {65: 'na', 67: 'to'}])
    """
    parts = [
        {ORTH: token} if isinstance(token, str) else {ORTH: token[0], NORM: token[1]} for token in tokens
    ]
    return "".join(part[ORTH] for part in parts), parts


def cases(*groups: Iterable[Iterable[str | tuple[str, str]]]) -> SpecialCases:
    """Special cases by string, of several groups; later ones win."""
    return dict(case(tokens) for group in groups for tokens in group)


def with_typographic_apostrophe(special_cases: Mapping[str, list[dict[int, str]]]) -> SpecialCases:
    """The special cases, and each with `'` also with `’`. Normal forms keep the straight one."""
    more: SpecialCases = dict(special_cases)
    for string, tokens in special_cases.items():
        if "'" in string:
            curled = [{**token, ORTH: token[ORTH].replace("'", "’")} for token in tokens]
            more[string.replace("'", "’")] = curled
    return more


_SPACES: list[list[str | tuple[str, str]]] = [[" "], ["\t"], ["\n"], ["\\t"], ["\\n"], [("\xa0", "  ")]]

_SINGLE_LETTERS = [[f"{letter}."] for letter in "abcdefghijklmnopqrstuvwxyzäöü"]

_TEMPERATURES = [["°", scale, "."] for scale in "CFKcfk"]

_QUOTES_AND_SIGNS = [["'"], ["''"], ["—"], ['\\")'], ["<space>"], ["C++"]]

_SMILEYS = """
:) :-) :)) :-)) :))) :-))) (: (-: =) (= :] :-] [: [-: =] [= :o) (o: :} :-} 8) 8-) (-8 ;) ;-) (; (-;
:') :'-) :’) :’-)
:( :-( :(( :-(( :((( :-((( ): )-: =( ]= >:( :() :'( :'-( :’( :’-(
:P :-P :p :-p :O :-O :o :-o >:o :0 :-0 :D :-D ;D ;-D 8D 8-D =D =[ =3 :3 :-3 :1 :> :-> :* :-* :X :-X :x :-x
:/ :-/ =/ :| :-| =| xD XD xDD XDD <3 <33 <333 </3 ><(((*>
""".split()

_FACES = """
^_^ ^__^ ^___^ >.< >.> <.< ._. ;_; -_- -__- v.v V.V v_v V_V @_@ o_o o_O O_o O_O o.o o.O O.o O.O
0_0 0_o o_0 0.0 0.o o.0 (*_*) (-_-) (._.) (>_<) (^_^) (¬_¬) ಠ_ಠ (ಠ_ಠ) ಠ︵ಠ ¯\\(ツ)/¯ (╯°□°）╯︵┻━┻
""".split()

EVERYWHERE: SpecialCases = cases(
    _SPACES, _SINGLE_LETTERS, _TEMPERATURES, _QUOTES_AND_SIGNS, ([face] for face in _SMILEYS + _FACES)
)
"""Special cases that no language speaks against."""
