"""Rules of shots: what they are about, what is highlighted, and what goes and comes between them."""

import re
from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from scenes.draw.atoms import Atom, Key, Line, Text, bounds
from scenes.draw.lapse import Lapse
from scenes.lint.moment import Moment, Problem, Rule
from scenes.lint.motion import speaks
from scenes.parts.question import Question, Takeaway
from scenes.parts.wires import Knock
from scenes.parts.wires import Wires as WiresPart
from scenes.stage.shot import Section, Shot

SHARE = 0.55
OBJECT, ATOM = 160.0, 48.0
OTHERS = 2
BESIDE = (Question, Takeaway, WiresPart, Knock)
SMALL = ("bit", "digit", "count", "ref", "number", "text")
"""What the last item of an atom's key calls things that are atoms: bits, counts, single numbers."""
PLAYHEAD = "cursor"
"""The line of code that runs: it is lit for as long as code is shown."""
WORDS = {
    "pool": "page memory cached room",
    "map": "page memory cached room",
    "tape": "page table token tile prompt",
    "bit": "bit mask set free",
    "digit": "bit mask set free",
    "ref": "holder holds ref refcount count reference",
    "slots": "slot token word K V",
    "number": "number table entry",
    "queue": "wait queue",
    "lru": "key row cached",
}
"""What else a sentence may call something, by a word of its key."""
APART, TOUCHING = 5.0, 4.0
"""Pixels between two wires from which on they are told apart, and how far they may run closer."""
NAMED = 4
"""Atoms that a finding of a seam names."""
SCROLLS = "code"
"""The part whose lines go out of sight and come back as it runs."""


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

    def section_began(self, moment: Moment, section: Section) -> None:
        self._measure(moment, section.beats[0])

    def look(self, moment: Moment) -> None:
        if moment.stage.shot is not None:
            self._measure(moment, moment.stage.shot)

    def _measure(self, moment: Moment, shot: Shot) -> None:
        if not shot.subject:
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
    """Width and height, in design pixels, of all atoms whose keys begin with `start`; a text counts with its line."""
    boxes = [bounds(atom) for key, atom in atoms.items() if key[: len(start)] == start and not _faint(atom)]
    if not boxes:
        return 0.0, 0.0
    return max(b[2] for b in boxes) - min(b[0] for b in boxes), max(b[3] for b in boxes) - min(b[1] for b in boxes)


def _faint(atom: Atom) -> bool:
    blank = (isinstance(atom, Text) and not atom.text) or (isinstance(atom, Line) and not atom.width)
    return atom.alpha <= 0.02 or blank


class Acting(Rule):
    """Every atom that acts is named by the caption, or by the question that stands over the picture:
    by an item of its key (a page's number, a request's name), or by a word for what it is."""

    name = "acting"

    def look(self, moment: Moment) -> Iterator[Problem]:
        if not moment.moved:
            return
        over = [part.text for part in moment.stage.parts if isinstance(part, (Question, Takeaway))]
        said = words_of(" ".join([moment.stage.caption, *over]))
        unnamed: dict[Key, None] = {}
        for key, atom in moment.atoms.items():
            if atom.acting and not speaks(key) and key[-1] != PLAYHEAD and not names_of(key) & said:
                unnamed[key[:-1] if len(key) > 2 else key] = None
        for key in unnamed:
            sentence = moment.stage.caption or "no sentence"
            yield Problem((str(key),), f"is highlighted, and {sentence!r} does not name it")


def words_of(text: str) -> set[str]:
    """The words of a sentence, in their singular, small letters but for single ones."""
    found = set()
    for word in [*re.findall(r"[\w-]+", text), *(word.strip(".,:;?!") for word in text.split())]:
        low = word if len(word) == 1 else word.lower()
        found |= {word, low, low.removesuffix("s"), low.removesuffix("es"), low.removesuffix("'s")}
    return found


