"""Chat of traces that nobody chose: clean and true, or one line that says why not."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given, settings

from astrai_sim.scenario.schema import Scenario
from scenes.chat import Chat
from tests.chat.worded import worded
from tests.film.clean import PARTS, assert_clean_or_told_why_not, drawing, judge_drawn
from tests.film.drawn import scenarios
from tests.trace.recording import recorded


def assert_told(scenario: Scenario) -> None:
    """The scenario's recording, given words, is told cleanly and truly, or not at all."""
    assume(scenario.record.detail == "full")
    with TemporaryDirectory() as folder:
        source = recorded(scenario, Path(folder) / "run.jsonl").path
        trace = worded(source, Path(folder) / "words.jsonl")
        assert_clean_or_told_why_not(Chat, trace)


@settings(drawing, max_examples=3)
@given(scenarios())
def test_drawn_scenarios(scenario):
    assert_told(scenario)


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_many_drawn_scenarios(part):
    judge_drawn(assert_told, part)
