"""What the films of eviction and preemption say and show, counted once more from the events."""

from __future__ import annotations

from dataclasses import replace

import pytest

from astrai_sim.trace import Trace
from scenes.check.compare import differences
from scenes.eviction import Eviction
from scenes.film.rehearsal import rehearse
from scenes.film.scene import ASSETS, Observer
from scenes.parts.code import Code
from scenes.parts.lru import Lru
from scenes.preemption import Preemption
from scenes.story.errors import DoesNotApply
from scenes.truth import Witness


@pytest.fixture(scope="module")
def evicting() -> Trace:
    return Trace.open(ASSETS / "traces" / "eviction.jsonl.gz")


@pytest.fixture(scope="module")
def preempting() -> Trace:
    return Trace.open(ASSETS / "traces" / "preemption.jsonl.gz")


class Reader(Observer):
    """Keeps what is shown after the shot that ends at an event."""

    def __init__(self, until: int) -> None:
        self.until, self.kept = until, {}

    def beat_ended(self, scene, section, beat):
        if beat.until == self.until:
            self.kept = scene.stage.read()


def section(film, trace, key):
    return next(section for section in film.tell(trace).sections if section.key == key)


def lines_shown(shots):
    """(line that runs, act) of every act with code."""
    for shot in shots:
        for act in shot.acts:
            for part in act.parts:
                if isinstance(part, Code) and part.line is not None:
                    yield "".join(part.lines[part.line]).strip(), act


def longest_pause(trace) -> tuple[str, int]:
    """The preempted request that had the longest pause between two tokens around it, and its nanoseconds."""
    found = []
    for out in trace.find(event="task_preempted"):
        tokens = list(trace.find(event="tokens", task=out.task))
        before, after = ([e.ns for e in tokens if (e.seq < out.seq) == early] for early in (True, False))
        found.append((after[0] - before[-1], out.task))
    return max(found)[::-1]


def test_own_traces_fill_every_chapter(evicting, preempting):
    """So that no chapter is left out unnoticed when the traces are recorded anew."""
    told = [s.key for s in Eviction.tell(evicting).sections]
    assert told == ["hook", "stay", "order", "evict", "miss", "takeaway"]
    told = [s.key for s in Preemption.tell(preempting).sections]
    assert told == ["hook", "full", "refused", "out", "waits", "again", "takeaway"]


def test_the_question_asks_for_the_longest_pause(preempting):
    task, ns = longest_pause(preempting)
    question = section(Preemption, preempting, "hook").beats[0].acts[0].parts[0].text
    assert [measure.value for measure in question.measures] == [task, ns]


def test_the_wait_is_its_two_pieces_as_they_are_written(preempting):
    takeaway, *_, bars = section(Preemption, preempting, "takeaway").beats[-1].acts[-1].parts
    waiting, again = (float(str(bar.of).removesuffix(" s")) for bar in bars.bars[:2])
    assert f"{waiting + again:.3f} s" == takeaway.number and bars.bars[1].after == bars.bars[0].of


def test_what_is_computed_again_is_what_had_been_computed(preempting):
    out = next(preempting.find(event="task_preempted"))
    known, stored = (
        getattr(preempting.state_at(seq).tasks[out.task], what)
        for seq, what in ((out.seq, "n_tokens"), (out.seq - 1, "kv_len"))
    )
    section = next(s for s in Preemption.tell(preempting).sections if s.key == "again")
    said = next(beat.caption for beat in section.beats if "sweep" in beat.caption)
    assert [m.value for m in said.measures] == [known, stored] and stored < known


def test_who_comes_in_while_it_writes_on_is_named(preempting):
    *_, before, last = section(Preemption, preempting, "again").beats
    came = [event.task for event in preempting.find(event="task_admitted") if before.until < event.seq < last.until]
    assert str(last.caption).startswith("Pages come free") and [m.value for m in last.caption.measures] == came


