"""What tests ask of a film and a trace: a clean picture and true digits, or a reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from astrai_sim.scenario.schema import Scenario
from scenes.check.checker import Checker, CheckReport
from scenes.film.moments import within
from scenes.film.quality import PREVIEW, Quality
from scenes.film.rehearsal import rehearse
from scenes.film.scene import Observer
from scenes.lint.linter import Linter
from scenes.story.errors import DoesNotApply
from tests.film.drawn import scenarios

drawing = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.generate],
)


class Looker(Observer):
    """Looks on: a film that nobody watches has no mobjects."""


PARTS = range(5)
"""Seeds of `judge_drawn`: parts of one long test, which run side by side."""


def judge_drawn(judge: Callable[[Scenario], object], part: int, drawn: SearchStrategy[Scenario] | None = None) -> None:
    """Have `judge` look at eight scenarios that are `drawn` from the seed `part`."""

    @seed(part)
    @settings(drawing, max_examples=8)
    @given(scenarios() if drawn is None else drawn)
    def judged(scenario: Scenario) -> None:
        judge(scenario)

    judged()


def assert_clean(film, trace, quality: Quality = PREVIEW) -> CheckReport:
    """Lint and check in one rehearsal; gives the report, for what was counted."""
    linter, checker = Linter(), Checker()
    rehearse(film, trace, observers=(linter, checker), moments=within, quality=quality)
    report = checker.report()
    problems = [f"{film.__name__}: {finding}" for finding in linter.finish()]
    problems += [f"{film.__name__}: {found}" for found in (*report.mismatches, *report.unvouched)]
    assert problems == [], problems
    assert report.beats and report.fields and report.labels
    return report


def assert_clean_or_told_why_not(film, trace) -> CheckReport | None:
    """The same; None where the film says in one line that it does not apply."""
    try:
        return assert_clean(film, trace)
    except DoesNotApply as reason:
        assert str(reason) and "\n" not in str(reason)
        return None


def told_facts(film: Path) -> dict[str, str]:
    """The facts that rendering put into the file at `film`, and its title."""
    with av.open(str(film)) as container:
        tags = dict(container.metadata)
    facts = {"title": tags.get("title", "")}
    for line in tags.get("comment", "").splitlines():
        name, equals, value = line.partition("=")
        if equals:
            facts[name] = value
    return facts
