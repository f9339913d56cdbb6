"""What parts write beside their pictures: phases, how much of the run goes by, how much sooner one arrives."""

from dataclasses import replace

import pytest

from astrai_sim.trace import Trace
from scenes.chat import Chat
from scenes.chunked_prefill import ChunkedPrefill
from scenes.draw import fonts
from scenes.draw.layout import Box
from scenes.measures import measure
from scenes.parts.batch import Batch
from scenes.parts.elapsed import Elapsed
from scenes.parts.header import Header
from scenes.parts.part import View
from scenes.parts.question import Takeaway
from scenes.parts.race import Lane, Race
from scenes.parts.talk import Talk, opening
from scenes.parts.tape import Tape
from scenes.pool_at_scale import PoolAtScale
from scenes.prefix_cache import PrefixCache
from scenes.prefix_sharing import PrefixSharing

BOX = Box(96, 112, 1728, 768)
MS = 10**6


def view_of(film, seq=0):
    trace = Trace.open(film.trace_for())
    return View(trace, trace.state_at(seq))


@pytest.fixture(scope="module")
def load():
    return view_of(PoolAtScale)


def texts(part, view):
    return {key: str(atom.text) for key, atom in part.draw(view, BOX) if hasattr(atom, "text")}


@pytest.mark.parametrize(("phase", "called"), [("refill", "refill batch"), ("prefill", "prefill")])
def test_a_phase_is_not_taken_for_another(phase, called):
    trace = Trace.open(PrefixCache.trace_for())
    seq = next(event.seq for event in trace.find(event="phase_begin") if event.phase == phase)
    assert texts(Header("title"), View(trace, trace.state_at(seq)))["phase",] == called


def test_a_time_lapse_within_one_moment_says_so(load):
    events = [(event.seq, event.ns) for event in load.trace]
    (first, ns), (last, later) = events[0], events[-1]
    same = next(seq for (seq, at), (_, then) in zip(events[1:], events, strict=False) if at == then)
    lapsed = [replace(load, lapse=(a, b, 2.0)) for a, b in ((same - 1, same), (first, last))]
    said = [texts(Elapsed(), view)["rate",] for view in lapsed]
    assert said == ["one moment of the run", f"each second: {(later - ns) / 2e9:.0f} s of the run"]


@pytest.mark.parametrize(
    ("took", "said"), [((309 * MS, 148 * MS), "161 ms sooner"), ((3004 * 10**5, 1006 * 10**5), "sooner")]
)
def test_a_race_says_how_much_sooner_where_that_adds_up_as_written(load, took, said):
    """300.4 ms less 100.6 are 199.8: written, 300 less 101 are not 200."""
    names = [*load.history.requests][:2]
    lanes = tuple(Lane(name, measure("took", ns, "time"), name) for name, ns in zip(names, took, strict=True))
    found = texts(Race("time", lanes, 2.0, ahead=1.0), load)[1, "sooner"]
    assert found == said


@pytest.mark.parametrize(("hit", "one", "lane"), [(148, 83, 1), (100, 85, 0), (148, 290, None)])
def test_one_token_is_drawn_in_the_shortest_bar_with_room_beside_its_time(load, hit, one, lane):
    names = [*load.history.requests][:2]
    lanes = tuple(Lane(n, measure("took", ns * MS, "time"), n) for n, ns in zip(names, (300, hit), strict=True))
    race = Race("time", lanes, 2.0, ahead=1.0, alone=measure("took", one * MS, "time"))
    drawn = dict(race.draw(load, BOX))
    assert [key[0] for key in drawn if key[1:] == ("alone",)] == ([] if lane is None else [lane])
    if lane is not None:
        part, bar = drawn[lane, "alone"].box, drawn[lane, "bar"].box
        assert part.right == pytest.approx(bar.x + bar.w * one / (300, hit)[lane])
        assert part.right < drawn[lane, "time"].ink[0] and drawn[lane, "one"].text == "one token"


def test_prompts_are_computed_before_answers():
    view = view_of(ChunkedPrefill)
    mixed = next(i for i in range(len(view.history.steps)) if view.history.prefilled(i) and view.history.decoded(i))
    kinds = [kind for _, kind, _ in Batch(mixed).tokens(view)]
    assert kinds == sorted(kinds, reverse=True) and {*kinds} == {"prompt", "decode"}
    orders = [atom.order for key, atom in Batch(mixed).draw(view, BOX) if key[-1] in ("prompt", "decode")]
    assert all(a[-1] < b[0] for a, b in zip(orders, orders[1:], strict=False))


def test_a_takeaway_keeps_the_place_of_its_number(load):
    whole = Takeaway("A sentence.", "7", "of them")
    alone = replace(whole, alone=True)
    assert alone.room(load, BOX.w) == whole.room(load, BOX.w)
    both = [dict(part.draw(load, BOX)) for part in (alone, whole)]
    assert both[0].items() < both[1].items()


def test_who_begins_as_another_is_seen_to():
    view = view_of(PrefixSharing, -1)
    view = view.at(len(view.trace) - 1)
    found = texts(Tape(("A", "B", "E"), asks=True), view)
    begins = [found[task, "begins"] for task in ("A", "B", "E")]
    assert begins[0] == begins[1] != begins[2] and all(text.startswith("You are ") for text in begins)
    found = texts(Talk(("Ada", "Ben")), view_of(Chat, 1000))
    assert found["Ada", "begins"] == found["Ben", "begins"] and found["Ada", "asks"] != found["Ben", "asks"]


@pytest.mark.parametrize("width", [100, 400, 4000])
def test_the_beginning_of_a_system_prompt_fits(width):
    view = view_of(PrefixSharing, 1)
    said = opening(view, "A", 30, width)
    assert fonts.width(said, "sans", 30) <= width
    assert (not said) == (width == 100) and said.endswith("…") == (width == 400)
