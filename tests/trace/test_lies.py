"""Single lies, drawn at random, each under a footer that fits: what is caught, kind by kind."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from astrai_sim.scenario.schema import ChangePart
from astrai_sim.tools.reproduce import CannotReproduce, reproduce
from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.verify import verify
from tests.trace.recording import crowd, lines_of, recorded, resealed

QUICK, ALL = 150, 1200
TIMES = {"ns", "duration_ns"}
# Fields of the header to which nothing else in a trace is tied.
HEADER_TRUSTED = re.compile(
    r"engine\.|device\.|started|sources\.|scenario\.(title|question|takeaway|film)|policy\."
    r"|scenario\.model\.(n_layers|n_heads|ffn_dim)"
)
# The same without a model, where these only say what was not run, and without any ids.
FREE_TRUSTED = re.compile(r"scenario\.model\.(n_kv_heads|head_dim|vocab_size)|scenario\.prefixes\.\d+\.tokens")
KINDS = {
    "masks": r"mask|word|words|free",
    "refs": r"ref|refs",
    "pages": r"page|runs|logical",
    "tables": r"table|tables",
    "snapshots": r"digests|cached|lru",
    "slots": r"slots",
    "lengths": r"lengths?|counts?|tokens|total|n_pages|cached_tokens|kv_len|prompt_len|max_tokens|generated",
    "positions": r"position|index|start|end|arrival_step",
    "keys": r"key|parent",
    "tasks": r"tasks?|waiting|running|n_tasks|reason|source",
    "prompts": r"prompt",
    "norms": r"norms",
    "tokens": r"ids?",
    "times": r"ns|duration_ns",
}


def leaves(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """Paths of all single values in JSON data; None says nothing that could be a lie."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, key))
    elif value is not None:
        yield path


def kind_of(line: dict, path: tuple) -> str:
    """What a lie at `path` is about."""
    if line.get("type") == "header":
        return "header"
    event = line["event"]
    if event == "lines" and path[0] != "ns":
        return "executed lines"
    if event == "gather" and path[0] != "ns" and path[0] not in ("step", "phase", "event"):
        return "gathers"
    if event == "setting" and path[0] in ("name", "value"):
        return "settings"
    names = [part for part in path if isinstance(part, str)]
    for kind, pattern in KINDS.items():
        if re.fullmatch(pattern, names[-1] if names[0] != "pages" else "page"):
            return "tables" if (kind, event) == ("pages", "table") else kind
    if names[0] in ("tables", "lengths", "digests"):
        return "snapshots"
    return "events"


def lied(value: Any, draw: random.Random) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return max(0, value + draw.choice((-1, 1, 1, 2, 7))) if value else draw.choice((1, 2))
    if isinstance(value, float):
        return value * 1.5 + 1
    at = [match.start() for match in re.finditer(r"[0-9a-zA-Z]", value)]
    if not at:
        return f"{value}x"
    place = draw.choice(at[2:] if value.startswith("0x") else at)
    other = draw.choice([char for char in "0123456789" if char != value[place]])
    return value[:place] + other + value[place + 1 :]


def put(line: Any, path: tuple, value: Any) -> Any:
    """A copy of the data with `value` at `path`."""
    if not path:
        return value
    copy = line.copy()
    copy[path[0]] = put(line[path[0]], path[1:], value)
    return copy


def lies(trace: Trace, count: int, seed: int) -> Iterator[tuple[str, str, Any, Any, list[dict]]]:
    """Lies as (kind, where, was, is now, lines that tell it); each kind is told as often as any other."""
    draw, lines = random.Random(seed), lines_of(trace)
    places: dict[str, list[tuple[int, tuple]]] = {}
    for number, line in enumerate(lines[:-1]):
        for path in leaves(line):
            if path != ("seq",):
                places.setdefault(kind_of(line, path), []).append((number, path))
    while count:
        kind = draw.choice(sorted(places))
        number, path = draw.choice(places[kind])
        old: Any = lines[number]
        for part in path:
            old = old[part]
        new = lied(old, draw)
        if new == old or (isinstance(old, str) and old.startswith("0x") and int(new, 16) == int(old, 16)):
            continue
        count -= 1
        where = f"{lines[number].get('event', 'header')} {'.'.join(map(str, path))}"
        yield kind, where, old, new, [*lines[:number], put(lines[number], path, new), *lines[number + 1 :]]


