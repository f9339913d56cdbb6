"""The canvas: what is drawn of a picture, and how one picture becomes the next.

Whoever tells a film only says what a picture looks like; what leaves, moves and comes is worked
out here, once for all parts.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from manim import Group, Scene

from scenes import theme
from scenes.draw import fonts, motion
from scenes.draw.animation import FilmAnimation
from scenes.draw.atoms import FLYING, Atom, Block, Cells, Grid, Key, Line, Move, Picture, Text, bounds, fits
from scenes.draw.crossing import NEAR, crossing
from scenes.draw.drawn import drawn
from scenes.draw.layout import Frame
from scenes.draw.track import Track

LATE = 0.6
"""Share of a movement after which things come that make use of the place."""


class Canvas(Group):
    """The mobjects of a picture, by key: `atoms` is what they show."""

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self.frame = frame
        self.atoms: dict[Key, Atom] = {}
        self.shown: dict[Key, Any] = {}

    def get_family(self, recurse: bool = True) -> list[Any]:
        """Itself and its mobjects, which have none of their own."""
        return [self, *self.submobjects] if recurse else [self]

    def update(self, dt: float = 0, recursive: bool = True) -> Self:
        """Nothing: its mobjects have no updaters."""
        return self

    def show(self, picture: Picture) -> None:  # type: ignore[override]
        """Show `picture` at once."""
        for key, atom in picture.items():
            before = self.atoms.get(key)
            if before is None or not fits(before, atom):
                self.add_atom(key, atom)
            elif before is not atom:
                if before != atom:
                    self.shown[key].say(atom)
                    self.shown[key].put(atom.vector())
                    self.shown[key].z_index = atom.z
                self.atoms[key] = atom
        self.shown = {key: self.shown[key] for key in picture}
        self.atoms = {key: self.atoms[key] for key in picture}
        self.submobjects = [*self.shown.values()]

    def add_atom(self, key: Key, atom: Atom) -> Any:
        """Draw an atom that is not there yet; gives its mobject."""
        self.shown[key], self.atoms[key] = drawn(atom, self.frame), atom
        return self.shown[key]


class Unseen(Canvas):
    """A canvas that nobody looks at: it has `atoms` and no mobjects."""

    def show(self, picture: Picture) -> None:  # type: ignore[override]
        """Take over `picture`. Raises ValueError for a letter that the fonts do not have, as drawing it would."""
        for key, atom in picture.items():
            if isinstance(atom, Text) and self.atoms.get(key) is not atom:
                fonts.shape(atom.text, atom.face)
        self.atoms = dict(picture)


class Plan:
    """When what happens while the picture `before` becomes `after`, in seconds at a pace of 1.

    `leaving`, `coming` and `changing` are keys; `flights` are the seconds of each of `moves`, the last
    of which has `landed` then; shapes, of which any may have `moved`, change over `objects` seconds,
    of which a front passes over cells in `swept`, from an order on and over a range of it as `front`
    says (None without one); texts swap at `flip`; all is over after `seconds`.
    `scale` is how many times as large a grid becomes: a camera move, which all that changes takes part in.
    """

    def __init__(self, frame: Frame, before: Picture, after: Picture, moves: Sequence[Move], shift: float) -> None:
        self.leaving = [key for key in before if key not in after or not fits(before[key], after[key])]
        self.coming = [key for key in after if key not in before or not fits(before[key], after[key])]
        gone = set(self.leaving)
        self.changing = [key for key in before if key not in gone and before[key] != after[key]]
        self.flights = [move.seconds or motion.flight(float(_ways(move).sum()), frame.width) for move in moves]
        self.landed = max((m.delay + s for m, s in zip(moves, self.flights, strict=True)), default=0.0)
        self.swept, self.moved = 0.0, False
        passed: list[float] = []
        scales = [_scale(before[key], after[key]) for key in self.changing]
        self.scale = max(scales, key=lambda scale: abs(np.log(scale)), default=1.0)
        for key in self.changing:
            old, new = before[key], after[key]
            if isinstance(new, Cells) and isinstance(old, Cells):
                fresh = np.any(new.fills != old.fills, axis=1)
                if fresh.any():
                    self.swept = max(self.swept, motion.POP)
                fresh &= (old.fills[:, 3] > 0) | (old.vector()[8 * len(fresh) : -1].reshape(-1, 4)[:, 3] > 0)
                if new.order is not None and fresh.sum() > 2 and _place(old, new) <= NEAR:
                    passed += new.order[fresh].tolist()
            both = isinstance(new, Text) and isinstance(old, Text)
            self.moved |= not both or np.hypot(*np.subtract(new.at, old.at)) > NEAR  # type: ignore[attr-defined]
        self.front = (min(passed), max(max(passed) - min(passed), 1e-9)) if passed else None
        if passed:
            self.swept = max(self.swept, motion.sweep(len(passed)))
        come = any(not isinstance(after[key], Text) for key in self.coming)
        self.objects = max(self.swept, shift if self.moved or come else 0.0)
        if self.scale != 1.0:
            self.objects = max(self.objects, motion.push(self.scale))
        self.flip = self.landed + self.objects
        fresh = [k for k in self.changing if getattr(before[k], "text", None) != getattr(after[k], "text", None)]
        texts = [atom for key in (*self.coming, *fresh) if isinstance(atom := after[key], Text)]
        early = {atom.early for atom in texts if not passed or atom.order is None}
        glow = motion.GLOW if False in early else 0.0
        fade = motion.LEAVE if self.leaving and not self.objects else 0.0
        self.seconds = max(self.flip + glow + fade, motion.LEAVE + motion.APPEAR if True in early else 0.0)


def _scale(old: Atom, new: Atom) -> float:
    """How many times as large a grid becomes, both ways together; 1 for all else and for little."""
    if not isinstance(old, Grid) or not isinstance(new, Grid):
        return 1.0
    scale = float(np.sqrt(new.box.w * new.box.h / max(1e-9, old.box.w * old.box.h)))
    return scale if max(scale, 1 / max(scale, 1e-9)) > motion.FAR else 1.0


def _ways(move: Move) -> np.ndarray:
    """Pixels of each straight part of a flight."""
    edges = np.array([bounds(atom) for atom in (move.start, *move.via, move.end)])
    return np.hypot(*np.diff((edges[:, :2] + edges[:, 2:]) / 2, axis=0).T)


class Change(FilmAnimation):
    """Bring a canvas from the picture `before` to another; texts have swapped after `flip` seconds.

    First what leaves goes, texts only with all that they stand at, and what flies is on its way; then shapes
    take their new colours and a front passes over cells; then all texts that say something else swap in one
    frame, and glow, and frames become others; so numbers are always of one moment, and never before what they
    count. `seconds` is how long all of that takes, the glow as long as ever; default: what the movements need.
    Where both pictures are of the `same` moment, what leaves goes first, texts too, and what comes waits for what
    moves. A `plan` for these pictures and moves that was made before is kept to.
    """

    def __init__(
        self,
        canvas: Canvas,
        picture: Picture,
        moves: Sequence[Move] = (),
        seconds: float | None = None,
        accent: str = theme.ACCENT,
        shift: float = motion.CHANGE,
        same: bool = False,
        plan: Plan | None = None,
    ) -> None:
        self.canvas, self.picture, self.moves, self.same = canvas, dict(picture), list(moves), same
        self.accent = np.array(theme.rgb(accent))
        self.before: Picture = dict(canvas.atoms)
        self.plan = plan or Plan(canvas.frame, self.before, self.picture, self.moves, shift)
        self.leaving, self.coming, self.changing = self.plan.leaving, self.plan.coming, self.plan.changing
        natural = self.plan.seconds
        self.factor = 1.0
        if seconds is not None and natural:
            rest = natural - self.plan.flip if seconds > natural and self.plan.flip else 0.0
            self.factor = (seconds - rest) / (natural - rest)
        length = natural if seconds is None or not natural else seconds
        super().__init__(Group(), max(length, 1 / 60))
        self.flip = self.plan.flip * self.factor

    @property
    def still(self) -> bool:
        """Whether nothing changes."""
        return not (self.leaving or self.coming or self.changing or self.moves)

    def prepare(self) -> None:
        canvas, plan, f = self.canvas, self.plan, self.factor
        before = self.before
        self.tracks: list[Track] = []
        ways = self.ways = crossing(before, self.picture)
        self.leaves = min(motion.LEAVE, 0.6 * self.flip) if ways.first or ways.hidden else 0.0
        self.arrives = self.flip - (min(motion.APPEAR, 0.3 * self.flip) if ways.hidden else 0.0)
        words = {key: atom for key, atom in self.picture.items() if isinstance(atom, Text)}
        orders = {key: order for key in ways.behind if (order := words[key].order) is not None}
        ends: dict[Key, float] = {}
        late, parted = {key[0] for key in ways.last}, {key[0] for key in ways.apart}
        on_way = {key[:2] for key in self.changing if _moves(before[key], self.picture[key])}
        named = {key[:-1] for key in self.leaving if not isinstance(before[key], Text)}
        named -= {key[:-1] for key in self.picture}
        swapped = set() if self.same else _swapped(before, self.picture, self.leaving, self.coming)
        for key in self.leaving:
            atom = before[key]
            vector, begins = atom.vector(), 0.0
            stays = isinstance(atom, Text) and not (atom.early or self.same or key in ways.first or key[:-1] in named)
            order = atom.order if isinstance(atom, Text) else None
            if stays and plan.front is not None and order is not None:
                taken = [orders[other] for other, under in ways.behind.items() if key in under and other in orders]
                begins = self._reached(min([order, *taken]))
                stays = False
            if key in swapped:
                begins = self.flip
            seconds = max(1e-3, self.flip) if stays else self.leaves or motion.LEAVE
            falls = atom.falls if isinstance(atom, Text) else 0.0
            gone, ease = vector + np.eye(1, len(vector), 1)[0] * falls, _leaving(stays and not falls)
            self.tracks.append(Track(canvas.shown[key], vector, gone, begins, seconds, ease, (1, 0)))
            ends[key] = begins + seconds
        self.old = [canvas.shown[key] for key in self.leaving]
        freed = motion.LEAVE if self.leaving or ways.hidden else 0.0
        for key in self.leaving:
            canvas.shown.pop(key)
            canvas.atoms.pop(key)
        for key in self.coming:
            atom = self.picture[key]
            mobject = canvas.add_atom(key, atom)
            vector = atom.vector()
            begins = plan.landed * f + (LATE * plan.objects * f if self.same and plan.moved else 0.0)
            if plan.scale != 1.0:
                begins = max(begins, self.flip - motion.APPEAR)
            if isinstance(atom, Text):
                begins = motion.LEAVE if atom.early else max(begins, freed) if self.same else self.flip
                if atom.order is not None and plan.front is not None:
                    begins = self._reached(atom.order)
                begins = max([begins, *(ends[other] for other in ways.behind.get(key, ()))])
                if key in ways.last or (self.same and (key[:2] in on_way if atom.early else key[0] in late)):
                    begins = max(begins, self.flip)
            elif key[0] in parted:
                begins = max(begins, self.arrives)
            if key in swapped:
                begins = self.flip
            begins = min(begins, self.seconds - 1e-3)
            fades = min(motion.APPEAR, self.seconds - begins)
            self.tracks.append(Track(mobject, vector, vector, begins, fades, motion.out_cubic, (0, 1)))
        for key in self.changing:
            self.tracks.append(self._changed(key, before[key], self.picture[key]))
            canvas.atoms[key] = self.picture[key]
        self.flyers: list[Any] = []
        for move, seconds in zip(self.moves, plan.flights, strict=True):
            self._fly(move, seconds)
        canvas.submobjects = [*self.old, *(canvas.shown[k] for k in self.picture), *self.flyers]
        self.mobject = Group(*(track.mobject for track in self.tracks))

    def _changed(self, key: Key, old: Atom, new: Atom) -> Track:
        """How an atom changes: it moves when those have gone that it would cross, until those come that were hidden."""
        mobject, f = self.canvas.shown[key], self.factor
        start, end = old.vector(), new.vector()
        lifted = any(key[:n] in self.ways.lifted for n in range(1, len(key)))
        mobject.z_index = max(old.z, new.z) + FLYING * lifted
        if isinstance(new, Text) and isinstance(old, Text):
            moved = float(np.hypot(*(end[:2] - start[:2]))) > NEAR
            hidden = key in self.ways.hidden
            begins = self._begins(new) if moved else self.flip
            seconds = self.arrives - begins if moved and not hidden else 0.0
            words: dict[str, Any] = {"says": new, "glow": new.text != old.text, "accent": self.accent}
            return Track(mobject, start, end, begins, seconds, motion.in_out, hidden=hidden, **words)
        begins, seconds = self.plan.landed * f, max(1e-3, self.plan.objects * f)
        shape = _place(old, new)
        if shape > NEAR:
            begins = self._begins(new)
            seconds = max(1e-3, self.arrives - begins)
        mobject.say(new)
        if key in self.ways.hidden:
            return Track(mobject, start, end, self.leaves, 0.0, motion.linear, hidden=True)
        if isinstance(new, Cells) and isinstance(old, Cells):
            start, end = _where_sized(start, end, len(new.edges))
        ease = motion.linear if new.steady else motion.in_out
        track = Track(mobject, start, end, begins, seconds, ease, scale=self.plan.scale)
        if isinstance(new, Cells) and new.order is not None and self.plan.front is not None and shape <= NEAR:
            order = np.repeat(self._late(new.order), 4)
            track.late = np.concatenate([np.zeros_like(order), order, order, [0.0]])
        return track

    def _begins(self, new: Atom) -> float:
        """When what becomes `new` begins to move."""
        return max(self.leaves, self.arrives - motion.COUNTED) if new.late and not self.same else self.leaves

    def _late(self, order: np.ndarray | float) -> np.ndarray:
        """When the front reaches what has this `order`, from 0 to 1."""
        assert self.plan.front is not None
        low, span = self.plan.front
        return np.clip((np.asarray(order) - low) / span, 0.0, 1.0)

    def _reached(self, order: float) -> float:
        """Seconds after which the front reaches what has this `order`."""
        return (self.plan.landed + self.plan.objects * float(self._late(order))) * self.factor

    def _fly(self, move: Move, seconds: float) -> None:
        f = self.factor
        start, end = move.start.vector(), move.end.vector()
        mobject = drawn(move.start, self.canvas.frame)
        mobject.z_index = FLYING
        way = end[:2] - start[:2]
        arc = np.array([way[1], -way[0]]) * motion.ARC if not isinstance(move.start, (Cells, Line)) else None
        ease = motion.recoil if move.back else motion.in_out
        track = Track(mobject, start, end, move.delay * f, seconds * f, ease, (1, 1), arc=arc)
        if move.via:
            track.arc, track.knots = None, np.array([start, *(atom.vector() for atom in move.via), end])
            track.shares = np.cumsum([0.0, *_ways(move)]) / _ways(move).sum()
        if isinstance(move.start, Block) and not move.back:
            track.leaves = self.plan.landed * f
        self.tracks.append(track)
        self.flyers.append(mobject)

    def apply(self, progress: float) -> None:
        elapsed = progress * self.seconds
        for track in self.tracks:
            track.at(elapsed, self.flip, self._seen(track, elapsed) if track.hidden else 1.0)

    def _seen(self, track: Track, elapsed: float) -> float:
        """The share that is seen of one that is hidden on its way, after `elapsed` seconds."""
        back = self.flip if track.glow else self.arrives
        fades = min(motion.APPEAR, max(1e-3, self.seconds - back))
        share = 1 - elapsed / self.leaves if elapsed < self.leaves else (elapsed - back) / fades
        return min(1.0, max(0.0, share))

    def finish(self) -> None:
        super().finish()
        self.canvas.show(self.picture)
        for key in self.changing:
            self.canvas.shown[key].z_index = self.picture[key].z

    def clean_up_from_scene(self, scene: Scene) -> None:
        self.canvas.show(self.picture)

    def skip(self) -> None:
        self.canvas.show(self.picture)


def _leaving(stays: bool) -> motion.Easing:
    """How a text goes that stands until all texts swap; all else fades."""
    return (lambda t: float(t >= 1)) if stays else motion.in_cubic


def _swapped(before: Picture, after: Picture, leaving: Sequence[Key], coming: Sequence[Key]) -> set[Key]:
    """Blocks of one thing of which one goes and the other comes in its place, which they do with the texts: frames."""
    gone, come = (
        {(key[:-1], atom.box): key for key in keys if isinstance(atom := picture[key], Block)}
        for picture, keys in ((before, leaving), (after, coming))
    )
    return {found[place] for place in gone.keys() & come.keys() for found in (gone, come)}


def _where_sized(start: np.ndarray, end: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The vectors of `n` cells, those without a size at one end standing where they do at the other."""
    edges = [v[: 4 * n].reshape(n, 4) for v in (start, end)]
    none = [np.any(e[:, 2:] <= e[:, :2], axis=1)[:, None] for e in edges]
    first, last = np.where(none[0], edges[1], edges[0]), np.where(none[1], edges[0], edges[1])
    return np.concatenate([first.ravel(), start[4 * n :]]), np.concatenate([last.ravel(), end[4 * n :]])


def _moves(old: Atom, new: Atom) -> bool:
    """Whether that is a block that goes to another place."""
    return isinstance(new, Block) and isinstance(old, Block) and _place(old, new) > NEAR


def _place(old: Atom, new: Atom) -> float:
    """How far apart two atoms of one kind stand, in pixels; cells without a size stand anywhere."""
    if isinstance(old, Cells) and isinstance(new, Cells):
        sized = [np.all(e[:, 2:] > e[:, :2], axis=1) for e in (old.edges, new.edges)]
        both = sized[0] & sized[1]
        return float(np.abs(old.edges[both] - new.edges[both]).max(initial=0.0))
    return float(np.max(np.abs(np.subtract(bounds(old), bounds(new)))))
