"""Storyboards of traces that nobody chose: each film is told, or says why not in a line, and nothing else happens."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.verify import verify
from scenes.film import catalog
from scenes.film.opening import for_the_screen
from scenes.film.rehearsal import rehearse
from scenes.fragmentation import Fragmentation
from scenes.story.errors import DoesNotApply
from tests.conftest import ROOT
from tests.hostile.drawn import changes, runs
from tests.trace.foreign import OnePass

FILMS = sorted(catalog.films().values(), key=lambda film: film.__name__)
LONGEST, MOST_PAGES = 700, 1 << 16
"""Characters of a line that is clear, and pages of pools that are worth the time that they take."""
drawing = settings(deadline=None, derandomize=True, suppress_health_check=[*HealthCheck])


def one_line(reason: object) -> bool:
    """Whether it is one line that a terminal shows as it is, and not an endless one."""
    text = str(reason)
    return bool(text) and text.isprintable() and len(text) <= LONGEST


def opened(content: bytes) -> Trace | None:
    """The trace, let through where it does not hold; None where it is none. What is wrong with it is said in a line."""
    trace = None
    try:
        trace = Trace(Path("run.jsonl"), content)
        if trace.header.scenario.cache.n_pages > MOST_PAGES:
            return None
        verify(trace)
        trace.unverified = False
    except TraceError as error:
        assert one_line(error), error
        if trace is not None:
            trace.unverified = True
    return trace


def told(trace: Trace) -> list[type]:
    """The films that have something to tell of it, as they see it; all others say why not."""
    found = []
    try:
        trace = for_the_screen(trace)
    except TraceError as error:
        assert one_line(error), error
        return found
    for film in FILMS:
        try:
            reason = film.why_not(trace)
        except TraceError as error:
            reason = str(error)
        assert reason is None or one_line(reason), (film, reason)
        if reason is None:
            found.append(film)
    return found


def played(trace: Trace) -> None:
    """Every film that has something to tell can be played to its end."""
    for film in told(trace):
        try:
            assert rehearse(film, trace).seconds > 0
        except (DoesNotApply, TraceError) as reason:
            assert one_line(reason), (film, reason)


def content(lines: list[dict]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@settings(drawing, max_examples=40)
@given(runs())
def test_true_runs_of_any_engine(lines):
    """They hold, and films are told of them, unless a text or a number in them is none."""
    trace = opened(content(lines))
    if trace is not None:
        told(trace)


@settings(drawing, max_examples=60)
@given(changes())
def test_shipped_traces_with_a_change(changed):
    trace = opened(changed)
    if trace is not None:
        told(trace)


def test_a_request_that_comes_in_a_step_far_away_is_not_waited_for():
    lines = OnePass({"A": 3, "B": 3}, 3, 40, 4, 2, OnePass.PHASES, 1000).trace()
    next(line for line in lines if line.get("event") == "task_submitted")["step"] = 10**9
    trace = opened(content(lines))
    assert trace is not None and trace.unverified
    assert Fragmentation.why_not(trace) == "Fragmentation needs steps that follow one another"


def test_what_is_drawn_gets_as_far_as_the_films():
    """Many of the true runs hold, and films are told of some."""
    held, films = [], []

    @settings(drawing, max_examples=40)
    @given(runs())
    def draw(lines):
        trace = opened(content(lines))
        held.append(trace is not None and not trace.unverified)
        films.append(len(told(trace)) if trace is not None and held[-1] else 0)

    draw()
    assert sum(held) > len(held) / 2 and sum(map(bool, films)) > len(films) / 10, (held, films)


@pytest.mark.slow
@settings(drawing, max_examples=60)
@given(runs())
def test_true_runs_of_any_engine_are_played(lines):
    trace = opened(content(lines))
    if trace is not None:
        played(trace)


@pytest.mark.slow
@settings(drawing, max_examples=1500)
@given(changes())
def test_shipped_traces_with_any_change(changed):
    trace = opened(changed)
    if trace is not None:
        told(trace)


SECONDS = 60


@pytest.mark.slow
def test_bytes_that_may_be_a_trace(tmp_path):
    """With atheris, for a minute, from what the emitters of the documents write."""
    pytest.importorskip("atheris", reason="atheris is not installed: ./setup.sh fuzz, where there is a build of it")
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    emitters = ROOT / "docs" / "emitters"
    for name in ("emit", "emit_full"):
        with (seeds / name).open("wb") as out:
            subprocess.run([sys.executable, "-I", emitters / f"{name}.py", out.name], check=True, stdout=out)
    limits = [f"-max_total_time={SECONDS}", "-max_len=100000", "-timeout=60", f"-artifact_prefix={tmp_path}/"]
    command = [sys.executable, ROOT / "tests" / "hostile" / "fuzz.py", seeds, *limits]
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True)
    assert done.returncode == 0, done.stderr[-4000:].decode(errors="replace")
    assert re.search(rb"DONE +cov: \d{3}", done.stderr), "nothing was covered"
