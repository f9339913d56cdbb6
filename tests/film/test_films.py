"""Every film, on the trace it ships with and on others: clean picture, true digits."""

import pytest

from scenes.film import catalog
from scenes.film.checking import check
from scenes.film.scene import ASSETS
from tests.conftest import SCENARIOS
from tests.film.clean import assert_clean, assert_clean_or_told_why_not

FILMS = sorted(catalog.films().values(), key=lambda film: film.__name__)
SHIPPED = sorted((ASSETS / "traces").glob("*.jsonl.gz"))
RECORDED = sorted(path.stem for path in SCENARIOS.glob("*.toml"))

every_film = pytest.mark.parametrize("film", FILMS, ids=lambda film: film.__name__)


def assert_told(film, trace):
    """Clean, true and more than a few values, or told why not."""
    checker = assert_clean_or_told_why_not(film, trace)
    assert checker is None or checker.fields > 100


@every_film
def test_own_trace(film):
    assert assert_clean(film, ASSETS / "traces" / film.default_trace).fields > 100


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


def test_prefix_cache_tells_at_least_three_other_traces(record_scenario):
    """So that `DoesNotApply` cannot stand in for a film that never plays."""
    film = catalog.film("PrefixCache")
    for scenario in ("two_requests", "crowded", "one_page"):
        assert check(film, record_scenario(scenario)).beats > 20


def test_fragmentation_tells_other_traces_too(record_scenario):
    film = catalog.film("Fragmentation")
    for scenario in ("two_requests", "crowded", "shared_prefix"):
        assert check(film, record_scenario(scenario)).beats > 8
