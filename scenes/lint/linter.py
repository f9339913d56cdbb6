"""Runs the rules over a film that is being rehearsed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from astrai_sim.trace import Trace
from scenes.film.rehearsal import rehearse
from scenes.film.scene import FilmScene, Observer
from scenes.lint.moment import Moment, Problem, Rule
from scenes.lint.rules import all_rules
from scenes.story.beats import Section


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

    def section_started(self, scene: FilmScene, section: Section) -> None:
        self._section = section.key
        self._look(scene, began=scene.clock, moved=True)

    def animation_ended(self, scene: FilmScene, began: float, moved: bool) -> None:
        self._look(scene, began, moved)

    def finish(self) -> list[Finding]:
        """All findings, in order of time; called when the film is over."""
        for rule in self.rules:
            self._note(rule, rule.finish(self._now))
        self.findings.sort(key=lambda finding: finding.time)
        return self.findings

    def _look(self, scene: FilmScene, began: float, moved: bool) -> None:
        self._now = scene.clock
        moment = Moment(self._section, began, scene.clock, moved, list(scene.mobjects))
        for rule in self.rules:
            self._note(rule, rule.look(moment))

    def _note(self, rule: Rule, problems: Iterable[Problem]) -> None:
        for problem in problems:
            section = problem.section or self._section
            key = (rule.name, section, problem.mobjects)
            if key not in self._seen:
                self._seen.add(key)
                time = self._now if problem.at is None else problem.at
                self.findings.append(Finding(time, section, rule.name, problem.mobjects, problem.detail))


def lint(film: type[FilmScene], trace: str | Path | Trace | None = None, seconds: float | None = None) -> list[Finding]:
    """Findings of all rules for `film` played from `trace` (default: the film's own).

    `seconds` is the length asked for; default: what the film takes.
    """
    linter = Linter()
    rehearse(film, trace, observers=(linter,), seconds=seconds)
    return linter.finish()
