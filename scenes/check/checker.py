"""Compares a film with its trace while it is rehearsed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from scenes.check.between import Between
from scenes.check.compare import Difference, differences
from scenes.check.labels import Writer, drawn_otherwise, has_digit, live, names, on_screen
from scenes.truth import Witness


@dataclass(frozen=True)
class Mismatch:
    """A difference with its place in the film."""

    time: float
    section: str
    beat: str
    difference: Difference

    def __str__(self) -> str:
        d = self.difference
        return f"{self.time:.2f}s [{self.section}] {self.beat}: {d.field}: shown {d.shown}, recorded {d.recorded}"


@dataclass(frozen=True)
class CheckReport:
    """What a check compared and what it found.

    `fields` counts single values compared after beats, `labels` the labels with a digit that were
    on screen at any time, `unvouched` are those of them that nobody could compare. `moments` counts
    the pictures looked at within animations, `contradictions` those that show no single recorded
    moment; `between` counts by measure or field what contradicts in them.
    """

    mismatches: tuple[Mismatch, ...]
    beats: int
    fields: int
    labels: int
    unvouched: tuple[Mismatch, ...]
    moments: int
    contradictions: tuple[Mismatch, ...]
    between: Counter[str]


class Checker:
    """Observer of a rehearsal: what is shown is what was recorded.

    When a section starts and after each of its beats, labels and `stage.read()` must say what
    holds after the beat's last event. At the moments at which the rehearsal stops in between they
    must all say what held after one event of the beat.
    """

    def __init__(self) -> None:
        self.mismatches: list[Mismatch] = []
        self.contradictions: list[Mismatch] = []
        self.between: Counter[str] = Counter()
        self.beats = self.fields = self.moments = 0
        self._witness: Witness | None = None
        self._labels: dict[tuple, Mismatch | None] = {}
        self._compared: set[tuple] = set()
        self._outlines: dict[int, tuple[Any, np.ndarray, str]] = {}
        self._places: dict[int, tuple] = {}
        self._beat = 0
        self._done = -1

    def report(self) -> CheckReport:
        """What has been compared and found so far."""
        unvouched = tuple(found for found in self._labels.values() if found is not None)
        rest = (tuple(self.mismatches), self.beats, self.fields, len(self._labels), unvouched)
        return CheckReport(*rest, self.moments, tuple(self.contradictions), self.between)

    def section_started(self, scene: Any, section: Any) -> None:
        if self._witness is None or self._witness.trace is not scene.stage.trace:
            self._witness = Witness.of(scene.stage.trace)
            self.writer = Writer(self._witness)
            self._finder = Between(self._witness, self.writer)
        self._beat, self._done = 0, section.start
        self._outlines.clear()
        self._places.clear()
        self._rest(scene, "first picture", section.start)

    def animation_ended(self, scene: Any, began: float, moved: bool) -> None:
        pass

    def beat_ended(self, scene: Any, section: Any, beat: Any) -> None:
        self._beat += 1
        self.beats += 1
        self._rest(scene, f"beat {self._beat} ({type(beat).__name__} until event {beat.until})", beat.until)

    def section_ended(self, scene: Any, section: Any) -> None:
        pass

    def _rest(self, scene: Any, beat: str, until: int) -> None:
        """Compare everything with the state after event `until`."""
        assert self._witness is not None
        shown = scene.stage.read()
        self.fields += sum(_size(value) for value in shown.values())
        found = [*self._on_labels(scene, beat, until), *differences(shown, self._witness, until)]
        self.mismatches += [Mismatch(scene.clock, scene.section.key, beat, difference) for difference in found]
        self._done = self._finder.shown = until

    def moment(self, scene: Any, time: float) -> None:
        """A picture within an animation."""
        self.moments += 1
        beats = scene.section.beats
        until = max(beats[min(self._beat, len(beats) - 1)].until, scene.stage.state.seq)
        beat = f"within beat {min(self._beat + 1, len(beats))}"
        found = self._on_labels(scene, beat, None)
        self.mismatches += [Mismatch(time, scene.section.key, beat, difference) for difference in found]
        shown = [label for label in self._visible(scene) if live(label)]
        wrong = self._finder.look(self._done, until, shown, scene.stage.read(), scene.stage.state.seq)
        if wrong:
            self.between.update({kind for kind, _ in wrong})
            self.contradictions.append(Mismatch(time, scene.section.key, beat, wrong[0][1]))

    def _visible(self, scene: Any) -> list[Any]:
        camera = scene.camera
        return on_screen(scene.mobjects, camera.frame_width, camera.frame_height)

    def _on_labels(self, scene: Any, beat: str, at: int | None) -> Iterator[Difference]:
        """Labels that say or draw something else than they should; those that say what holds now
        only with the event `at` that is then the last one shown."""
        for label in self._visible(scene):
            if not self._looked_at(label) and drawn_otherwise(label):
                yield Difference("drawn text", "the outline of another text", label.text)
            counted = has_digit(label.text)
            if not counted and (label.said is None or not label.said.measures):
                continue
            if label.said is None:
                found = Difference("label", repr(str(label.text)), "nobody vouches for it")
                key = (str(label.text), self._place(label))
                self._labels.setdefault(key, Mismatch(scene.clock, scene.section.key, beat, found))
                continue
            key, now = (str(label.text), names(label)), live(label)
            if counted:
                self._labels.setdefault(key, None)
            if at is None and (now or key in self._compared):
                continue
            self._compared.add(key)
            truth = self.writer.text(label, at if now and at is not None else self._done)
            if truth != label.text:
                yield Difference(names(label), str(label.text), truth)

    def _place(self, label: Any) -> tuple[int, int]:
        """Where it was first seen, in hundredths of a unit."""
        if id(label) not in self._places:
            self._places[id(label)] = tuple(np.rint(label.points[0, :2] * 100).astype(int).tolist())
        return self._places[id(label)]

    def _looked_at(self, label: Any) -> bool:
        """Whether the label draws the points that it drew when it was looked at last."""
        known = self._outlines.get(id(label))
        if known is not None and known[0] is label and known[1] is label.points and known[2] == label.text:
            return True
        self._outlines[id(label)] = (label, label.points, label.text)
        return False


def _size(value: Any) -> int:
    if isinstance(value, dict):
        return sum(_size(item) for item in value.values())
    return len(value) if hasattr(value, "__len__") and not isinstance(value, str) else 1
