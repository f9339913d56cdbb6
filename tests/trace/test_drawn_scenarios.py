"""Whatever is run, its recording holds and replays as it was."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from astrai_sim.scenario.schema import (
    CachePart,
    ChangePart,
    PrefixPart,
    RecordPart,
    RequestPart,
    Scenario,
    SchedulerPart,
    StopPart,
)
from astrai_sim.trace import Series
from astrai_sim.trace.verify import verify
from tests.trace.recording import TINY, recorded


@st.composite
def scenarios(draw) -> Scenario:
    """Pools of 1 to 200 pages, up to seven requests that fit, all switches either way."""
    size = draw(st.integers(1, 6))
    n_pages = draw(st.one_of(st.integers(1, 12), st.just(200)))
    slots = n_pages * size
    prefixes = draw(st.lists(st.integers(1, max(1, min(12, slots // 2))), max_size=2))
    requests = []
    for number in range(draw(st.integers(1, 7))):
        prefix = draw(st.sampled_from([None, *range(len(prefixes))]))
        shared = 0 if prefix is None else prefixes[prefix]
        prompt = draw(st.integers(1, max(1, min(15, slots - shared))))
        room = slots - shared - prompt + 1
        if room < 1:
            prefix, prompt, room = None, 1, slots
        arrival = draw(st.one_of(st.none(), st.floats(0, 0.05)))
        requests.append(
            RequestPart(
                f"r{number}",
                draw(st.integers(1, min(12, room))),
                prompt_tokens=prompt,
                prefix=None if prefix is None else f"p{prefix}",
                arrival_s=arrival,
                arrival_step=0 if arrival is not None else draw(st.integers(0, 6)),
            )
        )
    batch = draw(st.integers(1, 4))
    changes = draw(
        st.sampled_from(
            [
                (),
                (ChangePart(3, decode_policy="same-position"),),
                (ChangePart(2, max_tokens_per_step=batch), ChangePart(4, max_tokens_per_step="none")),
            ]
        )
    )
    return Scenario(
        name="drawn",
        seed=draw(st.integers(0, 99)),
        model=TINY.__class__(
            **{
                **vars(TINY),
                "vocab_size": draw(st.sampled_from([2, 50])),
                "kind": draw(st.sampled_from(["random", "none"])),
            }
        ),
        cache=CachePart(n_pages, size, prefix_caching=draw(st.booleans())),
        scheduler=SchedulerPart(
            draw(st.sampled_from(["all", "same-position"])),
            batch,
            draw(st.one_of(st.none(), st.integers(batch, 9))),
            draw(st.booleans()),
            draw(st.sampled_from([None, 1])),
            draw(st.sampled_from([None, 1, 4])),
        ),
        record=RecordPart(draw(st.sampled_from(["full", "bulk"])), snapshot_every=draw(st.integers(1, 9))),
        prefixes=tuple(PrefixPart(f"p{i}", tokens=n) for i, n in enumerate(prefixes)),
        requests=tuple(requests),
        changes=changes,
        stop=StopPart(max_steps=draw(st.sampled_from([None, 9]))),
    )


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(scenarios())
def test_what_is_recorded_holds(scenario):
    with tempfile.TemporaryDirectory() as folder:
        trace = recorded(scenario, Path(folder) / "run.jsonl")
    assert verify(trace).events == len(trace)
    for event in trace.find(event="snapshot"):
        state = trace.state_at(event.seq)
        assert state.mask == event.mask
        assert state.fill()[state.page_states() == 1].sum() == state.kv_slots
    series = Series.of(trace)
    tasks = trace.state_at(len(trace) - 1).tasks.values()
    assert series.generated.sum() == sum(task.generated for task in tasks)
