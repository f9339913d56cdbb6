"""Preemption and PoolAtScale of runs that outgrow their pool: clean and true, or one line that says why not."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from scenes.pool_at_scale import PoolAtScale
from scenes.preemption import Preemption
from tests.film.clean import PARTS, assert_clean_or_told_why_not, drawing, judge_drawn
from tests.film.drawn import loads, outgrown
from tests.trace.recording import recorded


def told(film, scenario) -> bool:
    """Whether `film` tells the scenario's recording, cleanly and truly then."""
    with TemporaryDirectory() as folder:
        trace = recorded(scenario, Path(folder) / "run.jsonl")
        return assert_clean_or_told_why_not(film, trace) is not None


@settings(drawing, max_examples=2)
@given(outgrown())
def test_a_pool_outgrown(scenario):
    told(Preemption, scenario)


@settings(drawing, max_examples=2)
@given(loads())
def test_a_load(scenario):
    told(PoolAtScale, scenario)


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("film", "scenarios"), [(Preemption, outgrown()), (PoolAtScale, loads())], ids=str)
def test_many(film, scenarios, part):
    judge_drawn(lambda scenario: told(film, scenario), part, scenarios)