def names_of(key: Key) -> set[str]:
    """How a sentence may call the atom: the items of its key, and words for what they are."""
    items = [str(item) for item in key]
    return {*items, *map(str.lower, items)}.union(*(words_of(WORDS.get(item, "")) for item in items))


class Wires(Rule):
    """No two arrows run along each other closer than 5 px."""

    name = "wires"

    def look(self, moment: Moment) -> Iterator[Problem]:
        if not moment.moved:
            return
        lines = {k: a.points for k, a in moment.atoms.items() if isinstance(a, Line) and a.head and a.alpha > 0.02}
        for (one, first), (other, second) in combinations(lines.items(), 2):
            length = shared(first, second)
            if length > TOUCHING:
                yield Problem((str(one), str(other)), f"share {length:.0f} px of their way")


def shared(first: np.ndarray, second: np.ndarray) -> float:
    """Pixels that two lines through points [n, 2] run along each other."""
    return max((_along(a, b, c, d) for a, b in pairwise(first) for c, d in pairwise(second)), default=0.0)


def _along(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> float:
    """How far the straight pieces a-b and c-d run beside each other."""
    length = float(np.hypot(*(b - a)))
    if length < 1e-6 or np.hypot(*(d - c)) < 1e-6:
        return 0.0
    way = (b - a) / length
    side = np.array([-way[1], way[0]])
    if max(abs(float((c - a) @ side)), abs(float((d - a) @ side))) > APART:
        return 0.0
    low, high = sorted((float((c - a) @ way), float((d - a) @ way)))
    return min(high, length) - max(low, 0.0)


class Seams(Rule):
    """Outside the header a section's first picture is that of the end before it, or it is a declared cut."""

    name = "seam"

    def __init__(self) -> None:
        self._last: dict[Key, Atom] | None = None

    def section_began(self, moment: Moment, section: Section) -> Iterator[Problem]:
        if self._last is None or section.cut:
            return
        now = below_header(moment)
        apart = [str(key) for key in {**self._last, **now} if self._last.get(key) != now.get(key)]
        if apart:
            yield Problem(tuple(apart[:NAMED]), f"{len(apart)} atoms differ from the end of the section before")

    def section_ended(self, moment: Moment, section: Section) -> None:
        self._last = below_header(moment)


def below_header(moment: Moment) -> dict[Key, Atom]:
    """The atoms of a picture but for the header's."""
    return {key: atom for key, atom in moment.atoms.items() if key[0] != "header"}


class Blink(Rule):
    """No atom goes and comes back equal within one shot, unless events of the run took it away and
    brought it back; a time-lapse may pass over both, and lines of code are scrolled."""

    name = "blink"

    def __init__(self) -> None:
        self._last: Mapping[Key, Atom] = {}
        self._at: Any = None
        self._gone: dict[Key, tuple[Atom, bool]] = {}

    def section_began(self, moment: Moment, section: Section) -> None:
        self._last, self._at = dict(moment.atoms), told(moment)

    def look(self, moment: Moment) -> Iterator[Problem]:
        event = told(moment) != self._at
        for key in [key for key in moment.atoms if key in self._gone]:
            atom, taken = self._gone.pop(key)
            if atom == moment.atoms[key] and not (taken and event) and not isinstance(moment.animation, Lapse):
                yield Problem((str(key),), "goes and comes back the same within a shot")
        gone = [key for key in self._last if key not in moment.atoms and key[0] != SCROLLS and not speaks(key)]
        self._gone |= {key: (self._last[key], event) for key in gone}
        self._last, self._at = dict(moment.atoms), told(moment)

    def shot_ended(self, moment: Moment, shot: Shot) -> None:
        self._gone = {}


def told(moment: Moment) -> tuple[int, str, int]:
    """What of the run the picture has reached: an event, lines of code, steps beyond the recording."""
    view = moment.stage.view
    return view.state.seq, repr(view.known), view.beyond
