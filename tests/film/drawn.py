"""Scenarios drawn at random, for films of any trace."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from astrai_sim.scenario.schema import (
    CachePart,
    ChangePart,
    ModelPart,
    PrefixPart,
    RecordPart,
    RequestPart,
    Scenario,
    SchedulerPart,
    StopPart,
)
from scenes.story.limits import LARGEST

TINY = ModelPart(n_layers=1, n_heads=2, n_kv_heads=1, head_dim=4, ffn_dim=8, vocab_size=50, dtype="float32")
POOLS = (1, 2, 3, 5, 8, 9, 14, 20, 21, 33, 34, 64, 300, 5000)
NAMES = ("{}", "r{}", "request-{:06}", "a-tenant-with-a-long-name/session-{:08}/turn-1")
MOST_SLOTS = 400
"""Slots that requests together may ask for, so that a drawn run is short."""


@st.composite
def scenarios(draw) -> Scenario:
    """Pools of 1 to 5,000 pages, shared prompts, chunks, too few pages, changes, long names."""
    n_pages = draw(st.sampled_from(POOLS))
    size = draw(st.sampled_from((1, 2, 4, 7, 16)))
    slots = min(n_pages * size, MOST_SLOTS)
    prefixes = draw(st.lists(st.integers(1, max(1, min(40, slots // 2))), max_size=2))
    name = draw(st.sampled_from(NAMES))
    requests = []
    for number in range(draw(st.sampled_from((1, 2, 3, 5, 9)))):
        prefix = draw(st.sampled_from([None, *range(len(prefixes))]))
        shared = 0 if prefix is None else prefixes[prefix]
        prompt = draw(st.integers(1, max(1, min(60, slots - shared))))
        room = slots - shared - prompt + 1
        if room < 1:
            prefix, prompt, room = None, 1, slots
        requests.append(
            RequestPart(
                name.format(number),
                draw(st.integers(1, min(24, room))),
                prompt_tokens=prompt,
                prefix=None if prefix is None else f"p{prefix}",
                arrival_step=draw(st.integers(0, 8)),
            )
        )
    batch = draw(st.integers(1, 5))
    changes = draw(
        st.sampled_from(
            [
                (),
                (),
                (ChangePart(3, decode_policy="same-position"),),
                (ChangePart(2, max_tokens_per_step=batch), ChangePart(4, max_tokens_per_step="none")),
            ]
        )
    )
    return Scenario(
        name="drawn",
        title="A drawn scenario",
        seed=draw(st.integers(0, 99)),
        model=replace(TINY, kind=draw(st.sampled_from(["random", "random", "none"]))),
        cache=CachePart(n_pages, size, prefix_caching=draw(st.booleans())),
        scheduler=SchedulerPart(
            draw(st.sampled_from(["all", "same-position"])),
            batch,
            draw(st.one_of(st.none(), st.integers(batch, 30))),
            draw(st.booleans()),
            draw(st.sampled_from([None, None, 1])),
        ),
        record=RecordPart(draw(st.sampled_from(["full", "full", "bulk"]))),
        prefixes=tuple(PrefixPart(f"p{i}", tokens=n) for i, n in enumerate(prefixes)),
        requests=tuple(requests),
        changes=changes,
        stop=StopPart(max_steps=draw(st.sampled_from([None, None, 1, 9]))),
    )


def crowd_of(draw, count: int, n_pages: int, size: int, prompts: int, answers: int, arrivals: int) -> Scenario:
    """So many requests of up to `prompts` and `answers` tokens, each of which fits alone."""
    name, model = draw(st.sampled_from(NAMES)), replace(TINY, kind=draw(st.sampled_from(["random", "none"])))
    requests = []
    for number in range(count):
        prompt, answer = (draw(st.integers(max(1, most // 3), most)) for most in (prompts, answers))
        came = draw(st.integers(0, arrivals))
        requests.append(RequestPart(name.format(number), answer, prompt_tokens=prompt, arrival_step=came))
    batch = draw(st.integers(2, count))
    chunk = draw(st.sampled_from([None, None, max(32, batch)]))
    return Scenario(
        name="drawn",
        title="A drawn scenario",
        seed=draw(st.integers(0, 99)),
        model=model,
        cache=CachePart(n_pages, size, prefix_caching=draw(st.booleans())),
        scheduler=SchedulerPart(max_batch=batch, max_tokens_per_step=chunk),
        record=RecordPart(draw(st.sampled_from(["full", "bulk"])) if n_pages > LARGEST else "full"),
        requests=tuple(requests),
    )


@st.composite
def outgrown(draw) -> Scenario:
    """Answers that together outgrow a pool of a few pages."""
    n_pages, size = draw(st.integers(3, LARGEST)), draw(st.sampled_from((1, 2, 4, 8, 16)))
    slots = n_pages * size
    count = draw(st.integers(2, 6))
    return crowd_of(draw, count, n_pages, size, max(1, slots // count), max(1, min(40, slots // 2)), 4)


@st.composite
def loads(draw) -> Scenario:
    """A pool that is shown as a map, under tens of requests that may outgrow it."""
    n_pages, size = draw(st.sampled_from((34, 64, 129, 300, 1000))), draw(st.sampled_from((1, 4, 16)))
    slots = n_pages * size
    return crowd_of(draw, draw(st.integers(2, 40)), n_pages, size, min(400, slots // 3), min(60, slots // 3), 30)
