"""Runs the rules over a film that is being rehearsed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astrai_sim.trace import Trace
from scenes.film.moments import within
from scenes.film.quality import PREVIEW, Quality
from scenes.film.rehearsal import rehearse
from scenes.film.scene import FilmScene, Observer
from scenes.lint.facts import Known
from scenes.lint.moment import Moment, Problem, Rule
from scenes.lint.motion import Motion, spans_of
from scenes.lint.rules import all_rules


@dataclass(frozen=True)
class Finding:
    """A problem with its place in the film."""

    time: float
    section: str
    rule: str
    mobjects: tuple[str, ...]
    detail: str

    def __str__(self) -> str:
        named = " | ".join(self.mobjects)
        return f"{self.time:.2f}s [{self.section}] {self.rule}: {named}: {self.detail}"


class Linter(Observer):
    """Observer that collects findings; a problem that stays is reported once a section."""

    def __init__(self, rules: Sequence[Rule] | None = None) -> None:
        self.rules = list(rules) if rules is not None else all_rules()
        self.findings: list[Finding] = []
        self._seen: set[tuple[str, str, tuple[str, ...]]] = set()
        self._section = ""
        self._now = 0.0
        self._motion, self._known = Motion(), Known()
        self._ended = 0.0

    def section_started(self, scene: FilmScene, section: Any) -> None:
        self._section, self._known = section.key, Known()
        moment = self._moment(scene, scene.clock)
        self._ask("section_began", moment, section)
        self._ask("look", moment)

    def moment(self, scene: FilmScene, time: float) -> None:
        self._ask("within", self._moment(scene, self._ended))

    def animation_ended(self, scene: FilmScene, began: float, moved: bool) -> None:
        moment = self._moment(scene, began, moved)
        for animation in scene.animations or ():
            moment.animation = animation
            self._motion.add(spans_of(animation, began), scene.clock)
        self._ended = scene.clock
        self._ask("look", moment)

    def beat_ended(self, scene: FilmScene, section: Any, beat: Any) -> None:
        self._ask("shot_ended", self._moment(scene, scene.clock), beat)

    def section_ended(self, scene: FilmScene, section: Any) -> None:
        self._ask("section_ended", self._moment(scene, scene.clock), section)

    def finish(self) -> list[Finding]:
        """All findings, in order of time; called when the film is over."""
        for rule in self.rules:
            self._note(rule, rule.finish(self._now) or ())
        self.findings.sort(key=lambda finding: finding.time)
        return self.findings

    def _moment(self, scene: FilmScene, began: float, moved: bool = True) -> Moment:
        self._now = scene.clock
        roots = list(scene.mobjects)
        return Moment(
            self._section, began, scene.clock, moved, roots, scene.stage, motion=self._motion, known=self._known
        )

    def _ask(self, what: str, moment: Moment, *about: Any) -> None:
        """Have every rule say `what` it says of a moment."""
        for rule in self.rules:
            self._note(rule, getattr(rule, what)(moment, *about) or ())

    def _note(self, rule: Rule, problems: Iterable[Problem]) -> None:
        for problem in problems:
            section = problem.section or self._section
            key = (rule.name, section, problem.mobjects)
            if key not in self._seen:
                self._seen.add(key)
                time = self._now if problem.at is None else problem.at
                self.findings.append(Finding(time, section, rule.name, problem.mobjects, problem.detail))


def lint(
    film: type[FilmScene],
    trace: str | Path | Trace | None = None,
    seconds: float | None = None,
    quality: Quality = PREVIEW,
) -> list[Finding]:
    """Findings of all rules for `film` played from `trace` (default: the film's own).

    `seconds` is the length asked for; default: what the film takes; `quality` says in which frame and theme.
    """
    linter = Linter()
    rehearse(film, trace, observers=(linter,), moments=within, seconds=seconds, quality=quality)
    return linter.finish()
