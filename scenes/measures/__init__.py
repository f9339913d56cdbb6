"""Numbers that viewers can read, and the sentences that they stand in.

Whatever a film writes with a digit in it is a `Said`: wording without digits, and measures.
A measure says what of what it is, so that `scenes.check` can have it computed again by
`scenes.truth`. Nothing else of the project is imported here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from string import Formatter
from typing import Any

from scenes.measures.forms import FORMS


@dataclass(frozen=True)
class Measure:
    """`value` of `name`, taken of `args`, written in `form` (a key of `FORMS`).

    Without the argument `at`, the number of an event, a measure of a state is *live*: it
    says what holds at the moment that the picture shows.
    """

    name: str
    args: tuple[tuple[str, Any], ...]
    value: Any
    form: str = "count"

    def __str__(self) -> str:
        return FORMS[self.form](self.value)

    @property
    def label(self) -> str:
        """What of what, as reports write it: `request.ttft(task=E)`."""
        return f"{self.name}({', '.join(f'{name}={value}' for name, value in self.args)})"


def measure(name: str, value: Any, form: str = "count", /, **args: Any) -> Measure:
    """The measure called `name` of `args`. Raises KeyError for a form that there is not."""
    if form not in FORMS:
        raise KeyError(f"no form is called {form!r}: {', '.join(FORMS)}")
    return Measure(name, tuple(sorted(args.items())), value, form)


@dataclass(frozen=True)
class CutMeasure:
    """The characters from `start` to before `end` of how a measure is written."""

    measure: Measure
    start: int
    end: int

    def __str__(self) -> str:
        return str(self.measure)[self.start : self.end]


Part = str | Measure | CutMeasure


class Said(str):
    """A text made of wording and measures; it is a plain string to everybody who only draws it.

    Raises ValueError where the wording has a digit: a digit is a measure's, or nobody can vouch for it.
    """

    parts: tuple[Part, ...]

    def __new__(cls, parts: Iterable[Part] = ()) -> "Said":
        kept = tuple(part for part in parts if str(part))
        for part in kept:
            if isinstance(part, str) and any(letter.isdigit() for letter in part):
                raise ValueError(f"a digit that is no measure's in {part!r}")
        text = super().__new__(cls, "".join(map(str, kept)))
        text.parts = kept
        return text

    def __reduce__(self) -> tuple[type["Said"], tuple[tuple[Part, ...]]]:
        return type(self), (self.parts,)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measures in it, in order; one that is only written in part included."""
        found = (part.measure if isinstance(part, CutMeasure) else part for part in self.parts)
        return tuple(part for part in found if isinstance(part, Measure))

    def cut(self, start: int, end: int) -> "Said":
        """The characters from `start` to before `end`, with the parts that they belong to."""
        kept: list[Part] = []
        at = 0
        for part in self.parts:
            size = len(str(part))
            low, high = max(0, start - at), min(size, end - at)
            at += size
            if low >= high:
                continue
            if isinstance(part, str):
                kept.append(part[low:high])
            elif isinstance(part, CutMeasure):
                kept.append(CutMeasure(part.measure, part.start + low, part.start + high))
            else:
                kept.append(part if (low, high) == (0, size) else CutMeasure(part, low, high))
        return Said(kept)

    def lines(self, lines: Iterable[str]) -> "list[Said]":
        """Its `lines`, broken at blanks, each with its own parts; several blanks in a row may stand as one in them."""
        found, at = [], 0
        for line in lines:
            place = re.compile(r"\s+".join(map(re.escape, line.split()))).search(str(self), at)
            if place is None:
                raise ValueError(f"{line!r} is no line of {str(self)!r}")
            at = place.end()
            found.append(self.cut(place.start(), at))
        return found

    def capitalised(self) -> "Said":
        """The same with its first letter a capital, where that letter is wording."""
        if not self.parts or not isinstance(self.parts[0], str):
            return self
        first = self.parts[0]
        return Said((first[:1].upper() + first[1:], *self.parts[1:]))

    def __add__(self, other: str) -> "Said":
        return joined("", (self, other))


def _parts(value: object) -> tuple[Part, ...]:
    if isinstance(value, Said):
        return value.parts
    if isinstance(value, (str, Measure, CutMeasure)):
        return (value,)
    raise TypeError(f"{value!r} is no measure and no text: give it a name with `measure`")


def say(wording: str, /, *values: Part, **named: Part) -> Said:
    """`wording` with measures (or texts said before) in its braces, as for `str.format`.

    Raises ValueError for a digit in the wording, TypeError for a bare number.
    """
    parts: list[Part] = []
    numbered = iter(values)
    for literal, field, spec, conversion in Formatter().parse(wording):
        parts.append(literal)
        if field is None:
            continue
        if spec or conversion:
            raise ValueError(f"a format in {wording!r}: formats belong to measures")
        parts += _parts(named[field] if field else next(numbered))
    return Said(parts)


def written(name: str, value: Any, form: str = "plain", /, **args: Any) -> Said:
    """A measure, given as for `measure`, and nothing else."""
    return Said((measure(name, value, form, **args),))


def clipped(text: str, start: int, end: int | None = None) -> str:
    """The characters of `text` from `start` to before `end`; a `Said` stays one."""
    return text.cut(start, len(text) if end is None else end) if isinstance(text, Said) else text[start:end]


def joined(separator: str, items: Iterable[Part]) -> Said:
    """`items` with `separator` between them."""
    parts: list[Part] = []
    for index, item in enumerate(items):
        parts += ([separator] if index else []) + list(_parts(item))
    return Said(parts)
