"""Time-lapses, and the lens over a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenes.old.stage.stage import Stage


from scenes.old.parts.lens import LensPart
from scenes.old.parts.part import Lapse
from scenes.old.stage.directions import plays
from scenes.story.beats import OpenLens, TimeLapse


@plays(TimeLapse)
def time_lapse(stage: Stage, beat: TimeLapse) -> None:
    start, end = stage.state, stage.trace.state_at(beat.until)
    span = max(1, end.ns - start.ns)
    parts = stage.playing()
    times, frames = [0.0], [[part.frame(start)] for part in parts]
    for seq in () if stage.scene.rehearsing else beat.stops:
        state = stage.trace.state_at(seq)
        time = (state.ns - start.ns) / span
        if times[-1] < time < 1.0:
            times.append(time)
            for part, seen in zip(parts, frames, strict=True):
                seen.append(part.frame(state))
    times.append(1.0)
    stage.state = end
    for part, seen in zip(parts, frames, strict=True):
        seen.append(part.frame(end))
    lapse = Lapse(tuple(times), end, beat.seconds)
    stage.animate(
        [animation for part, seen in zip(parts, frames, strict=True) for animation in part.lapse(lapse, seen)]
    )


@plays(OpenLens)
def open_lens(stage: Stage, beat: OpenLens) -> None:
    stage.advance(beat.until, 0.6)
    stage.animate(stage.shown(LensPart).open(stage.state, beat.pages))
