"""The stage: composes pictures of parts, and plays shots by bringing one picture to the next."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from manim import Animation, Mobject

from astrai_sim.trace import State, Trace
from scenes.draw import motion
from scenes.draw.atoms import Atom, Key, Move, Picture, Text
from scenes.draw.canvas import Canvas, Change, Plan, Unseen
from scenes.draw.lapse import Lapse
from scenes.draw.layout import Box
from scenes.draw.running import Running
from scenes.parts.header import Badge, Header
from scenes.parts.layout import layout
from scenes.parts.part import Part, View
from scenes.parts.question import Caption
from scenes.stage.shot import Act, Section, Shot
from scenes.story.limits import reading_time

LEAD = 0.8
"""Seconds by which a sentence stands before what it speaks of happens."""
STILL, STANDS = 0.3, 1.1
"""Seconds that a picture stands at most while its sentence is read; movements stretch for the rest. And seconds for
which, stretched by more than others, one may stand at the end of what moved."""
OVER_MOTION = 1.25
"""Reading a sentence takes at most this many times as long as its movement."""
SLOWEST = 4.0
BEGINS, ENDS = ("step_begin", "phase_begin"), ("step_end", "phase_end")
"""Events that change nothing but which step and phase it is."""


class Scene(Protocol):
    """What a stage needs of the scene that it plays in."""

    clock: float

    def add(self, *mobjects: Mobject) -> object: ...

    def play(self, *animations: Animation) -> None: ...

    def hold(self, seconds: float) -> None: ...


@dataclass
class Step:
    """A movement worked out: to `picture`, over `pictures` on the way, in `seconds` at a pace of 1.

    One with `run`, the picture at each share of the way, takes `seconds` at any pace. Before it begins the picture is
    that of `lead`: what happens in a phase is seen to happen in it.
    """

    view: View
    picture: Picture
    seconds: float
    moves: Sequence[Move] = ()
    pictures: Sequence[Picture] = ()
    times: Sequence[float] = ()
    plan: Plan | None = None
    changes: bool = False
    run: Callable[[float], Picture] | None = None
    lead: tuple[View, Picture] | None = None


class Stops(Sequence[Picture]):
    """The pictures of a time-lapse, each made by `picture` of its event when it is asked for, but the
    `last`; the one that was asked for before is kept."""

    def __init__(self, seqs: Sequence[int], picture: Callable[[int], Picture], last: Picture) -> None:
        self.seqs, self.picture = seqs, lru_cache(1)(picture)
        self.last = last

    def __len__(self) -> int:
        return len(self.seqs) + 1

    def __getitem__(self, index: int) -> Picture:  # type: ignore[override]
        return self.last if index in (-1, len(self.seqs)) else self.picture(self.seqs[index])


class Stage:
    """What a section shows, and how shots change it.

    `view` is the moment that is shown, or that the running movement leads to, `parts` are those that are shown, the
    hero first, `boxes` is where each stands, by its key; `rests` are (start, end), in film seconds, of pauses that a
    shot declared. One that is not `seen` has no mobjects.
    """

    def __init__(self, scene: Scene, view: View, section: Section, seen: bool = True) -> None:
        self.scene = scene
        self.section = section
        self.view = view.at(section.start)
        self.canvas = Canvas(view.frame) if seen else Unseen(view.frame)
        self.parts: tuple[Part, ...] = ()
        self.boxes: dict[str, Box] = {}
        self.shot: Shot | None = None
        self.caption = ""
        self.heading = section.title if section.heading is None else section.heading
        self.rests: list[tuple[float, float]] = []
        self._read_by = 0.0

    @property
    def trace(self) -> Trace:
        """The trace that the section is told from."""
        return self.view.trace

    @property
    def state(self) -> State:
        """The state that is shown."""
        return self.view.state

    def mount(self) -> None:
        """Put the section's first picture on the scene: that on which the one before ended."""
        last, start = self.section.before, self.section.start
        shot, act = (self.section.beats[0], self.section.beats[0].acts[0]) if last is None else (last, last.acts[-1])
        self.parts, self.caption = act.parts, shot.caption or ""
        if last is not None:
            self.view = self.view.at(start, act.known if act.until == start else None)
        picture, self.boxes = self._compose(self.view, _begun(act) if last is None else act.parts)
        self.canvas.show(picture)
        if last is None:
            self._read_by = self.scene.clock + reading_time(self.caption)
        self.scene.add(self.canvas)

    def play(self, shot: Shot) -> None:
        """Bring the picture through the acts of `shot`, slowly enough for its sentence to be read."""
        self.shot = shot
        fresh = shot.caption is not None and shot.caption != self.caption
        if fresh:
            self.scene.hold(self._read_by - self.scene.clock)
            self.caption = shot.caption or ""
        steps = self._steps(shot)
        read = self._read_by - self.scene.clock
        needed = reading_time(self.caption) + motion.LEAVE + motion.APPEAR if fresh else read
        paces = self._paces(shot, steps, needed - STILL, reading_time(self.caption) / OVER_MOTION if fresh else 0.0)
        began = self.scene.clock
        for step, pace in zip(steps, paces, strict=True):
            waits = step.changes and fresh and not step.pictures
            if step.lead is not None:
                self._led(*step.lead, seen=waits)
            if waits:
                self.scene.hold(began + LEAD - self.scene.clock)
                fresh = False
            self._run(step, pace)
        self._read_by = max(self._read_by, began + needed)
        self.parts = shot.parts
        if shot.rest:
            now = self.scene.clock
            self.scene.hold(shot.rest)
            self.rests.append((now, self.scene.clock))

    def _led(self, view: View, picture: Picture, seen: bool) -> None:
        """Show `picture`, in which step and phase are new: at once, or so that it is `seen` where there is time."""
        if seen:
            plan = Plan(view.frame, self.canvas.atoms, picture, (), 0.0)
            self._run(Step(view, picture, plan.seconds, plan=plan, changes=True), 1.0)
        else:
            self.view = view
            self.canvas.show(picture)

    def settle(self) -> None:
        """Leave time to read; all stays for the section that follows."""
        self.scene.hold(max(self._read_by - self.scene.clock, motion.AFTER))

    def read(self) -> dict:
        """What the mobjects show now that is no text, read back from them, and in which theme."""
        found: dict = {"theme": self.view.theme.name}
        for part in self._whole(self.parts):
            shown = part.read({key: m for key, m in self.canvas.shown.items() if key[0] == part.key})
            for name, value in shown.items():
                both = isinstance(value, dict) and isinstance(found.get(name), dict)
                found[name] = found[name] | value if both else value
        return found

    def _paces(self, shot: Shot, steps: Sequence[Step], moving: float, least: float) -> list[float]:
        """How many times as long as it needs each step takes, for all to take `moving` seconds.

        Under a new sentence, which wants movement for `least` seconds, what only leads to the first event takes no
        longer than it needs, so that this comes soon, but where what follows cannot be stretched so far, or would
        stand for more than `STANDS` seconds.
        """
        steady = [step.run is not None or bool(step.pictures) for step in steps]
        free = [0.0 if one else step.seconds for step, one in zip(steps, steady, strict=True)]
        fixed = sum(step.seconds for step, one in zip(steps, steady, strict=True) if one)
        first = next((i for i, step in enumerate(steps) if step.changes), 0) if least else 0
        quick = min(1.0, shot.pace)
        slow = _share(max(moving, least) - fixed, sum(free))
        if first:
            flips = [0.0 if step.plan is None else step.plan.flip for step in steps]
            ahead = max(quick * sum(free[:first]), 0.0 if steady[first] else LEAD)
            going = sum(seconds for seconds, flip in zip(free[first:], flips[first:], strict=True) if flip)
            wanted = least - quick * sum(flips[:first]) - fixed
            later = max(_share(moving - ahead - fixed, sum(free[first:])), _share(wanted, going))
            stands = max(seconds - flip for seconds, flip in zip(free[first:], flips[first:], strict=True))
            first, slow = (first, later) if later <= SLOWEST and later * stands <= STANDS else (0, slow)
        return [quick] * first + [max(quick, min(SLOWEST, slow)) * max(1.0, shot.pace)] * (len(steps) - first)

    def _run(self, step: Step, pace: float) -> None:
        before = self.view.seq
        self.view = step.view
        if step.run is not None:
            self.scene.play(Running(self.canvas, step.run, step.seconds))
            return
        if step.pictures:
            seconds = step.seconds * (self.shot.pace if self.shot else 1.0)
            self.view = replace(self.view, lapse=(before, step.view.seq, seconds))
            self.scene.play(Lapse(self.canvas, step.pictures, seconds, step.times))
            self.view = replace(self.view, lapse=None)
            return
        seconds = max(step.seconds * pace, 1 / 60)
        accent = self.view.theme.accent
        change = Change(self.canvas, step.picture, step.moves, seconds, accent, same=not step.changes, plan=step.plan)
        if change.still:
            self.scene.hold(step.seconds * pace)
        else:
            self.scene.play(change)

    def _steps(self, shot: Shot) -> list[Step]:
        """The movements of a shot, worked out from the picture that stands now."""
        steps: list[Step] = []
        atoms: dict[Key, Atom] = dict(self.canvas.atoms)
        view, boxes = self.view, self.boxes
        for act in shot.acts:
            self.parts = act.parts
            set_up, placed = self._compose(view, _begun(act))
            if self.heading != self.section.title and not _but_words(set_up, atoms):
                self.heading = self.section.title
                set_up, placed = self._compose(view, _begun(act))
            later = act.running or act.until > view.seq or act.stops or act.known != view.known
            if set_up != atoms and not ((act.running or act.stops) and _but_words(set_up, atoms)):
                shift = self._shift(boxes, placed)
                moves = [m for part in act.parts for m in part.moves(atoms, set_up, view, view)]
                plan = Plan(view.frame, atoms, set_up, moves, shift)
                seconds = plan.seconds if act.seconds is None or later else act.seconds
                steps.append(Step(view, set_up, seconds, moves, plan=plan))
                atoms = dict(set_up)
            elif act.seconds and not later:
                steps.append(Step(view, set_up, act.seconds))
            boxes = placed
            if later:
                lead = self._lead(act, view, atoms)
                self.heading = self.section.title
                step = self._act(act, *(lead or (view, atoms)))
                step.lead, view = lead, view.at(act.until, act.known)
                steps.append(step)
                atoms = dict(step.picture)
        self.boxes = boxes
        return steps

    def _lead(self, act: Act, view: View, atoms: Picture) -> tuple[View, Picture] | None:
        """The moment when the phase has begun in which an act's first event is, and its picture; None where that is so
        already, or where more would change by then than step and phase, and amounts that grow with time."""
        if act.running or act.stops or not self.section.phases:
            return None
        seq = begun = view.seq
        while seq < min(act.until, len(self.trace) - 1) and (kind := self.trace[seq + 1].event) in (*BEGINS, *ENDS):
            seq += 1
            begun = seq if kind in BEGINS else begun
        if begun == view.seq:
            return None
        then = view.at(begun, view.known)
        picture, _ = self._compose(then, act.parts)
        others = [key for key in {*picture, *atoms} if key[0] != Header.place and picture.get(key) != atoms.get(key)]
        amounts = all(getattr(picture.get(key), "late", False) for key in others)
        return (then, picture) if amounts else None

    def _act(self, act: Act, view: View, atoms: Picture) -> Step:
        after = view.at(act.until, act.known)
        picture, _ = self._compose(after, act.parts)
        if act.running:
            return Step(after, picture, act.seconds or 1.0, run=lambda share: self._run_to(after, act, share))
        if act.stops:
            seqs = [seq for seq in act.stops if seq < act.until]
            times = act.times or tuple((i + 1) / (len(seqs) + 1) for i in range(len(seqs) + 1))
            seconds = act.seconds or 0.1 * len(times)

            def stop(seq: int) -> Picture:
                return self._compose(replace(view.at(seq), lapse=self.view.lapse), act.parts)[0]

            return Step(after, picture, seconds, (), Stops(seqs, stop, picture), times, changes=True)
        moves = [move for part in act.parts for move in part.moves(atoms, picture, view, after)]
        plan = Plan(view.frame, atoms, picture, moves, motion.CHANGE)
        return Step(after, picture, act.seconds or plan.seconds, moves, plan=plan, changes=True)

    def _run_to(self, view: View, act: Act, share: float) -> Picture:
        """What running parts look like at a share of their way."""
        return self._compose(view, [part.during(share) for part in act.parts])[0]

    def _whole(self, parts: Sequence[Part]) -> list[Part]:
        """The parts, and those that stand in every picture."""
        return [*parts, Header(self.heading, self.section.phases), Caption(self.caption), Badge()]

    def _compose(self, view: View, parts: Sequence[Part]) -> tuple[dict[Key, Atom], dict[str, Box]]:
        """The picture of `parts` at a moment, and where they stand."""
        whole = self._whole(parts)
        boxes = layout(whole, view)
        picture: dict[Key, Atom] = {}
        for part in whole:
            picture.update(part.pictured(view, boxes[part.key]))
        for part in whole:
            picture.update(((part.key, *key), atom) for key, atom in part.link(view, picture, boxes[part.key]))
        return picture, boxes

    def _shift(self, before: dict[str, Box], after: dict[str, Box]) -> float:
        """Seconds in which parts move to their new places: those of a camera move where any does."""
        moved = [key for key in after if key in before and before[key] != after[key]]
        return max((motion.push(after[key].h / max(before[key].h, 1)) for key in moved), default=motion.CHANGE)


def _share(of: float, by: float) -> float:
    """`of` divided by `by`; where that is nothing, nothing or endless."""
    return of / by if by > 0 else math.inf if of > 0 else 0.0


def _begun(act: Act) -> Sequence[Part]:
    """The parts with which an act begins."""
    return [part.during(0.0) for part in act.parts] if act.running else act.parts


def _but_words(a: Picture, b: Picture) -> bool:
    """Whether two pictures differ only in texts that come and go at once."""
    return all(
        isinstance(atom := a.get(key, b.get(key)), Text) and atom.early for key in {*a, *b} if a.get(key) != b.get(key)
    )
