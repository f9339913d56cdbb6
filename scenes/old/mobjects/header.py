"""Chapter title, step counter and the scheduler's four phases."""

from __future__ import annotations

from collections.abc import Sequence

from manim import Animation, Group

from scenes import theme
from scenes.draw import fonts
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.measures import Said, measure, say
from scenes.old.animations import Paint, SwapText, replay_text
from scenes.old.mobjects.shapes import Panel

TITLE_SHARE = 0.52
PHASES = ("cleanup", "refill", "prefill", "decode")


class ChapterTitle(Group):
    """The chapter's title at the top left, smaller where it would reach the phases."""

    def __init__(self, text: str, box: Box) -> None:
        room = TITLE_SHARE * box.w
        px = theme.TITLE * min(1.0, room / fonts.width(text, "sans-bold", theme.TITLE))
        px = max(px, theme.BODY)
        shown = fonts.fit(text, "sans-bold", px, room)
        self.label = Label(shown, px, "sans-bold", theme.TEXT, (box.x, box.cy))
        super().__init__(self.label)


class PhaseIndicator(Group):
    """Step number and the phase that the scheduler is in, right-aligned in `box`."""

    def __init__(self, box: Box) -> None:
        self.pills: dict[str, Panel] = {}
        self.labels: dict[str, Label] = {}
        x = box.right
        for phase in reversed(PHASES):
            w = fonts.width(phase, "sans-medium", theme.SMALL) + 32
            x -= w
            self.pills[phase] = Panel(
                Box(x, box.cy - 22, w, 44), fill=theme.PANEL, stroke=theme.OUTLINE, radius=22, stroke_px=1.5
            )
            self.labels[phase] = Label(
                phase, theme.SMALL, "sans-medium", theme.MUTED, (x + w / 2, box.cy), "center", background=theme.PANEL
            )
            x -= 10
        self.step_label = Label("", theme.SMALL, "mono", theme.MUTED, (x - 8, box.cy), "right")
        self.phase: str | None = None
        super().__init__(*self.pills.values(), *self.labels.values(), self.step_label)

    @property
    def step(self) -> int:
        """The step as written; -1 where there is none."""
        return int(self.step_label.text.split()[1]) if self.step_label.text else -1

    def show(self, step: int, phase: str | None) -> None:  # type: ignore[override]
        """Show a step (below 0: none yet) and the active phase (None: between steps)."""
        self.phase = phase
        self.step_label.set_text(step_text(step))
        for name in PHASES:
            active = name == phase
            self.pills[name].set_fill(theme.ACCENT if active else theme.PANEL, family=False)
            self._ink(name, active)

    def change(self, step: int, phase: str | None) -> list[Animation]:
        """Animate to another step or phase."""
        animations = self._light(phase)
        if step != self.step:
            animations.append(SwapText(self.step_label, step_text(step)))
        return animations

    def run(self, times: Sequence[float], steps: Sequence[int], phase: str | None, seconds: float) -> list[Animation]:
        """Run the step number through `steps`, reached at `times` (0 to 1), to `phase`."""
        texts = [step_text(step) for step in steps]
        return self._light(phase) + replay_text(self.step_label, times, texts, seconds)

    def _light(self, phase: str | None) -> list[Animation]:
        """Animate to another phase's pill."""
        animations: list[Animation] = []
        if phase != self.phase:
            for name in (self.phase, phase):
                if name is None:
                    continue
                active = name == phase
                fill = theme.ACCENT if active else theme.PANEL
                animations.append(Paint(self.pills[name], fill=fill, seconds=0.3))
                ink = theme.BACKGROUND if active else theme.MUTED
                animations.append(SwapText(self.labels[name], name, seconds=0.3, color=ink))
                self.labels[name].background = fill
            self.phase = phase
        return animations

    def _ink(self, name: str, active: bool) -> None:
        self.labels[name].set_text_color(theme.BACKGROUND if active else theme.MUTED)
        self.labels[name].background = theme.ACCENT if active else theme.PANEL


def step_text(step: int, name: str = "step") -> Said:
    """The step, as the measure called `name` has it; nothing before the first."""
    return say("step {}", measure(name, step, "plain")) if step >= 0 else Said()
