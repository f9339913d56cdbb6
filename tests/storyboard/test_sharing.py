"""What the film of sharing says, and measures of sharing and pressure, counted once more from the events."""

import pytest

from astrai_sim.trace import Trace
from scenes.film.scene import ASSETS
from scenes.prefix_sharing import PrefixSharing
from scenes.story.errors import DoesNotApply
from scenes.story.history import first_missed, history_of
from scenes.story.history.prompts import comparable, first_tokens
from scenes.story.measures import Ask


def shipped(name):
    return Trace.open(ASSETS / "traces" / f"{name}.jsonl.gz")


@pytest.fixture(scope="module")
def sharing():
    return shipped("prefix_sharing")


@pytest.fixture(scope="module")
def evicting():
    return shipped("eviction")


@pytest.fixture(scope="module")
def preempting():
    return shipped("preemption")


def captions(storyboard, key):
    section = next(s for s in storyboard.sections if s.key == key)
    return " ".join(beat.caption for beat in section.beats if beat.caption)


def test_own_traces_fill_every_chapter(sharing):
    """So that no chapter is left out unnoticed when the traces are recorded anew."""
    told = [s.key for s in PrefixSharing.tell(sharing).sections]
    assert told == ["hook", "first", "second", "cost", "joins", "leaves", "stays", "misses", "comes-to"]


def test_who_misses_begins_with_other_tokens_and_counts_in_the_takeaway(sharing):
    admitted = {event.task: event.cached_tokens for event in sharing.find(event="task_admitted")}
    prompts = {event.task: event.prompt for event in sharing.find(event="task_submitted")}
    first, *_, last = prompts
    assert prompts[last][0:16] != prompts[first][0:16] and not admitted[last]
    assert str(len(prompts[last])) in captions(PrefixSharing.tell(sharing), "misses")
    shown = PrefixSharing.tell(sharing).sections[-1].beats[-1].acts[-1].parts[0]
    assert [m.value for m in (*shown.number.measures, *shown.unit.measures)] == [
        sum(admitted.values()),
        sum(map(len, prompts.values())),
    ]


def test_no_page_is_left_out_between_two_that_stand_at_the_end(sharing):
    *_, pool = PrefixSharing.tell(sharing).sections[-1].beats[-1].acts[-1].parts
    used = {page for event in sharing.find(event="pages_alloc") for page in event.pages}
    assert pool.pages == tuple(sorted(used)) == tuple(range(len(used)))


def test_refcounts_that_are_said_are_those_before_and_after_each_release(sharing):
    drops = [e for e in sharing.find(event="pages_free") if e.pages == [0] and e.ref]
    section = next(s for s in PrefixSharing.tell(sharing).sections if s.key == "leaves")
    said = [beat for beat in section.beats if "leaves" in beat.caption]
    assert [[m.value for m in beat.caption.measures] for beat in said] == [[e.task, e.ref + 1, e.ref] for e in drops]
    for beat, drop in zip(said, drops, strict=True):
        tables = sharing.state_at(beat.until).tables
        assert not tables.get(drop.task) and len([1 for table in tables.values() if 0 in table]) == drop.ref


def test_first_token_takes_the_phases_up_to_the_prefill_that_gives_it(sharing):
    for time in first_tokens(history_of(sharing)):
        token = next(sharing.find(event="tokens", task=time.task))
        phases = [
            e.duration_ns
            for e in sharing.find(event="phase_end")
            if e.step == token.step and e.phase in ("cleanup", "refill", "prefill")
        ]
        assert len(phases) == 3
        assert time.ns == sum(phases)


def test_compared_requests_are_equally_long_and_untraced(sharing):
    hit, miss = comparable(first_tokens(history_of(sharing)))
    traced = {e.step for e in sharing.find(event="lines")}
    assert traced
    assert not traced & {sharing[hit.seq].step, sharing[miss.seq].step}
    assert hit.prompt == miss.prompt and not miss.cached
    admitted = next(sharing.find(event="task_admitted", task=hit.task))
    assert hit.cached == admitted.cached_tokens > 0
    assert {time.task for time in first_tokens(history_of(sharing)) if time.traced} >= {"A", "B"}


def test_a_waiting_request_counts_the_steps_that_it_waits(preempting):
    (late,) = [time for time in first_tokens(history_of(preempting)) if time.task == "D"]
    token = next(preempting.find(event="tokens", task="D"))
    submitted = next(preempting.find(event="task_submitted", task="D"))
    steps = sum(e.duration_ns for e in preempting.find(event="step_end", after=submitted.seq) if e.step < token.step)
    assert 0 < steps < late.ns


def test_missed_prefix_is_one_that_was_evicted(evicting):
    missed = first_missed(evicting)
    prompts = {e.task: e.prompt for e in evicting.find(event="task_submitted")}
    size = evicting.header.scenario.cache.page_size
    assert prompts[missed.task][: missed.cached] == prompts[missed.like][: missed.cached]
    keyed = {e.key: e for e in evicting.find(event="pages_keyed", before=missed.seq)}
    gone = [keyed[key] for e in evicting.find(event="pages_evicted", before=missed.seq) for key in e.keys]
    assert [held.logical * size for held in gone if held.task == missed.like][-1] == missed.found
    admitted = next(evicting.find(event="task_admitted", task=missed.task))
    assert admitted.cached_tokens == missed.found < missed.cached == 3 * size


def test_what_an_evicted_page_held_is_what_its_key_was_made_of(evicting):
    ask, size = Ask(evicting), evicting.header.scenario.cache.page_size
    for event in evicting.find(event="pages_evicted"):
        keyed = next(e for e in evicting.find(event="pages_keyed") if e.key == event.keys[0])
        first, last = ask.held(event.page, event.seq)
        assert (keyed.page, keyed.logical * size) == (event.page, first.value)
        assert last.value == first.value + size - 1


def test_preempted_request_loses_no_token(preempting):
    ask, preempted = Ask(preempting), next(preempting.find(event="task_preempted"))
    spans = [s for e in preempting.find(event="kv_write") for s in e.spans if s.task == preempted.task]
    written = [p for s in spans for p in range(s.start, s.start + s.count)]
    assert ask.recomputed().value == len(written) - len(set(written))
    assert ask.recomputed().value == ask.stored(preempted.task, preempted.seq - 1).value
    assert ask.lost().value == 0


def test_films_tell_other_traces(record_scenario):
    """So that `DoesNotApply` cannot stand in for a film that never plays."""
    sections = PrefixSharing.tell(Trace.open(record_scenario("shared_prefix"))).sections
    assert len(sections) >= 5 and sum(len(section.beats) for section in sections) > 12


@pytest.mark.parametrize("module", [PrefixSharing])
def test_a_trace_without_the_subject_is_told_so(module, two_requests):
    with pytest.raises(DoesNotApply, match="record a scenario"):
        module.tell(Trace.open(two_requests))
