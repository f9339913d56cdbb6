"""The mobjects of one section, built from a replayed state and changed by beats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from manim import Animation, Group

from astrai_sim.trace import State, Trace
from scenes.draw.layout import Box
from scenes.old.animations import Appear, Flash, Vanish
from scenes.old.mobjects.badge import Badge
from scenes.old.mobjects.caption import Caption
from scenes.old.mobjects.header import ChapterTitle
from scenes.old.parts import PARTS
from scenes.old.parts.part import Lapse, Part
from scenes.old.parts.setting import ALWAYS, Setting
from scenes.old.stage.directions import direct
from scenes.old.stage.passages import passages
from scenes.old.stage.reading import STILL, Reader, TimedScene
from scenes.story.beats import Beat, Section

P = TypeVar("P", bound=Part)
PAGES = "pool"
NUDGED_FIRST = ("tables",)


class Stage:
    """What a section shows, and how beats change it.

    `mount` builds everything from the state at the section's start; `play`
    runs one beat; `settle` ends the section; `read` says what is shown.

    Attributes
    ----------
    setting
        What the parts are given.
    state
        The state that is shown.
    parts
        The parts on stage now, by name, in drawing order.
    panel
        What stands in the panel's place, or None.
    waited
        Seconds that the last beat waited for the caption before it to be read.
    """

    def __init__(self, scene: TimedScene, trace: Trace, section: Section) -> None:
        self.scene = scene
        self.trace = trace
        self.section = section
        self.setting = Setting.of(trace, section)
        self.looks, self.plan = self.setting.looks, self.setting.plan
        self.state: State = trace.state_at(section.start)
        self.parts: dict[str, Part] = {}
        self._made: dict[str, Part] = {}
        self.title = ChapterTitle(section.title, self.plan.title)
        self.caption = Caption(self.plan.caption)
        self.badge = Badge(trace.header, self.plan.badge, trace.unverified)
        self.reader = Reader(scene, self.caption)
        self.panel: Any = None
        self.opening: list[Animation] = []
        self.waited = 0.0
        self._stood = 0.0

    def part(self, name: str) -> Part:
        """The part called `name`, made when it is first asked for."""
        if name not in self._made:
            self._made[name] = PARTS[name](self.setting)
        return self._made[name]

    def shown(self, kind: type[P]) -> P:
        """The part of that kind, which is on stage."""
        part = self.parts[kind.name]
        assert isinstance(part, kind)
        return part

    def bring(self, name: str) -> Part:
        """Count a part as on stage, showing the state that is shown now."""
        part = self.part(name)
        part.show(self.state)
        self.parts = {n: self.part(n) for n in PARTS if n in self.parts or n == name}
        return part

    def mount(self) -> None:
        """Put the section's first picture on the scene.

        A section that goes on from another one has its title fade in.
        """
        for name in PARTS:
            if name in self.setting.cast & {*ALWAYS, *self.section.stage}:
                self.scene.add(*self._brought(name))
        self.scene.add(self.badge, self.caption)
        if self.section.start < 0:
            self.scene.add(self.title)
        else:
            self.opening = [Appear(self.title)]

    def _brought(self, name: str) -> list[Group]:
        return self.bring(name).mobjects()

    def play(self, beat: Beat) -> None:
        """Run one beat; afterwards the stage shows the state after event `beat.until`."""
        self.waited = 0.0
        if beat.caption is not None:
            self.waited = self.reader.missing()
            self.linger(self.waited)
            self.opening += self.caption.change(beat.caption)
        direct(self, beat)
        if self.opening:
            self.animate([])
        if beat.until > self.state.seq:
            self.advance(beat.until, 0.6)

    def settle(self) -> None:
        """Leave time to read, then clear what does not go over into the next section.

        Of a section that says so everything stays.
        """
        self.linger(self.reader.missing())
        if self.section.stays:
            return
        leaving = [Vanish(self.title)]
        if self.caption.current is not None:
            leaving.append(Vanish(self.caption))
        if self.panel is not None:
            leaving.append(Vanish(self.panel))
            self.panel = None
        self.scene.play(*leaving)

    def read(self) -> dict:
        """What the mobjects show now, read back from them."""
        shown: dict = {}
        for part in self.parts.values():
            shown |= part.read()
        if hasattr(self.panel, "read"):
            shown |= self.panel.read()
        return shown

    def animate(self, animations: list[Animation]) -> None:
        """Play `animations` together with what is waiting for the next play."""
        animations = self.opening + animations
        fresh_caption = any(a.mobject is self.caption.current for a in self.opening)
        self.opening = []
        if animations:
            self.scene.play(*animations)
            self._stood = 0.0
        if fresh_caption:
            self.reader.started()

    def linger(self, seconds: float) -> None:
        """Wait for `seconds`, drawing the eye back to the tables when the picture stands long."""
        while self._stood + seconds > STILL:
            pause = max(0.0, STILL - 0.7 - self._stood)
            self.scene.hold(pause)
            self.scene.play(*self._nudge())
            seconds -= pause + 0.7
            self._stood = 0.0
        self.scene.hold(seconds)
        self._stood += max(0.0, seconds)

    def _nudge(self) -> list[Animation]:
        first = [self.parts[name].nudge() for name in NUDGED_FIRST if name in self.parts]
        panel: list[list[Animation]] = [[Flash(self.panel.back)]] if self.panel is not None else []
        rest = [part.nudge() for part in self.parts.values()]
        return next(filter(None, first + panel + rest))

    def advance(self, until: int, seconds: float) -> None:
        """Bring every part to the state after event `until`.

        With the pool on stage, many steps are a time-lapse: all parts show the same moment
        of it at any time.
        """
        if until <= self.state.seq or PAGES not in self.parts:
            self.change(self.trace.state_at(until), seconds)
            return
        for passage in passages(self.trace, self.state, until, seconds):
            if passage.even:
                self.lapse(passage.stops, passage.seconds)
            else:
                self.change(passage.stops[-1], passage.seconds)

    def change(self, state: State, seconds: float) -> None:
        """Bring every part to `state` in one movement."""
        self.state = state
        self.animate([a for part in self.playing() for a in part.change(state, seconds)])

    def lapse(self, stops: Sequence[State], seconds: float) -> None:
        """Have every part show the states `stops`, each for as long as the others."""
        states = [self.state, *stops]
        times = tuple(i / len(stops) for i in range(len(states)))
        frames = [[part.frame(state) for state in states] for part in self.playing()]
        self.state = stops[-1]
        lapse = Lapse(times, self.state, seconds)
        self.animate(
            [
                animation
                for part, seen in zip(self.playing(), frames, strict=True)
                for animation in part.lapse(lapse, seen)
            ]
        )

    def playing(self) -> list[Part]:
        """The parts that can be seen: those that stand in the panel's place only without one."""
        return [p for p in self.parts.values() if not p.in_panel or self.panel is None]

    def open_panel(self, panel: Group | None) -> None:
        """Put `panel` into the panel's place; None gives the place back to the parts there."""
        fillers = [part for part in self.parts.values() if part.in_panel]
        leaving: list[Animation] = [Vanish(self.panel, seconds=0.3)] if self.panel is not None else []
        for part in fillers:
            leaving += part.leave()
        self.panel = panel
        if panel is not None:
            coming: list[Animation] = [Appear(panel, delay=0.3 if leaving else 0.0)]
        else:
            coming = [a for part in fillers for a in part.change(self.state, 0.5)]
        self.animate(leaving + coming)

    @property
    def panel_box(self) -> Box:
        """Where a panel may stand: more room while there is no pool below it."""
        pool = {"pool", "map"} & self.parts.keys()
        box = self.plan.panel if pool else self.plan.tall_panel
        for part in self.parts.values():
            box = part.beside(box)
        return box
