"""The fields that stages show, and who compares them: one module for each part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from astrai_sim.trace import State
from scenes.check.fields import (
    cards,
    census,
    charts,
    keys,
    lanes,
    lru,
    map,
    mask,
    memory,
    meters,
    phases,
    pool,
    queue,
    shelf,
    states,
    tables,
    transcript,
)
from scenes.check.recorded import Difference, Recorded

Compare = Callable[[Mapping, State, Recorded], Iterator[Difference]]

FIELDS: dict[str, Compare] = {
    field: module.differences
    for module in (
        pool,
        map,
        mask,
        census,
        lru,
        tables,
        queue,
        phases,
        meters,
        shelf,
        keys,
        states,
        memory,
        charts,
        lanes,
        transcript,
        cards,
    )
    for field in module.NAMES
}
