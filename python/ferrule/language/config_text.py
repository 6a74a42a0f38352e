"""Where the settings of a config file stand, and which of its lines are none."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ferrule.errors import nearest_names

__all__ = ["ConfigText"]

HEADER = re.compile(r"\[([^\[\]]+)\]\s*([#;].*)?$")
SETTING = re.compile(r"([^\s=:#;\[][^=:]*?)\s*[=:]")


@dataclass
class ConfigText:
    """The text of a config file, line by line.

    lines: the number of the line, from 1, by the names of the sections and the setting, such as
    ``("training", "optimizer", "learn_rate")``; a section stands there by its own names. problems: number
    and message of each line that cannot be read, in order.

    >>> text = ConfigText.of("[nlp]\\nlang = \\"en\\"\\npipeline []\\n")
    >>> text.lines["nlp", "lang"], text.problems[0][0]
    (2, 3)
    """

    lines: dict[tuple[str, ...], int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> ConfigText:
        """What the lines of `text` are; nothing is raised."""
        found = cls()
        section: tuple[str, ...] | None = None
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip() or line.lstrip().startswith(("#", ";")):
                continue
            header = HEADER.match(line.strip()) if not line[0].isspace() else None
            setting = SETTING.match(line)
            if header:
                section = tuple(header[1].strip().split("."))
                found._add(section, number, f"the section [{'.'.join(section)}]")
            elif line[0].isspace():
                pass  # goes on with the value above
            elif section is None:
                found.problems.append((number, f"expected a section such as [nlp] first, found {line!r}"))
            elif setting:
                found._add((*section, setting[1]), number, f"{setting[1]!r}")
            else:
                found.problems.append((number, f"expected [section] or name = value, found {line.strip()!r}"))
        found._check_parents()
        return found

    def line_of(self, place: tuple[str, ...]) -> int | None:
        """The line of the setting or section `place`, or of the nearest section around it; None without."""
        for length in range(len(place), 0, -1):
            if place[:length] in self.lines:
                return self.lines[place[:length]]
        return None

    def _add(self, place: tuple[str, ...], number: int, what: str) -> None:
        if place in self.lines:
            self.problems.append((number, f"{what} is there twice, first in line {self.lines[place]}"))
        self.lines.setdefault(place, number)

    def _check_parents(self) -> None:
        """A section's parents must be sections too."""
        sections = [".".join(place) for place in self.lines]
        missing = set()
        for place, number in list(self.lines.items()):
            for length in range(1, len(place) - 1):
                parent = place[:length]
                if parent in self.lines or parent in missing:
                    continue
                missing.add(parent)
                name = ".".join(parent)
                near = nearest_names(name, [each for each in sections if each.count(".") == name.count(".")])
                hint = f"; is it [{near[0]}] in line {self.lines[tuple(near[0].split('.'))]}?" if near else ""
                message = f"[{'.'.join(place[:-1])}] is part of [{name}], which is not there{hint}"
                self.problems.append((number, message))
        self.problems.sort(key=lambda problem: problem[0])
