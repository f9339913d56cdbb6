"""Chat of traces that nobody chose: clean and true, or one line that says why not."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings

from astrai_sim.scenario.schema import Scenario
from scenes.chat import Chat
from scenes.check.checker import Checker
from scenes.film.rehearsal import rehearse
from scenes.lint.linter import Linter
from scenes.storyboard.errors import DoesNotApply
from tests.chat.worded import worded
from tests.film.drawn import scenarios
from tests.trace.recording import recorded

drawing = settings(
    deadline=None, derandomize=True, suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


def assert_told(scenario: Scenario) -> None:
    """The scenario's recording, given words, is told cleanly and truly, or not at all."""
    assume(scenario.record.detail == "full")
    with TemporaryDirectory() as folder:
        source = recorded(scenario, Path(folder) / "run.jsonl").path
        trace = worded(source, Path(folder) / "words.jsonl")
        linter, checker = Linter(), Checker()
        try:
            rehearse(Chat, trace, observers=(linter, checker))
        except DoesNotApply as reason:
            assert str(reason) and "\n" not in str(reason)
            return
    assert [str(finding) for finding in linter.finish()] == []
    assert [str(mismatch) for mismatch in checker.mismatches] == []


@settings(drawing, max_examples=3)
@given(scenarios())
def test_drawn_scenarios(scenario):
    assert_told(scenario)


@pytest.mark.slow
@settings(drawing, max_examples=80)
@given(scenarios())
def test_many_drawn_scenarios(scenario):
    assert_told(scenario)
