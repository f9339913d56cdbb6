"""Films of engines whose steps have other phases than this one's, or none, and passes that do two things at once."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from astrai_sim.trace import Series, Trace, TraceError
from astrai_sim.trace.header import PHASES
from astrai_sim.trace.verify import verify
from scenes.cli import main as films
from scenes.film import catalog
from scenes.story.history import History, history_of
from scenes.story.measures import Ask
from scenes.truth.vouching import true_value
from scenes.truth.witness import Witness
from tests.conftest import ROOT
from tests.trace.foreign import OnePass, foreign
from tests.trace.recording import encoded, lines_of, written

NONE = {}.get
THREE = {"cleanup": "2: free", "refill": "schedule", "prefill": "run all", "decode": "run all"}.get
SHIPPED = ("chat", "chunked_prefill", "eviction", "fragmentation", "preemption", "paging", "prefix_sharing")


def shipped(name: str) -> list[dict]:
    return lines_of(Trace.open(ROOT / "assets" / "traces" / f"{name}.jsonl.gz"))


@pytest.fixture(scope="module")
def one_pass() -> Trace:
    return written(OnePass({"A": 6, "B": 13, "C": 3}, answer=6).trace())


def worked(history: History, kind: str) -> list[tuple[int, int]]:
    """(step, requests) of every stretch of that kind of work in which something was done."""
    rows = history.steps.phases
    found = zip(rows.step.tolist(), rows.kind.tolist(), rows.tasks.tolist(), strict=True)
    return [(step, tasks) for step, of, tasks in found if PHASES[of] == kind and tasks]


@pytest.mark.parametrize("phases", [NONE, THREE], ids=["none", "three"])
@pytest.mark.parametrize("name", SHIPPED)
def test_work_is_found_where_phases_do_not_tell_it(name: str, phases):
    """What history makes of the events is what the four phases said."""
    own = shipped(name)
    whole, less = written(own), written(foreign(own, phases=phases))
    verify(less)
    one, two = history_of(whole), history_of(less)
    for kind in ("refill", "prefill"):
        assert worked(one, kind) == worked(two, kind) != []
    assert one.pages.holds.decode.tolist() == two.pages.holds.decode.tolist()
    assert Series.of(whole).prompt_tokens.tolist() == Series.of(less).prompt_tokens.tolist()


def test_passes_may_do_both_and_come_twice_in_a_step(one_pass: Trace):
    report = verify(one_pass)
    assert report.levels["paging"].total() > 100 and not report.rules
    writes = [*one_pass.find(event="kv_write")]
    steps = [event.step for event in writes]
    assert len(steps) > len(set(steps)) and any(len({s.count > 1 for s in e.spans}) == 2 for e in writes)
    history = history_of(one_pass)
    both = [step for step in range(len(history.steps)) if not history.steps.apart(step)]
    assert both and all(history.decoded(step) and history.prefilled(step) for step in both)
    assert sum(Series.of(one_pass).prompt_tokens) == 6 + 13 + 3


def test_passes_are_counted_not_steps(one_pass: Trace):
    told = Ask(one_pass).prompt_passes("B")
    parts = [event for kind in ("chunk", "task_prefilled") for event in one_pass.find(kind, task="B")]
    assert told.value == true_value(Witness.of(one_pass), told, len(one_pass)) == len(parts) == 3
    assert len({event.step for event in parts}) == 2


def test_pages_that_no_request_has_are_counted_and_none_s():
    trace = written(OnePass({"A": 13, "B": 6}, 3, wary=True).trace())
    assert verify(trace).levels["paging"].total() > 100
    ask, witness, steps = Ask(trace), Witness.of(trace), [*trace.find("step_begin")]
    holds = ask.history.pages.holds
    for told in (ask.allocs(), ask.frees()):
        assert told.value == true_value(witness, told, len(trace)) == len(holds.page) + len(steps)
    for seq in (event.seq for event in trace.find("step_end")):
        held = sorted(page for table in trace.state_at(seq).tables.values() for page in table)
        assert sorted(holds.page[(holds.shown <= seq) & (holds.end > seq)].tolist()) == held


@pytest.mark.parametrize(
    "change, said",
    [
        ({"phase": "lunch"}, "'lunch' is none of the header's: schedule, run, postprocess"),
        ({"phase": None}, "phase is recorded as None"),
    ],
)
def test_phases_that_the_header_does_not_name_are_refused(one_pass: Trace, change: dict, said: str):
    lines = lines_of(one_pass)
    at = next(i for i, line in enumerate(lines) if line.get("event") == "kv_write")
    with pytest.raises(TraceError, match=said):
        verify(written([*lines[:at], {**lines[at], **change}, *lines[at + 1 :]]))


@pytest.mark.parametrize(
    "change, said",
    [
        ({"phases": ["x" * 17]}, "1 to 16 letters"),
        ({"phases": ["run"], "policy": ["four-phases"]}, "it goes by the phases cleanup, refill, prefill, decode"),
    ],
)
def test_phases_and_claims_that_cannot_be_are_refused(one_pass: Trace, change: dict, said: str):
    lines = lines_of(one_pass)
    with pytest.raises(TraceError, match=said):
        verify(written([{**lines[0], **change}, *lines[1:]]))


def test_films_tell_it(one_pass: Trace):
    told = {name for name, film in catalog.films().items() if film.why_not(one_pass) is None}
    assert told >= {"PrefixCache", "Fragmentation"}


@pytest.mark.slow
@pytest.mark.parametrize("film", catalog.films())
def test_films_of_other_phases_are_true(film: str, one_pass: Trace, tmp_path):
    """Drawn against true, of their own traces with other phases and none, and of the other engine's."""
    own = Trace.open(ROOT / "assets" / "traces" / catalog.film(film).default_trace)
    if own.header.detail != "full":
        return
    rules = catalog.film(film).chapters.needs.rules
    told = {name: foreign(lines_of(own), phases=by, rules=rules) for name, by in (("none", NONE), ("three", THREE))}
    if catalog.film(film).why_not(one_pass) is None:
        told["one pass"] = lines_of(one_pass)
    for name, lines in told.items():
        path = tmp_path / f"{name}.jsonl"
        path.write_bytes(b"".join(map(encoded, lines)))
        for command in ("check", "lint"):
            done = CliRunner().invoke(films, [command, film, "--trace", str(path)])
            assert done.exit_code == 0, (name, done.output)
