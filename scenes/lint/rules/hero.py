"""Every shot is about something, and shows it large."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scenes.draw.atoms import Atom, Key, Line, Text, bounds
from scenes.lint.moment import Moment, Problem, Rule
from scenes.parts.question import Question, Takeaway
from scenes.parts.wires import Knock, Wires
from scenes.stage.shot import Section, Shot

SHARE = 0.55
OBJECT, ATOM = 160.0, 48.0
OTHERS = 2
BESIDE = (Question, Takeaway, Wires, Knock)
SMALL = ("bit", "digit", "count", "ref", "number", "text")
"""What the last item of an atom's key calls things that are atoms: bits, counts, single numbers."""


class Hero(Rule):
    """A shot names its subject; the part that it belongs to takes at least 55 % of the stage's width
    or height, and the subject is at least 160 px long, or, where it is a bit or a number, 48 px high, on a
    screen whose short side has 1080.

    The largest picture of the shot counts: what it is about may be gone at its end. At most two other
    parts are lit at its end; sentences, wires and readouts below 160 px are none.
    """

    name = "hero"

    def __init__(self) -> None:
        self._hero = self._long = self._high = 0.0

    def section_began(self, moment: Moment, section: Section) -> Iterator[Problem]:
        self._measure(moment, section.beats[0])
        yield from ()

    def look(self, moment: Moment) -> Iterator[Problem]:
        if moment.stage is not None and moment.stage.shot is not None:
            self._measure(moment, moment.stage.shot)
        yield from ()

    def _measure(self, moment: Moment, shot: Shot) -> None:
        if moment.stage is None or not shot.subject:
            return
        frame = moment.stage.view.frame
        w, h = extent(moment.atoms, (shot.hero,))
        self._hero = max(self._hero, w / frame.stage.w, h / frame.stage.h)
        w, h = (frame.zoom * size for size in extent(moment.atoms, shot.subject))
        self._long, self._high = max(self._long, w, h), max(self._high, h)

    def shot_ended(self, moment: Moment, shot: Shot) -> Iterator[Problem]:
        self._measure(moment, shot)
        about = (f"Shot {shot.caption or ''!r}",)
        hero, longest, high = self._hero, self._long, self._high
        self._hero = self._long = self._high = 0.0
        lit = [part.key for part in shot.parts if part.lit and not isinstance(part, BESIDE)]
        others = [key for key in lit if key != shot.hero and extent(moment.atoms, (key,))[1] >= OBJECT]
        if len(others) > OTHERS:
            yield Problem(about, f"{', '.join(others)} are lit beside its hero: at most {OTHERS}")
        if not shot.subject:
            yield Problem(about, "names no subject")
        elif not longest:
            yield Problem(about, f"nothing on the picture begins with its subject {shot.subject}")
        elif hero < SHARE - 5e-3:
            yield Problem(about, f"its hero {shot.hero!r} takes {hero:.0%} of the stage: at least {SHARE:.0%}")
        elif shot.subject[-1] in SMALL:
            if high < ATOM - 0.5:
                yield Problem(about, f"its subject {shot.subject} is {high:.0f} px high: at least {ATOM:.0f}")
        elif longest < OBJECT - 0.5:
            yield Problem(about, f"its subject {shot.subject} is {longest:.0f} px long: at least {OBJECT:.0f}")


def extent(atoms: Mapping[Key, Atom], start: Key) -> tuple[float, float]:
    """Width and height, in design pixels, of all atoms whose keys begin with `start`; a text counts
    with its line."""
    boxes = [bounds(atom) for key, atom in atoms.items() if key[: len(start)] == start and not _faint(atom)]
    if not boxes:
        return 0.0, 0.0
    return max(b[2] for b in boxes) - min(b[0] for b in boxes), max(b[3] for b in boxes) - min(b[1] for b in boxes)


def _faint(atom: Atom) -> bool:
    return (
        atom.alpha <= 0.02 or (isinstance(atom, Text) and not atom.text) or (isinstance(atom, Line) and not atom.width)
    )
