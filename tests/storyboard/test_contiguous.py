"""The model of a pool without pages keeps its stated rule, and the engine's step."""

from dataclasses import replace

import pytest
import torch

from astrai_sim.scenario import Run, build, find_scenario, load_scenario
from astrai_sim.trace import Series, Trace
from scenes.story.contiguous import Layout, Load, Piece, at_step, first_fit, loads, simulate


def load(task, prompt, max_tokens, generated, arrival=0):
    return Load(task, arrival, prompt, max_tokens, generated)


def pieces(layout):
    return [(p.task, p.start, p.size, p.used) for p in layout.pieces]


def test_a_request_reserves_its_longest_length_and_fills_a_slot_a_step():
    layouts = simulate([load("A", 5, 10, 4)], 20, 8)
    assert [pieces(x) for x in layouts] == [[("A", 0, 15, 6)], [("A", 0, 15, 7)], [("A", 0, 15, 8)], []]
    assert [(x.running, len(x.served)) for x in layouts] == [(1, 0), (1, 0), (0, 1), (0, 1)]


def test_pieces_go_to_the_lowest_address_that_fits():
    layout = Layout(0, 100, (Piece("A", 10, 20, 5), Piece("B", 60, 30, 5)))
    assert layout.holes() == [(0, 10), (30, 30), (90, 10)]
    assert first_fit(layout, 10) == 0
    assert first_fit(layout, 11) == 30
    assert first_fit(layout, 31) is None


HOLED = [load("A", 4, 6, 2), load("B", 4, 6, 20), load("C", 4, 6, 2), load("D", 4, 6, 20), load("E", 9, 11, 3, 1)]
"""Requests that leave two holes, each too small for E."""


def test_room_in_two_holes_does_not_admit_and_nobody_overtakes():
    requests = [*HOLED, load("F", 1, 2, 2, 1)]
    layouts = simulate(requests, 40, 8)
    stuck = layouts[2]
    assert stuck.holes() == [(0, 10), (20, 10)]
    assert stuck.waiting == ("E", "F")
    admitted = next(x for x in layouts if any(p.task == "E" for p in x.pieces))
    assert [p.task for p in admitted.pieces if p.task in "EF"] == ["E", "F"]
    assert len(layouts[-1].served) == len(requests)


def test_with_holes_closed_the_sum_of_what_is_free_is_enough():
    layouts = simulate(HOLED, 40, 8, "closed")
    admitted = next(x for x in layouts if any(p.task == "E" for p in x.pieces))
    assert admitted.step == 1 and pieces(admitted)[-1][:3] == ("E", 20, 20)
    whole = next(x for x in simulate(HOLED, 40, 8) if any(p.task == "E" for p in x.pieces))
    assert whole.step > admitted.step


def test_a_known_length_is_all_that_is_reserved():
    requests = [load("A", 5, 30, 4), load("B", 5, 30, 4), load("C", 5, 30, 4)]
    assert [len(x.served) for x in simulate(requests, 36, 8)][:3] == [0, 0, 1]
    known = simulate(requests, 36, 8, "known")
    assert pieces(known[0]) == [("A", 0, 8, 6), ("B", 8, 8, 6), ("C", 16, 8, 6)]
    assert known[2].served == ("A", "B", "C")
    with pytest.raises(ValueError, match="A needs 8 adjacent slots of 7"):
        simulate(requests, 7, 8, "known")


def test_batch_limit_and_what_is_refused():
    requests = [load(name, 2, 2, 2) for name in "ABC"]
    assert simulate(requests, 100, 2)[0].waiting == ("C",)
    with pytest.raises(ValueError, match="A needs 30 adjacent slots of 20"):
        simulate([load("A", 10, 20, 5)], 20, 8)
    with pytest.raises(ValueError, match="generated nothing"):
        simulate([load("A", 10, 5, 0)], 20, 8)


def test_before_the_first_and_after_the_last_step_the_pool_is_empty():
    layouts = simulate([load("A", 5, 10, 4)], 20, 8)
    assert at_step(layouts, -1, 20) == Layout(-1, 20)
    assert at_step(layouts, 99, 20).pieces == () and at_step(layouts, 99, 20).step == 99
    assert at_step(layouts, 1, 20) == layouts[1]


@pytest.mark.parametrize("max_batch", [12, 4])
def test_with_room_for_all_it_steps_as_the_engine_does(max_batch):
    scenario = load_scenario(find_scenario("fragmentation"))
    scenario = replace(
        scenario, cache=replace(scenario.cache, n_pages=200), scheduler=replace(scenario.scheduler, max_batch=max_batch)
    )
    built = build(scenario, torch.device("cpu"))
    engine = []
    for _ in Run(built.scheduler, built.tasks, scenario.stop).steps():
        scheduler = built.scheduler
        holding = [*scheduler.running, *scheduler.finished]
        engine.append(
            (
                len(scheduler.running),
                [task.id for task in scheduler.waiting],
                {task.id: task.kv_len for task in holding},
            )
        )
    requests = [
        Load(task.id, task.arrival_step, len(task.prompt), task.max_tokens, len(task.output)) for task in built.tasks
    ]
    model = [
        (x.running, list(x.waiting), {p.task: p.used for p in x.pieces})
        for x in simulate(requests, 200 * 16, max_batch)
    ]
    assert model == engine


def test_requests_are_read_from_the_trace(two_requests):
    trace = Trace.open(two_requests)
    assert loads(trace) == [load("A", 12, 8, 8), load("B", 6, 12, 12, 1)]
    last = Series.of(trace).step[-1]
    assert len(simulate(loads(trace), 48, 8)) == last + 1
