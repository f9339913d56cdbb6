"""Films of traces that nobody chose: clean and true, or one line that says why not."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings

from astrai_sim.scenario.schema import CachePart, RecordPart, RequestPart, Scenario, SchedulerPart
from astrai_sim.trace import Trace
from scenes.film import catalog
from tests.film.clean import PARTS, assert_clean_or_told_why_not, drawing, judge_drawn
from tests.film.drawn import TINY, scenarios
from tests.trace.recording import crowd, recorded

FILMS = sorted(catalog.films().values(), key=lambda film: film.__name__)


def assert_told(trace: Trace) -> set[str]:
    """Every film tells the trace cleanly and truly, or says why not; names of those that do."""
    return {film.__name__ for film in FILMS if assert_clean_or_told_why_not(film, trace)}


def told(scenario: Scenario) -> set[str]:
    """`assert_told` of the scenario's recording."""
    with tempfile.TemporaryDirectory() as folder:
        return assert_told(recorded(scenario, Path(folder) / "run.jsonl"))


def cut(trace: Trace, events: int) -> Trace:
    """The recording as it is when it was killed after so many events."""
    lines = bytes(trace.content).splitlines(keepends=True)
    return Trace(trace.path, b"".join(lines[: 1 + events]))


@settings(drawing, max_examples=2)
@given(scenarios())
def test_drawn_scenarios(scenario):
    told(scenario)


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_many_drawn_scenarios(part):
    judge_drawn(told, part)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """Seven requests in a pool too small for them, sharing a prompt."""
    return recorded(crowd(), tmp_path_factory.mktemp("crowd") / "crowd.jsonl")


@pytest.mark.parametrize("events", [0, 1, pytest.param(60, marks=pytest.mark.slow)])
def test_a_recording_cut_short(crowded, events):
    short = cut(crowded, events)
    assert not short.complete
    assert_told(short)


@pytest.mark.slow
@pytest.mark.parametrize("share", range(1, 16, 2))
def test_a_recording_cut_anywhere(crowded, share):
    assert_told(cut(crowded, len(crowded) * share // 16))


def requests(*lengths: tuple[int, int], name: str = "r{}") -> tuple[RequestPart, ...]:
    return tuple(
        RequestPart(name.format(i), answer, prompt_tokens=prompt) for i, (prompt, answer) in enumerate(lengths)
    )


def scenario(n_pages: int, page_size: int, asked: tuple[RequestPart, ...], **parts) -> Scenario:
    return Scenario(
        name="edge", title="An edge", model=TINY, requests=asked, cache=CachePart(n_pages, page_size), **parts
    )


@pytest.mark.slow
def test_a_task_that_is_never_admitted():
    waiting = scenario(2, 8, requests((9, 4), (8, 8)), scheduler=SchedulerPart(max_batch=1))
    assert "PrefixCache" in told(waiting)


def test_very_long_names():
    asked = requests((6, 9), (5, 4), name="tenant-with-a-long-name/session-7/request-{:08}")
    assert "PrefixCache" in told(scenario(6, 4, asked))


def load(n_pages: int, tasks: int) -> Scenario:
    """Many requests on a big pool, without a model."""
    asked = requests(*((40 + i * 37 % 300, 5 + i % 40) for i in range(tasks)))
    return scenario(
        n_pages, 16, asked, scheduler=SchedulerPart(max_batch=200), record=RecordPart("bulk")
    ).without_model()


def test_a_large_pool():
    assert "PoolAtScale" in told(load(3000, 40))


@pytest.mark.slow
def test_a_pool_too_large_to_show_each_page():
    assert "PrefixCache" in told(scenario(300, 8, requests((30, 9), (21, 12))))


@pytest.mark.slow
def test_a_hundred_thousand_pages_and_ten_thousand_tasks():
    assert "PoolAtScale" in told(load(100_000, 10_000))
