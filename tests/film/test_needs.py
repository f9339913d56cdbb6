"""What films say that they need of a trace is needed, and is enough."""

from __future__ import annotations

import json
from functools import cache

import pytest

from astrai_sim.trace import Trace
from scenes.film import catalog
from tests.conftest import ROOT
from tests.trace.foreign import foreign
from tests.trace.recording import lines_of, written

FILMS = catalog.films()
PLACES = [(film, place) for film, made in FILMS.items() for place in made.chapters.needs.events]
BIG = "PoolAtScale"
"""Its trace is large."""
NOTHING = lambda name: None  # noqa: E731
TWO = {"cleanup": "schedule", "refill": "schedule", "prefill": "run", "decode": "run"}.get


@cache
def shipped(film: str) -> Trace:
    return Trace.open(ROOT / "assets" / "traces" / FILMS[film].default_trace)


def without(trace: Trace, place: str) -> Trace:
    """The trace without all events of a kind, or without a field of them, by the names of either dialect."""
    kind, _, field = place.partition(".")
    names = {kind, kind.replace("pages_", "page_"), kind.removesuffix("s")}
    fields = {field, field.removesuffix("s")} if field else set()
    content = []
    for text in bytes(trace.content).splitlines(keepends=True):
        line = json.loads(text)
        if line.get("event") not in names:
            content.append(text)
        elif field:
            content.append(json.dumps({k: v for k, v in line.items() if k not in fields}).encode() + b"\n")
    return Trace(trace.path, b"".join(content))


@pytest.mark.parametrize("film, place", PLACES, ids=lambda value: value)
def test_a_film_refuses_a_trace_without_what_it_needs(film: str, place: str):
    """In one line, before anything is made of the trace."""
    reason = FILMS[film].why_not(without(shipped(film), place))
    assert reason == f"{film} needs {FILMS[film].chapters.needs.events[place]}" and "\n" not in reason


@pytest.mark.parametrize("film", FILMS)
def test_pools_and_details_that_a_film_cannot_tell_are_refused(film: str):
    trace, needs = shipped(film), FILMS[film].chapters.needs
    header, *rest = bytes(trace.content).splitlines(keepends=True)

    def refused(change: dict, n_pages: int) -> str:
        told = json.loads(header) | change
        told["scenario"]["cache"]["n_pages"] = n_pages
        return str(FILMS[film].why_not(Trace(trace.path, json.dumps(told).encode() + b"\n")))

    n_pages = trace.header.scenario.cache.n_pages
    if needs.single:
        assert refused({"detail": "bulk"}, n_pages).startswith(f"{film} {needs.single} and the trace has runs of them")
    if needs.most is not None:
        assert f"at most {needs.most} fit" in refused({}, needs.most + 1)
    if needs.least > 1:
        assert f"from {needs.least} pages on" in refused({}, needs.least - 1)


def test_a_film_refuses_an_engine_that_does_not_claim_what_it_tells():
    other = written(foreign(lines_of(shipped("Eviction"))))
    told = "Eviction tells of an engine that keeps the rule 'cached-pages-last': other does not claim it"
    assert FILMS["Eviction"].why_not(other) == told


@pytest.mark.parametrize("phases", [str, TWO, NOTHING], ids=["four phases", "two phases", "no phases"])
@pytest.mark.parametrize("film", [film for film in FILMS if film != BIG])
def test_a_film_tells_a_trace_that_has_no_more_than_it_needs(film: str, phases):
    """Told as another engine would that has no digests, masks, norms, keys, gathers, lines and snapshots."""
    rules = FILMS[film].chapters.needs.rules
    less = written(foreign(lines_of(shipped(film)), drop=["gather", "prefix_miss"], phases=phases, rules=rules))
    assert FILMS[film].why_not(less) is None
