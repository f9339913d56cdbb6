"""Every film, on the trace it ships with and on others: clean picture, true digits."""

from itertools import product

import pytest

from scenes.check.checker import Checker
from scenes.draw.layout import FRAMES
from scenes.film import catalog
from scenes.film.moments import within
from scenes.film.quality import PREVIEW
from scenes.film.rehearsal import EVERY_FRAME, check, rehearse
from scenes.film.scene import ASSETS, Observer
from scenes.measures import measure, say
from scenes.theme import THEMES
from tests.conftest import SCENARIOS
from tests.film.clean import assert_clean, assert_clean_or_told_why_not

FILMS = sorted(catalog.films().values(), key=lambda film: film.__name__)
SHIPPED = sorted((ASSETS / "traces").glob("*.jsonl.gz"))
RECORDED = sorted(path.stem for path in SCENARIOS.glob("*.toml"))

LOOKS = [PREVIEW.shaped(frame, theme) for frame in FRAMES.values() for theme in THEMES.values()][1:]
"""All but the first, in which films are told elsewhere."""
QUICK = tuple(zip(("Chat", "ChunkedPrefill", "ChunkedPrefill", "Fragmentation", "PrefixSharing"), LOOKS, strict=True))
"""A film for each look that is soon looked at."""

every_film = pytest.mark.parametrize("film", FILMS, ids=lambda film: film.__name__)


def assert_told(film, trace):
    """Clean, true and more than a few values, or told why not."""
    report = assert_clean_or_told_why_not(film, trace)
    assert report is None or report.fields + report.labels > 100


@every_film
def test_own_trace(film):
    """Between beats nothing contradicts itself."""
    trace = ASSETS / "traces" / film.default_trace
    report = assert_clean(film, trace)
    assert report.fields + report.labels > 200
    assert report.contradictions == ()


def looked_at():
    """Each film in each look, those that take long marked."""
    for film, look in product(FILMS, LOOKS):
        marks = () if (film.__name__, look) in QUICK else pytest.mark.slow
        yield pytest.param(film, look, id=f"{film.__name__}-{look.name}", marks=marks)


@pytest.mark.parametrize("film, look", list(looked_at()))
def test_every_look(film, look):
    """Clean and true in other frames and themes."""
    assert assert_clean(film, ASSETS / "traces" / film.default_trace, look).contradictions == ()


@pytest.mark.slow
@every_film
def test_every_frame(film):
    report = check(film, moments=EVERY_FRAME)
    assert report.mismatches == report.unvouched == report.contradictions == ()


class Early(Observer):
    """Has a number say within an animation what holds only after it."""

    def moment(self, scene, time):
        label = scene.stage.canvas.shown.get(("header", "step"))
        if label is not None:
            label.set_text(say("step {}", measure("step", scene.stage.state.step + 40, "plain")))


def test_contradictions_between_beats_are_found():
    checker = Checker()
    rehearse(catalog.film("PrefixCache"), observers=(Early(), checker), only={"growth"}, moments=within)
    report = checker.report()
    assert report.contradictions and "step" in report.between


@pytest.mark.slow
@every_film
@pytest.mark.parametrize("trace", SHIPPED, ids=lambda path: path.name)
def test_shipped_traces(film, trace):
    if trace.name != film.default_trace:
        assert_told(film, trace)


@every_film
@pytest.mark.parametrize("scenario", RECORDED)
def test_recorded_traces(film, scenario, record_scenario):
    assert_told(film, record_scenario(scenario))


@pytest.mark.slow
def test_prefix_cache_tells_at_least_three_other_traces(record_scenario):
    """So that `DoesNotApply` cannot stand in for a film that never plays."""
    film = catalog.film("PrefixCache")
    for scenario in ("two_requests", "crowded", "one_page"):
        assert check(film, record_scenario(scenario)).beats > 12


@pytest.mark.slow
def test_fragmentation_tells_other_traces_too(record_scenario):
    film = catalog.film("Fragmentation")
    for scenario in ("two_requests", "crowded", "shared_prefix"):
        assert check(film, record_scenario(scenario)).beats > 8
