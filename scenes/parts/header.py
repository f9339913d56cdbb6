"""The line above the picture: what the chapter is about, the step and its phase, and where the numbers come from."""

from dataclasses import dataclass

from astrai_sim.trace.header import UNKNOWN
from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Text
from scenes.draw.layout import Box
from scenes.measures import joined, measure, say, written
from scenes.parts.part import Atoms, Part, Read, Shown, View

WHAT = {"refill": "{} batch"}
"""What a phase is called where its name alone reads like a slip of another's, "prefill"."""


@dataclass(frozen=True)
class Header(Part):
    """The chapter's title at the left, step and phase at the right; with `phases` False only the title."""

    place = "header"

    title: str = ""
    phases: bool = True

    def draw(self, view: View, box: Box) -> Atoms:
        t, px = view.theme, theme.LABEL
        y = box.y + px / 2
        step = say("step {}", measure("step", view.state.step, "plain"))
        phase = written("phase.name", view.state.phase or "", "name")
        names = (WHAT.get(name, "{}").format(name) for name in ("prefill", *view.trace.header.phases))
        wide = max(fonts.width(name, "mono", px) for name in names)
        at = (box.right - wide - 32, y)
        room = min(0.6 * box.w, at[0] - fonts.width("step 9999", "mono", px) - box.x)
        title = fonts.fit(self.title, "sans-medium", px, room)
        yield (self.title,), Text(title, (box.x, y), px=px, face="sans-medium", color=t.muted)
        if not self.phases or view.state.step < 0:
            return
        yield ("step",), Text(step, at, px=px, face="mono", color=t.muted, align="right")
        if phase:
            named = say(WHAT.get(phase, "{}"), phase)
            yield ("phase",), Text(named, (box.right, y), px=px, face="mono", color=t.text, align="right")

    def read(self, shown: Shown) -> Read:
        """The phase, None between phases; nothing where the step does not stand."""
        said = {key[1]: str(mobject.text) for key, mobject in shown.items()}
        called = {what.format(phase): phase for phase, what in WHAT.items()}
        return {"phase": called.get(phase := said.get("phase"), phase)} if "step" in said else {}


@dataclass(frozen=True)
class Badge(Part):
    """Device, numbers' type and day of the recording, at the bottom right; of cache events engine and day, and that
    refcounts are not recorded."""

    place = "corner"

    def draw(self, view: View, box: Box) -> Atoms:
        header, px, t = view.trace.header, theme.LEAST_SIZE, view.theme
        day = written("header.day", header.started[:10], "name")
        words = header.device.name.replace("(R)", "").replace("(TM)", "").split()
        if header.device.type == "cpu" and "CPU" not in words:
            words.append("CPU")
        whole = written("header.device", " ".join(words), "name")
        second = say("scheduler only") if header.model == "none" else written("header.dtype", header.dtype, "name")
        if header.started:
            second = say("{} · {}", second, day)
        one_line = box.h < 2 * px
        room = box.w - fonts.width(say(" · {}", second), "sans", px) if one_line else box.w
        while len(words) > 1 and fonts.width(" ".join(words), "sans", px) > room:
            words.pop()
        first = say("device {}", whole) if header.device.name == UNKNOWN else whole.cut(0, len(" ".join(words)))
        if header.membership_only:
            engine = written("engine.name", header.engine.name, "name")
            second = say("refcounts not recorded")
            room = box.w - fonts.width(f" · {second}", "sans", px) if one_line else box.w
            first = fonts.fit(say("engine {} · {}", engine, day), "sans", px, room)
        if view.trace.unverified:
            first = say("UNVERIFIED")
            second = second if header.membership_only else say("trace of {}", day)
        if one_line:
            yield (0,), Text(joined(" · ", (first, second)), (box.right, box.cy), px=px, color=t.muted, align="right")
            return
        for i, text in enumerate((first, second)):
            yield (i,), Text(text, (box.right, box.bottom - 60 + i * 38), px=px, color=t.muted, align="right")
