"""How long a position may wait under "same-position": what the trace says of it, and what `verify` makes of that."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from astrai_sim.scenario import Scenario, ScenarioError, find_scenario, load_scenario
from astrai_sim.scenario.schema import AGING_STEPS, CachePart, RequestPart, SchedulerPart
from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.verify import verify
from tests.trace.recording import TINY, lines_of, recorded, resealed

LONG, SHORT, AGING = 30, 12, 5


def crowded(aging_steps: int | None) -> Scenario:
    """One long request, and two short ones of equal length at any time."""
    short = [
        RequestPart(f"s{step}{i}", SHORT, prompt_tokens=6, arrival_step=step)
        for step in range(0, 80, 9)
        for i in (1, 2)
    ]
    return Scenario(
        name="crowded",
        model=replace(TINY, kind="none"),
        cache=CachePart(n_pages=64, page_size=4),
        scheduler=SchedulerPart("same-position", max_batch=3, aging_steps=aging_steps),
        requests=(RequestPart("long", LONG, prompt_tokens=3), *short),
    )


def last_step(trace: Trace, task: str) -> int:
    return next(trace.find("task_finished", task=task)).step


def with_aging(trace: Trace, aging_steps: int | None) -> Trace:
    header, *rest = lines_of(trace)
    header["scenario"]["scheduler"].pop("aging_steps")
    if aging_steps is not None:
        header["scenario"]["scheduler"]["aging_steps"] = aging_steps
    return resealed([header, *rest])


def test_the_header_has_the_bound_and_verify_keeps_it(tmp_path):
    bounded = recorded(crowded(AGING), tmp_path / "bounded.jsonl")
    endless = recorded(crowded(None), tmp_path / "endless.jsonl")
    assert bounded.header.scenario.scheduler.aging_steps == AGING and verify(bounded) and verify(endless)
    assert last_step(endless, "long") > last_step(endless, "s722") > 80, "it comes to its end once no others come"
    assert verify(with_aging(endless, None)), "a trace recorded before there was a bound"
    for trace, aging_steps in ((bounded, AGING + 1), (bounded, None), (endless, AGING)):
        with pytest.raises(TraceError, match="plan of the pass .* \\(rule passes-planned\\)"):
            verify(with_aging(trace, aging_steps))
    steps = [event.step for event in bounded.find("tokens", task="long")]
    assert max(b - a for a, b in pairwise(steps)) == AGING, "as long as there are others, and no longer"


def test_the_shipped_story_is_the_same_with_the_bound(tmp_path):
    promo = load_scenario(find_scenario("promo"))
    assert promo.scheduler.aging_steps == AGING_STEPS
    promo = replace(promo.without_model(), record=replace(promo.record, line_calls=0))
    without = replace(promo, scheduler=replace(promo.scheduler, aging_steps=None))
    one, other = (recorded(each, tmp_path / "promo.jsonl") for each in (promo, without))
    assert lines_of(one)[1:-1] == lines_of(other)[1:-1]


def test_only_same_position_has_a_bound(tmp_path):
    text = find_scenario("promo").read_text()
    path = tmp_path / "p.toml"
    path.write_text(text.replace('"same-position"', '"all"'))
    assert load_scenario(path).scheduler.aging_steps is None
    path.write_text(text.replace('"same-position"', '"all"\naging_steps = 9'))
    with pytest.raises(ScenarioError, match="p.toml:21: aging_steps goes with decode_policy"):
        load_scenario(path)
    path.write_text(text.replace('"same-position"', '"same-position"\naging_steps = 0'))
    with pytest.raises(ScenarioError, match="p.toml:21: aging_steps must be at least 1, not 0"):
        load_scenario(path)
    path.write_text(f'{text}\n[[change]]\nstep = 9\ndecode_policy = "all"\n')
    assert load_scenario(path).scheduler.aging_steps == AGING_STEPS