def believed(trace: Trace, count: int, seed: int) -> tuple[Counter, Counter, list[tuple[str, str, Any, Any, Trace]]]:
    """How many lies of each kind were told, how many were caught at each level, and those that were not."""
    told, caught, left = Counter(), Counter(), []
    for kind, where, old, new, lines in lies(trace, count, seed):
        told[kind] += 1
        try:
            lie = resealed(lines)
            verify(lie)
            left.append((kind, where, old, new, lie))
        except TraceError as error:
            caught[kind, error.level] += 1
    return told, caught, left


def is_trusted(trace: Trace, kind: str, where: str) -> bool:
    """Whether the docs say that nothing ties this down."""
    free = trace.header.model == "none"
    field = where.split(" ", 1)[1]
    if kind == "header":
        return bool(HEADER_TRUSTED.match(field) or (free and FREE_TRUSTED.match(field)))
    if kind == "times":
        return not free
    if kind == "keys":  # where no ids are recorded, the last key of a chain is tied to nothing
        return free and trace.header.detail == "bulk" and ".parent" not in where
    return kind in ("norms", "tokens") and not free


@pytest.fixture(scope="module", params=[("random", "full"), ("random", "bulk"), ("none", "bulk")], ids="-".join)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trace:
    scenario = replace(crowd(*request.param), changes=(ChangePart(step=9, max_tokens_per_step=16),))
    return recorded(scenario, tmp_path_factory.mktemp("lies") / "run.jsonl")


def assert_only_the_trusted_is_believed(trace: Trace, count: int, seed: int) -> None:
    told, caught, left = believed(trace, count, seed)
    wrong = [(kind, where, old, new) for kind, where, old, new, _ in left if not is_trusted(trace, kind, where)]
    assert not wrong
    print({kind: f"{told[kind] - sum(lie[0] == kind for lie in left)} of {told[kind]}" for kind in sorted(told)})
    print({level: sum(n for (_, at), n in caught.items() if at == level) for level in ("format", "paging", "policy")})


def test_a_lie_is_believed_only_where_nothing_is_tied_to_it(told):
    assert_only_the_trusted_is_believed(told, QUICK, 1)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twelve_hundred_lies(told):
    assert_only_the_trusted_is_believed(told, ALL // 3, 2)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_what_verify_believes_another_run_contradicts(told):
    """But for times and places, and for what the scenario itself is told to be."""
    free = told.header.model == "none"
    asked = re.compile(r"header (engine|device|started|sources\..*\.(file|line)|scenario|policy)")
    tried = 0
    for kind, where, old, new, lie in believed(told, 300, 3)[2]:
        if kind == "times" or (asked.match(where) and (free or "scenario.model" not in where)) or tried >= 25:
            continue
        tried += 1
        with suppress(CannotReproduce):
            assert reproduce(lie).count, (where, old, new)
    assert tried


def test_no_value_of_a_constructor_can_be_another(tmp_path):
    """Every single one in the lines that made the pool, and in those of two passes of several tasks."""
    trace, draw = recorded(crowd(), tmp_path / "run.jsonl"), random.Random(4)
    lines = lines_of(trace)
    views = [i for i, line in enumerate(lines) if line.get("function") == "CacheView.__init__"]
    wide = [i for i in views if len(lines[i]["args"]["tables"]) > 2]
    for number in (1, wide[0], wide[-1]):
        for path in leaves(lines[number]):
            if path[0] in ("seq", "ns"):
                continue
            old: Any = lines[number]
            for part in path:
                old = old[part]
            lie = [*lines[:number], put(lines[number], path, lied(old, draw)), *lines[number + 1 :]]
            with pytest.raises(TraceError):
                verify(resealed(lie))
                pytest.fail(f"{lines[number]['function']} {path}: {old} could be another")
        with pytest.raises(TraceError):
            verify(resealed([*lines[:number], *lines[number + 1 :]]))
