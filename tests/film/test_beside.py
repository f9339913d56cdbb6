"""Long traces are verified beside what is done with them, and nothing of a false one gets out."""

from __future__ import annotations

import os

import pytest

from astrai_sim.trace import Trace, TraceError
from scenes.film import vouched
from scenes.film.rehearsal import rehearse
from scenes.film.scene import ASSETS
from scenes.film.vouched import beside
from tests.film.tiny import TinyFilm
from tests.trace.recording import lines_of, resealed

PROMO = ASSETS / "traces" / "promo.jsonl.gz"


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """An empty store of what was verified; every trace is long, and processes are copies."""
    monkeypatch.setattr(vouched, "FOLDER", tmp_path / "verified")
    monkeypatch.setattr(vouched, "LONG", 0)
    monkeypatch.setattr(vouched, "can_copy", lambda: True)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    return tmp_path / "verified"


@pytest.fixture
def lie(tmp_path):
    lines = lines_of(Trace.open(PROMO))
    at = next(i for i, line in enumerate(lines) if line.get("event") == "page_alloc")
    lines[at] = {**lines[at], "mask": hex(int(lines[at]["mask"], 16) ^ 1 << 7)}
    path = tmp_path / "mask.jsonl"
    path.write_bytes(resealed(lines).content)
    return path


@pytest.fixture
def here(monkeypatch):
    """Traces that this process verifies itself."""
    seen, verify = [], vouched.verify

    def watched(trace, **options):
        seen.append(os.getpid())
        return verify(trace, **options)

    monkeypatch.setattr(vouched, "verify", watched)
    return seen


def begun():
    assert vouched._begun
    return vouched._begun[0]


def test_it_is_verified_elsewhere_and_remembered(store, here):
    with beside():
        assert vouched.vouched(Trace.open(PROMO)).unverified is False
    assert not here and len(list(store.iterdir())) == 1


def test_nothing_of_a_false_one_gets_out(store, here, lie):
    trace = Trace.open(lie)
    with pytest.raises(TraceError, match="mask is recorded as"):
        rehearse(TinyFilm, trace)
    assert not here and not store.exists()
    with pytest.raises(TraceError, match="mask is recorded as"):
        vouched.vouched(trace)


def test_what_went_wrong_with_a_false_one_is_that_it_is_false(lie):
    with pytest.raises(TraceError, match="mask is recorded as"), beside():
        vouched.vouched(Trace.open(lie))
        raise KeyError("no such page")
    with pytest.raises(KeyError), beside():
        vouched.vouched(Trace.open(PROMO))
        raise KeyError("no such page")


def test_where_its_process_was_killed_it_is_verified_here(store, here, lie):
    for path, held in ((PROMO, True), (lie, False)):
        with pytest.raises(TraceError) if not held else beside(), beside():
            vouched.vouched(Trace.open(path))
            one = begun()
            one._process.kill()
            one._process.join()
    assert here == [os.getpid()] * 2 and len(list(store.iterdir())) == 1


def test_who_does_not_wait_leaves_no_process_behind(store):
    processes = []
    with pytest.raises(KeyboardInterrupt), beside():
        vouched.vouched(Trace.open(PROMO))
        processes.append(begun()._process)
        raise KeyboardInterrupt
    assert processes[0].exitcode is not None and vouched._begun is None and not store.exists()