def test_the_refused_token_is_shown_every_page_of_the_pool_taken(preempting):
    knocks = [act.parts[-1] for act in section(Preemption, preempting, "refused").beats[0].acts]
    until = section(Preemption, preempting, "refused").start
    state = preempting.state_at(until)
    assert [knock.page for knock in knocks] == [None, *range(state.n_pages), None]
    assert not state.mask and all(state.page_state(page) == "in use" for page in range(state.n_pages))


def test_the_code_ends_with_the_call_that_preempts_the_last_of_the_line(preempting):
    shown = [*lines_shown(section(Preemption, preempting, "refused").beats)]
    line, act = shown[-1]
    assert "".join(line.split()).startswith("self._preempt(self.running[-1])")
    queue = act.parts[1]
    admitted = {event.task: event.seq for event in preempting.find(event="task_admitted", before=act.until)}
    held = [task for task in preempting.state_at(act.until).tables if task in admitted]
    assert queue.acting == (max(held, key=admitted.__getitem__),)


def test_the_evicted_page_leaves_the_row_at_the_line_that_pops_it(evicting):
    evicted = next(evicting.find(event="pages_evicted"))
    shown = [*lines_shown(section(Eviction, evicting, "evict").beats)]
    torn = next(line for line, act in shown if "lru" in act.known)
    assert "self._lru.popitem(last=False)" in torn
    known = [act.known["lru"] for _, act in shown if "lru" in act.known]
    assert tuple(known[-1]) == tuple(evicted.lru)


def test_the_takeaway_counts_what_was_cached_once(evicting):
    evicted = list(evicting.find(event="pages_evicted"))
    late = [*evicting.find(event="task_submitted")][-1]
    keyed = {event.key: event for event in evicting.find(event="pages_keyed", before=evicted[0].seq)}
    gone = [keyed[event.keys[0]] for event in evicted if event.seq < late.seq and event.keys[0] in keyed]
    size = evicting.header.scenario.cache.page_size
    shown = section(Eviction, evicting, "takeaway").beats[-1].acts[-1].parts[0]
    assert shown.number == str(size * len(gone))


def test_a_row_in_another_order_and_a_line_with_another_border_are_found(evicting, preempting):
    kept = next(evicting.find(event="phase_end", after=next(evicting.find(event="pages_cached")).seq))
    reader = Reader(kept.seq)
    rehearse(Eviction, evicting, observers=(reader,), only={"stay"})
    row = reader.kept["lru.row"]
    assert len(row) > 1 and not {*differences(reader.kept, Witness.of(evicting), kept.seq)}
    wrong = reader.kept | {"lru.row": row[::-1]}
    assert {d.field for d in differences(wrong, Witness.of(evicting), kept.seq)} == {"lru.row"}

    until = section(Preemption, preempting, "refused").beats[-1].until
    reader = Reader(until)
    rehearse(Preemption, preempting, observers=(reader,), only={"refused"})
    running, waiting = reader.kept["line"]
    assert running and waiting
    wrong = reader.kept | {"line": (running[:-1], [running[-1], *waiting])}
    assert {d.field for d in differences(wrong, Witness.of(preempting), until)} == {"line"}


def test_a_row_that_has_not_closed_up_shows_the_cards_that_are_left(evicting):
    _, evicted, *_ = evicting.find(event="pages_evicted")
    acts = [act for shot in section(Eviction, evicting, "evict").beats for act in shot.acts if act.until == evicted.seq]
    first, second = (next(part for part in act.parts if isinstance(part, Lru)) for act in acts[:2])
    assert first.places[0] == evicted.pages[0] and first.places[1:] == tuple(evicted.lru)
    assert replace(first, places=()) == second


def test_preemption_tells_another_trace(record_scenario):
    """So that `DoesNotApply` cannot stand in for a film that never plays."""
    sections = Preemption.tell(Trace.open(record_scenario("crowded"))).sections
    assert len(sections) >= 5 and sum(len(section.beats) for section in sections) > 8


@pytest.mark.parametrize("film", [Eviction, Preemption])
def test_a_trace_without_the_subject_is_told_so(film, two_requests):
    with pytest.raises(DoesNotApply, match="record a scenario"):
        film.tell(Trace.open(two_requests))
